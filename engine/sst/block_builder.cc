#include "engine/sst/block_builder.h"

#include <algorithm>
#include <limits>

#include "engine/base/check.h"
#include "engine/base/coding.h"

namespace shearpin {
namespace {

size_t SharedPrefix(std::string_view a, std::string_view b) {
  const size_t limit = std::min(a.size(), b.size());
  size_t n = 0;
  while (n < limit && a[n] == b[n]) ++n;
  return n;
}

}  // namespace

BlockBuilder::BlockBuilder(size_t target_size, int restart_interval)
    : target_size_(target_size), restart_interval_(restart_interval) {
  SHEARPIN_CHECK(target_size <= kMaxBlockTarget);
  SHEARPIN_CHECK(restart_interval >= 1);
}

bool BlockBuilder::Add(std::string_view key, std::string_view value) {
  SHEARPIN_CHECK(key.size() <= std::numeric_limits<uint32_t>::max());
  SHEARPIN_CHECK(value.size() <= std::numeric_limits<uint32_t>::max());
  const bool restart = buffer_.empty() || since_restart_ == restart_interval_;
  const size_t shared = restart ? 0 : SharedPrefix(last_key_, key);
  const size_t unshared = key.size() - shared;
  const size_t entry = VarintLength(shared) + VarintLength(unshared) + VarintLength(value.size()) +
                       unshared + value.size();
  if (!buffer_.empty() && SizeIfFinished() + entry + (restart ? 4 : 0) > target_size_) return false;
  if (restart) {
    restarts_.push_back(static_cast<uint32_t>(buffer_.size()));
    since_restart_ = 0;
  }
  ++since_restart_;
  AppendVarint32(&buffer_, static_cast<uint32_t>(shared));
  AppendVarint32(&buffer_, static_cast<uint32_t>(unshared));
  AppendVarint32(&buffer_, static_cast<uint32_t>(value.size()));
  buffer_.append(key.substr(shared));
  buffer_.append(value);
  last_key_.resize(shared);
  last_key_.append(key.substr(shared));
  return true;
}

void BlockBuilder::Finish(std::string* block) {
  // A block without entries has its one restart point at its end.
  if (restarts_.empty()) restarts_.push_back(0);
  for (uint32_t offset : restarts_) AppendFixed32(&buffer_, offset);
  AppendFixed32(&buffer_, static_cast<uint32_t>(restarts_.size()));
  block->swap(buffer_);
  buffer_.clear();
  restarts_.clear();
  since_restart_ = 0;
  last_key_.clear();
}

size_t BlockBuilder::SizeIfFinished() const {
  return buffer_.size() + 4 * std::max<size_t>(restarts_.size(), 1) + 4;
}

}  // namespace shearpin
