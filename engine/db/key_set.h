// KeySet: a set of keys made of ranges: what a transaction has read, or written.
//
// Ranges are half-open, [begin, end); the single key k is [k, k + '\0'), since nothing sorts
// between these two. So every kind of bound has one form, and ranges that touch become one.
//
// Thread safety: one thread at a time, or const from many. Ownership: copies the keys.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace shearpin {

// The key that follows `key` directly.
inline std::string KeyAfter(std::string_view key) { return std::string(key) + '\0'; }

class KeySet {
 public:
  using Ranges = std::map<std::string, std::optional<std::string>, std::less<>>;

  // No end: everything from `begin` on. An empty range adds nothing.
  void AddRange(std::string_view begin, const std::optional<std::string>& end);
  void AddKey(std::string_view key) { AddRange(key, KeyAfter(key)); }

  bool Contains(std::string_view key) const { return FindRange(key) != ranges_.end(); }
  bool Intersects(std::string_view begin, std::string_view end) const;
  // The end of the range that holds the key: null if none does, no value if it has no end.
  const std::optional<std::string>* EndOfRange(std::string_view key) const;
  const std::string* BeginOfRange(std::string_view key) const;

  // By begin; not overlapping, not touching.
  const Ranges& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }

 private:
  Ranges::const_iterator FindRange(std::string_view key) const;

  Ranges ranges_;
};

}  // namespace shearpin
