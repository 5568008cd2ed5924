#include "engine/sst/bloom_filter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/base/coding.h"
#include "engine/base/hash.h"

namespace shearpin {
namespace {

constexpr size_t kLineSize = 64;
constexpr size_t kTailSize = 8;
constexpr uint32_t kMaxLines = uint32_t{1} << 26;  // 4 GiB of filter
constexpr int kMaxProbes = 30;
constexpr uint32_t kGolden = 0x9e3779b9;

// Fewer than bits * ln 2, the optimum without lines: a line's load varies, and full lines would
// pay for each further probe.
int ProbesFor(int bits_per_key) { return std::clamp(bits_per_key * 6 / 10, 1, kMaxProbes); }

uint32_t LineOf(uint64_t hash, uint32_t lines) {
  return static_cast<uint32_t>((hash >> 32) * lines >> 32);
}

}  // namespace

void BloomFilterBuilder::Add(std::string_view user_key) {
  const uint64_t hash = KeyHash(user_key).value;
  if (hashes_.empty() || hashes_.back() != hash) hashes_.push_back(hash);
}

size_t BloomFilterBuilder::Lines() const {
  const uint64_t bits = hashes_.size() * static_cast<uint64_t>(bits_per_key_);
  return std::min<uint64_t>((bits + 8 * kLineSize - 1) / (8 * kLineSize), kMaxLines);
}

size_t BloomFilterBuilder::EstimatedSize() const { return Lines() * kLineSize + kTailSize; }

std::string BloomFilterBuilder::Finish() const {
  const auto lines = static_cast<uint32_t>(Lines());
  const int probes = ProbesFor(bits_per_key_);
  std::string block(lines * kLineSize, '\0');
  for (const uint64_t hash : hashes_) {
    char* line = block.data() + LineOf(hash, lines) * kLineSize;
    auto h = static_cast<uint32_t>(hash);
    for (int i = 0; i < probes; ++i, h *= kGolden) {
      const uint32_t bit = h >> 23;  // 9 bits: 0 to 511
      line[bit / 8] = static_cast<char>(line[bit / 8] | 1 << bit % 8);
    }
  }
  AppendFixed32(&block, lines);
  block.push_back(static_cast<char>(probes));
  block.append(3, '\0');
  return block;
}

StatusOr<BloomFilter> BloomFilter::Decode(std::string_view block) {
  if (block.size() < kTailSize) return Status::Corruption("too short for a filter");
  const char* tail = block.data() + block.size() - kTailSize;
  const uint32_t lines = LoadFixed32(tail);
  const int probes = static_cast<uint8_t>(tail[4]);
  if (lines == 0 || lines > kMaxLines || lines * kLineSize + kTailSize != block.size()) {
    return Status::Corruption("its size does not match its " + std::to_string(lines) + " lines");
  }
  if (probes < 1 || probes > kMaxProbes || tail[5] != 0 || tail[6] != 0 || tail[7] != 0) {
    return Status::Corruption("malformed tail of a filter");
  }
  BloomFilter filter;
  filter.lines_ = lines;
  filter.probes_ = probes;
  filter.bits_ = std::make_unique_for_overwrite<Line[]>(lines);
  std::memcpy(filter.bits_.get(), block.data(), lines * kLineSize);
  return filter;
}

bool BloomFilter::MayContain(KeyHash hash) const {
  if (lines_ == 0) return true;
  const Line& line = bits_[LineOf(hash.value, lines_)];
  auto h = static_cast<uint32_t>(hash.value);
  for (int i = 0; i < probes_; ++i, h *= kGolden) {
    const uint32_t bit = h >> 23;
    // Little endian: bit b of the line is bit b % 64 of word b / 64.
    if ((line.words[bit / 64] >> bit % 64 & 1) == 0) return false;
  }
  return true;
}

}  // namespace shearpin
