// BlockIterator: reads the bytes that BlockBuilder made, in both directions.
//
// Not virtual and reusable: one object serves block after block without allocating. Prev decodes
// the interval before it once and keeps its entries, so a reverse scan is linear.
// Thread safety: one thread at a time. Ownership: the block's bytes outlive their use.
// Errors: nothing in the block is trusted. Where it is malformed the iterator becomes invalid and
// damage() says why; a Seek elsewhere may succeed. The order of keys is not checked: disorder
// gives entries in that order, never a read outside the block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shearpin {

class RestartIndex;

class BlockIterator {
 public:
  enum class Order : uint8_t {
    kInternal,  // internal keys; each is checked to be one
    kBytewise,
  };

  BlockIterator() = default;
  BlockIterator(const BlockIterator&) = delete;
  BlockIterator& operator=(const BlockIterator&) = delete;

  // Takes a block (without trailer), on no entry yet. damage() if its frame is malformed: then
  // every Seek leaves it invalid. `index` is that of this block or null, and outlives its use.
  void Reset(std::string_view block, Order order, const RestartIndex* index = nullptr);

  bool Valid() const { return valid_; }
  // Require Valid(). Stay until the iterator moves; the value until the block goes.
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

  void SeekToFirst();
  void SeekToLast();
  // To the first key >= target.
  void Seek(std::string_view target);
  // Require Valid().
  void Next();
  void Prev();

  bool empty() const { return entries_end_ == 0; }
  uint32_t num_restarts() const { return num_restarts_; }
  // Null, or what is wrong and where in the block: a literal.
  const char* damage() const { return damage_; }
  size_t damage_offset() const { return damage_offset_; }

 private:
  struct PassedEntry {
    size_t offset;
    size_t next_offset;
    size_t key_begin;
    size_t key_size;
    std::string_view value;
  };

  bool Begin();
  void Fail(const char* reason, size_t offset);
  size_t RestartOffset(uint32_t index) const;
  // Stands on the entry at `offset`, whose predecessor's key is key_. False on damage.
  bool DecodeEntry(size_t offset);
  // Sets key_ to `shared` bytes of itself and `rest`.
  void ExtendKey(size_t shared, std::string_view rest);
  bool DecodeRestart(uint32_t index);
  // The key of a restart point, where it stands, without moving. Null data on damage.
  std::string_view RestartKey(uint32_t index);
  void FetchInterval(uint32_t index) const;
  void SeekIndexed(std::string_view target);
  // To the first key >= target from a restart point, or from the current entry, on.
  void SeekFrom(uint32_t restart, std::string_view target);
  void SeekOn(std::string_view target);
  bool SkimInterval(uint32_t restart, std::string_view target);
  // Stands on the last entry before `end`, an entry's offset or the end of entries.
  void StepBackFrom(size_t end);
  bool SortsBefore(std::string_view a, std::string_view b) const;

  const char* block_ = nullptr;
  size_t entries_end_ = 0;
  uint32_t num_restarts_ = 0;  // 0: the frame is malformed
  const RestartIndex* index_ = nullptr;
  Order order_ = Order::kInternal;

  bool valid_ = false;
  size_t offset_ = 0;
  size_t next_offset_ = 0;
  std::string_view key_;  // in the block, *key_buffer_ or passed_keys_
  std::string_view value_;

  // For keys that are not whole in the block: the short ones cost no allocation.
  char short_key_[64];
  std::unique_ptr<char[]> long_key_;
  char* key_buffer_ = short_key_;
  size_t key_capacity_ = sizeof(short_key_);

  // The entries of the current interval up to the current one, while moving backwards.
  std::vector<PassedEntry> passed_;
  std::string passed_keys_;

  const char* damage_ = nullptr;
  size_t damage_offset_ = 0;
};

}  // namespace shearpin
