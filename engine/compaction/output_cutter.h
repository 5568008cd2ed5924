// OutputCutter: where a merge ends one table and begins the next.
//
// Asked only between two user keys: versions of one key never stand in two tables of a level.
// Thread safety: one thread at a time. Ownership: the grandparents outlive it.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/compaction/tree_shape.h"
#include "engine/manifest/version.h"

namespace shearpin {

class OutputCutter {
 public:
  // `grandparents`: the level below the output, by smallest key.
  OutputCutter(const CompactionPlan& plan, const Version::Tables* grandparents)
      : max_size_(plan.max_table_size),
        max_overlap_(plan.max_grandparent_overlap),
        grandparents_(grandparents) {}

  // True if the current table, `size` bytes so far, should end before `user_key`. Keys ascend.
  bool CutBefore(std::string_view user_key, uint64_t size);

 private:
  const uint64_t max_size_;
  const uint64_t max_overlap_;
  const Version::Tables* const grandparents_;
  bool begun_ = false;    // a key was seen
  size_t passed_ = 0;     // grandparents that lie wholly before the last key
  uint64_t overlap_ = 0;  // bytes of those passed since the current table began
};

}  // namespace shearpin
