#include "engine/sst/restart_index.h"

#include <algorithm>

#include "engine/base/internal_key.h"
#include "engine/sst/block_iterator.h"

namespace shearpin {

RestartIndex RestartIndex::Of(std::string_view block) {
  BlockIterator it;
  it.Reset(block, BlockIterator::Order::kInternal);
  it.SeekToLast();
  if (!it.Valid()) return {};
  std::string last(UserKey(it.key()));
  it.SeekToFirst();
  if (!it.Valid()) return {};
  const std::string_view first = UserKey(it.key());
  const auto differ = std::mismatch(first.begin(), first.end(), last.begin(), last.end());
  RestartIndex index;
  index.shared_.assign(first.begin(), differ.first);
  index.prefixes_.reserve(it.num_restarts());
  index.handles_.reserve(it.num_restarts());
  for (; it.Valid(); it.Next()) {
    const std::string_view key = UserKey(it.key());
    if (!key.starts_with(index.shared_)) return {};
    const uint64_t prefix = KeyPrefix(key.substr(index.shared_.size()));
    if (index.exists() && prefix < index.prefixes_.back()) return {};
    index.prefixes_.push_back(prefix);
    std::string_view value = it.value();
    BlockHandle handle;
    if (ConsumeBlockHandle(&value, &handle) && value.empty()) index.handles_.push_back(handle);
  }
  if (it.damage() != nullptr || index.prefixes_.size() != it.num_restarts()) return {};
  if (index.handles_.size() != index.prefixes_.size()) index.handles_.clear();
  return index;
}

RestartIndex::Range RestartIndex::Find(std::string_view user_key) const {
  const auto count = static_cast<uint32_t>(prefixes_.size());
  const int order = user_key.substr(0, shared_.size()).compare(shared_);
  if (order < 0) return {0, 0};
  if (order > 0) return {count, count};
  const uint64_t wanted = KeyPrefix(user_key.substr(shared_.size()));
  // Without a branch that would be guessed wrong half the time.
  const uint64_t* first = prefixes_.data();
  for (size_t left = count; left > 0;) {
    const size_t half = left - left / 2;
    first += first[half - 1] < wanted ? half : 0;
    left -= half;
  }
  const auto begin = static_cast<uint32_t>(first - prefixes_.data());
  uint32_t end = begin;
  if (begin < count && prefixes_[begin] == wanted) {
    end = static_cast<uint32_t>(
        std::upper_bound(prefixes_.begin() + begin, prefixes_.end(), wanted) - prefixes_.begin());
  }
  return {begin, end};
}

}  // namespace shearpin
