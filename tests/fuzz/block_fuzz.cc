// The iterator of a table's blocks, in both orders: never reads outside the block, always ends.
#include "engine/base/check.h"
#include "engine/base/internal_key.h"
#include "engine/sst/block_builder.h"
#include "engine/sst/block_iterator.h"
#include "tests/fuzz/fuzz_input.h"

namespace shearpin::fuzz {
namespace {

// Reads every byte that is shown, so that a sanitizer judges it.
uint64_t Touch(std::string_view bytes) {
  uint64_t sum = bytes.size();
  for (const char c : bytes) sum = sum * 31 + static_cast<unsigned char>(c);
  return sum;
}

void WalkBlock(std::string_view block, BlockIterator::Order order) {
  BlockIterator it;
  it.Reset(block, order);
  volatile uint64_t sink = 0;
  std::string middle;
  size_t forward = 0;
  for (it.SeekToFirst(); it.Valid(); it.Next()) {
    sink = sink + Touch(it.key()) + Touch(it.value());
    if (forward == 3) middle = it.key();
    // Each entry takes three bytes at least.
    SHEARPIN_CHECK(++forward <= block.size());
  }
  const bool whole = it.damage() == nullptr;
  size_t backward = 0;
  for (it.SeekToLast(); it.Valid(); it.Prev()) {
    sink = sink + Touch(it.key()) + Touch(it.value());
    SHEARPIN_CHECK(++backward <= block.size());
  }
  // Two walks over an undamaged block meet the same entries.
  if (whole && it.damage() == nullptr) SHEARPIN_CHECK(forward == backward);
  if (middle.empty()) return;
  it.Seek(middle);
  for (int i = 0; i < 5 && it.Valid(); ++i) it.Prev();
  for (int i = 0; i < 5 && it.Valid(); ++i) it.Next();
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds = {std::string()};
  for (const int interval : {1, 4, 16}) {
    BlockBuilder builder(4096, interval);
    std::string block;
    builder.Finish(&block);
    seeds.push_back(block);
    for (uint64_t i = 0; i < 40; ++i) {
      std::string key;
      AppendInternalKey(&key, "key" + std::to_string(100 + i), 50 - i, ValueType::kValue);
      SHEARPIN_CHECK(builder.Add(key, std::string(i % 7, 'v')));
    }
    builder.Finish(&block);
    seeds.push_back(block);
  }
  return seeds;
}

}  // namespace shearpin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using shearpin::BlockIterator;
  const std::string_view block(reinterpret_cast<const char*>(data), size);
  shearpin::fuzz::WalkBlock(block, BlockIterator::Order::kInternal);
  shearpin::fuzz::WalkBlock(block, BlockIterator::Order::kBytewise);
  return 0;
}
