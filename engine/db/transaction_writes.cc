#include "engine/db/transaction_writes.h"

namespace shearpin {

void TransactionWrites::Put(std::string_view key, std::string_view value) {
  batch_.Put(key, value);
  // The value ends the batch, for now.
  points_.insert_or_assign(
      std::string(key),
      Point{.deleted = false, .offset = batch_.ByteSize() - value.size(), .size = value.size()});
}

void TransactionWrites::Delete(std::string_view key) {
  batch_.Delete(key);
  points_.insert_or_assign(std::string(key), Point{.deleted = true, .offset = 0, .size = 0});
}

void TransactionWrites::DeleteRange(std::string_view begin, std::string_view end) {
  if (begin >= end) return;
  batch_.DeleteRange(begin, end);
  points_.erase(points_.lower_bound(begin), points_.lower_bound(end));
  deleted_ranges_.AddRange(begin, std::string(end));
}

Lookup::Kind TransactionWrites::Find(std::string_view key, std::string_view* value) const {
  const auto point = points_.find(key);
  if (point == points_.end()) {
    return deleted_ranges_.Contains(key) ? Lookup::Kind::kDeleted : Lookup::Kind::kAbsent;
  }
  if (point->second.deleted) return Lookup::Kind::kDeleted;
  *value = ValueOf(point->second);
  return Lookup::Kind::kValue;
}

KeySet TransactionWrites::Keys() const {
  KeySet keys = deleted_ranges_;
  for (const auto& [key, point] : points_) keys.AddKey(key);
  return keys;
}

}  // namespace shearpin
