// BlockBuilder: sorted entries as the bytes of one block, keys prefix-compressed.
//
// Entry: varint32 shared, varint32 unshared, varint32 value size, key[shared:], value. Every
// restart interval the whole key is stored and its offset noted. After the entries: u32 offset of
// each restart point, u32 their count (the upper 4 bits are reserved and zero).
// Source: LevelDB's table format. Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shearpin {

// A block never has an entry that begins at or after this offset.
constexpr size_t kMaxBlockTarget = size_t{1} << 31;

class BlockBuilder {
 public:
  // `target_size`: bytes of the block, restarts included, that Add does not exceed; at most
  // kMaxBlockTarget. `restart_interval`: keys per restart point, at least 1.
  BlockBuilder(size_t target_size, int restart_interval);

  // False, and nothing is changed, if the entry does not fit; an empty block takes any entry.
  // Keys ascend (the builder's user checks that). Sizes fit 32 bits.
  [[nodiscard]] bool Add(std::string_view key, std::string_view value);

  // Ends the block and moves its bytes to `*block`; the builder is empty again.
  void Finish(std::string* block);

  // What Finish would give now.
  size_t SizeIfFinished() const;
  bool empty() const { return buffer_.empty(); }
  // The last key added; empty in an empty block.
  std::string_view last_key() const { return last_key_; }

 private:
  const size_t target_size_;
  const int restart_interval_;
  std::string buffer_;
  std::vector<uint32_t> restarts_;
  int since_restart_ = 0;
  std::string last_key_;
};

}  // namespace shearpin
