// Goal: allocations are aligned, never overlap, are all given back, and few calls of malloc make
// many of them. (Threads: memtable/skiplist_test.cc.) Method: RapidCheck over sizes, each piece
// filled with its own byte and read back at the end (AddressSanitizer watches the bounds).
#include "engine/base/arena.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace shearpin {
namespace {

struct Piece {
  char* memory;
  size_t size;
  char fill;

  bool Intact() const {
    for (size_t i = 0; i < size; ++i) {
      if (memory[i] != fill) return false;
    }
    return true;
  }
};

Piece AllocateFilled(Arena* arena, size_t size, char fill) {
  Piece piece{arena->Allocate(size), size, fill};
  std::memset(piece.memory, fill, size);
  return piece;
}

RC_GTEST_PROP(ArenaTest, PiecesAreAlignedAndApart, ()) {
  const auto sizes = *rc::gen::container<std::vector<size_t>>(
      rc::gen::oneOf(rc::gen::inRange<size_t>(0, 200), rc::gen::inRange<size_t>(0, 5000),
                     rc::gen::element<size_t>(2016, 2048, 262144, 262145, 1 << 20)));
  Arena arena;
  std::vector<Piece> pieces;
  size_t bytes = 0;
  for (size_t size : sizes) {
    pieces.push_back(AllocateFilled(&arena, size, static_cast<char>(pieces.size())));
    RC_ASSERT(reinterpret_cast<uintptr_t>(pieces.back().memory) % 8 == 0);
    bytes += size;
  }
  for (const Piece& piece : pieces) RC_ASSERT(piece.Intact());
  RC_ASSERT(arena.AllocatedBytes() >= bytes);
  RC_ASSERT(arena.MemoryUsage() >= arena.AllocatedBytes());
}

TEST(ArenaTest, BeginsSmallAndCountsWhatIsHandedOut) {
  Arena arena;
  EXPECT_LE(arena.MemoryUsage(), 4096u);
  EXPECT_EQ(arena.AllocatedBytes(), 0u);
  arena.Allocate(1);
  EXPECT_EQ(arena.AllocatedBytes(), 8u);
  arena.Allocate(16);
  EXPECT_EQ(arena.AllocatedBytes(), 24u);
}

TEST(ArenaTest, WastesLittleOfAManyMegabyteTable) {
  Arena arena;
  constexpr size_t kBytes = size_t{16} << 20;
  for (size_t i = 0; i < kBytes / 128; ++i) arena.Allocate(128);
  EXPECT_LT(arena.MemoryUsage(), kBytes + kBytes / 8);
}

}  // namespace
}  // namespace shearpin
