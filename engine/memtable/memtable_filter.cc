#include "engine/memtable/memtable_filter.h"

#include <algorithm>
#include <cstdlib>

#include "engine/base/check.h"
#include "engine/base/hash.h"

namespace shearpin {
namespace {

constexpr size_t kBytesForAWord = 512;
constexpr size_t kMostWords = size_t{1} << 22;  // 32 MiB

size_t IndexOf(uint64_t hash, size_t count) { return (hash >> 32) * count >> 32; }

// Four bits, by six bits of the hash each; no others choose the word.
uint64_t MaskOf(uint64_t hash) {
  uint64_t mask = 0;
  for (int i = 0; i < 4; ++i, hash >>= 6) mask |= uint64_t{1} << (hash & 63);
  return mask;
}

}  // namespace

MemTableFilter::MemTableFilter(size_t memtable_bytes)
    : count_(std::clamp<size_t>(memtable_bytes / kBytesForAWord, 1, kMostWords)) {}

MemTableFilter::~MemTableFilter() { std::free(words_.load()); }

MemTableFilter::Word* MemTableFilter::Make() {
  // Zero bytes are atomic words of value zero.
  static_assert(sizeof(Word) == sizeof(uint64_t) && Word::is_always_lock_free);
  auto* made = static_cast<Word*>(std::calloc(count_, sizeof(Word)));
  SHEARPIN_CHECK(made != nullptr, "out of memory");
  Word* before = nullptr;
  if (words_.compare_exchange_strong(before, made, std::memory_order_acq_rel)) return made;
  std::free(made);
  return before;
}

void MemTableFilter::Add(std::string_view user_key) {
  Word* words = words_.load(std::memory_order_acquire);
  if (words == nullptr) words = Make();
  const uint64_t hash = KeyHash(user_key).value;
  words[IndexOf(hash, count_)].fetch_or(MaskOf(hash), std::memory_order_relaxed);
}

bool MemTableFilter::MayContain(KeyHash hash) const {
  const Word* words = words_.load(std::memory_order_acquire);
  if (words == nullptr) return false;
  const uint64_t mask = MaskOf(hash.value);
  return (words[IndexOf(hash.value, count_)].load(std::memory_order_relaxed) & mask) == mask;
}

}  // namespace shearpin
