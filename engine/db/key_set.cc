#include "engine/db/key_set.h"

#include <iterator>
#include <utility>

namespace shearpin {

void KeySet::AddRange(std::string_view begin, const std::optional<std::string>& end) {
  if (end && begin >= *end) return;
  std::string first(begin);
  std::optional<std::string> last = end;
  auto at = ranges_.upper_bound(begin);
  if (at != ranges_.begin()) {
    const auto before = std::prev(at);
    if (!before->second) return;  // holds everything from there on
    if (*before->second >= begin) {
      if (last && *before->second >= *last) return;
      first = before->first;
      at = before;
    }
  }
  while (at != ranges_.end() && (!last || at->first <= *last)) {
    if (last && (!at->second || *at->second > *last)) last = at->second;
    at = ranges_.erase(at);
  }
  ranges_.emplace_hint(at, std::move(first), std::move(last));
}

KeySet::Ranges::const_iterator KeySet::FindRange(std::string_view key) const {
  auto at = ranges_.upper_bound(key);
  if (at == ranges_.begin()) return ranges_.end();
  --at;
  return !at->second || key < *at->second ? at : ranges_.end();
}

bool KeySet::Intersects(std::string_view begin, std::string_view end) const {
  if (begin >= end) return false;
  if (Contains(begin)) return true;
  const auto next = ranges_.lower_bound(begin);
  return next != ranges_.end() && next->first < end;
}

const std::optional<std::string>* KeySet::EndOfRange(std::string_view key) const {
  const auto at = FindRange(key);
  return at == ranges_.end() ? nullptr : &at->second;
}

const std::string* KeySet::BeginOfRange(std::string_view key) const {
  const auto at = FindRange(key);
  return at == ranges_.end() ? nullptr : &at->first;
}

}  // namespace shearpin
