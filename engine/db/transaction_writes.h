// TransactionWrites: what a transaction will write, as a batch in the order of the calls, and as
// the state that results from it, for its own reads.
//
// Thread safety: one thread at a time. Ownership: copies what it is given; views that it returns
// live until the next write.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/base/lookup.h"
#include "engine/db/key_set.h"
#include "engine/write_batch.h"

namespace shearpin {

class TransactionWrites {
 public:
  // The last change of a key that no later range deleted.
  struct Point {
    bool deleted = false;
    size_t offset = 0;  // of the value in the batch
    size_t size = 0;
  };
  using Points = std::map<std::string, Point, std::less<>>;

  void Put(std::string_view key, std::string_view value);
  void Delete(std::string_view key);
  void DeleteRange(std::string_view begin, std::string_view end);

  // What the transaction itself says of the key: kAbsent leaves it to the snapshot.
  Lookup::Kind Find(std::string_view key, std::string_view* value) const;

  const Points& points() const { return points_; }
  // Of the points in them, only those that points() holds are there.
  const KeySet& deleted_ranges() const { return deleted_ranges_; }
  std::string_view ValueOf(const Point& point) const {
    return batch_.representation().substr(point.offset, point.size);
  }

  WriteBatch* mutable_batch() { return &batch_; }
  const WriteBatch& batch() const { return batch_; }
  // Every key that it changes.
  KeySet Keys() const;

 private:
  WriteBatch batch_;
  Points points_;
  KeySet deleted_ranges_;
};

}  // namespace shearpin
