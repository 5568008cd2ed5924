#include "engine/compaction/output_cutter.h"

#include <utility>

namespace shearpin {

bool OutputCutter::CutBefore(std::string_view user_key, uint64_t size) {
  while (passed_ < grandparents_->size()) {
    const FileMeta& meta = (*grandparents_)[passed_]->meta();
    if (UserKey(meta.largest) >= user_key) break;
    overlap_ += meta.size;
    ++passed_;
  }
  // What lies before the first key of all belongs to no table.
  if (!std::exchange(begun_, true)) overlap_ = 0;
  if (size < max_size_ && overlap_ <= max_overlap_) return false;
  overlap_ = 0;
  return true;
}

}  // namespace shearpin
