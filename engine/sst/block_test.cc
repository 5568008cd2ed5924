// Goal: a block gives back what was put in, both ways and from every seek; the builder refuses what
// does not fit; malformed blocks are damage, never a read outside. Method: RapidCheck walks
// against a std::map; golden bytes; mutated and arbitrary blocks in exact-sized memory under every
// move (AddressSanitizer sees any step outside).
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/sst/block_builder.h"
#include "engine/sst/block_iterator.h"
#include "engine/sst/restart_index.h"
#include "engine/sst/table_fixture.h"

namespace shearpin {
namespace {

std::string BuildBlock(const Entries& entries, int restart_interval) {
  BlockBuilder builder(kMaxBlockTarget, restart_interval);
  for (const auto& [key, value] : entries) SHEARPIN_CHECK(builder.Add(key, value));
  std::string block;
  builder.Finish(&block);
  return block;
}

// Moves that must end, whatever the bytes are.
void MoveEverywhere(std::string_view bytes, BlockIterator::Order order) {
  const auto memory = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), memory.get());
  BlockIterator it;
  it.Reset({memory.get(), bytes.size()}, order);
  size_t steps = 0;
  for (it.SeekToFirst(); it.Valid(); it.Next()) RC_ASSERT(++steps <= bytes.size());
  steps = 0;
  for (it.SeekToLast(); it.Valid(); it.Prev()) RC_ASSERT(++steps <= bytes.size());
  for (const std::string& target :
       {InternalKey("", 9), InternalKey("ab", 3), InternalKey("c", 1)}) {
    it.Seek(target);
    if (it.Valid()) it.Prev();
    if (it.Valid()) it.Next();
    if (it.Valid()) it.Next();
    if (it.Valid()) it.Prev();
  }
}

RC_GTEST_PROP(BlockTest, WalksAsAMapDoes, ()) {
  const Entries entries = AnyEntries(80);
  const std::string block = BuildBlock(entries, *rc::gen::inRange(1, 20));
  BlockIterator it;
  it.Reset(block, BlockIterator::Order::kInternal);
  RC_ASSERT(it.damage() == nullptr);
  RC_ASSERT(it.empty() == entries.empty());
  Walk walk(&it, &entries);
  for (int step = 0; step < 60; ++step) {
    walk.Step();
    RC_ASSERT(it.damage() == nullptr);
    walk.AssertAgreement();
  }
}

RC_GTEST_PROP(RestartIndexTest, SeeksEndWhereTheyWouldWithoutIt, ()) {
  // Keys that share a beginning, and some that are alike in more than an index looks at.
  const auto prefix = *rc::gen::element<std::string>("", "0000", "a-long-beginning-");
  const auto alphabet = rc::gen::element('a', 'b', '\0', '\xff');
  std::map<std::string, bool> users;
  for (int i = 0; i < 60; ++i) {
    std::string key = prefix;
    if (*rc::gen::inRange(0, 3) == 0) key += "12345678";
    users[key + *rc::gen::container<std::string>(alphabet)] = true;
  }
  Entries entries;
  for (const auto& [user, unused] : users) {
    entries[InternalKey(user, 9)] = "new";
    if (*rc::gen::inRange(0, 3) == 0) entries[InternalKey(user, 4)] = "old";
  }
  const std::string block = BuildBlock(entries, 1);
  const RestartIndex index = RestartIndex::Of(block);
  RC_ASSERT(index.exists() == !entries.empty());
  BlockIterator plain, indexed;
  plain.Reset(block, BlockIterator::Order::kInternal);
  indexed.Reset(block, BlockIterator::Order::kInternal, &index);
  const auto seek = [&](const std::string& target) {
    plain.Seek(target);
    indexed.Seek(target);
    RC_ASSERT(indexed.Valid() == plain.Valid());
    if (plain.Valid()) RC_ASSERT(indexed.key() == plain.key());
  };
  for (const auto& [key, value] : entries) {
    const std::string user(UserKey(key));
    for (const uint64_t sequence : {0, 4, 6, 20}) seek(InternalKey(user, sequence));
    seek(InternalKey(user + '\0', 5));
    seek(InternalKey(user.substr(0, user.size() / 2), 5));
  }
  for (const std::string& user : *rc::gen::arbitrary<std::vector<std::string>>()) {
    seek(InternalKey(user, 5));
  }
}

TEST(RestartIndexTest, KnowsNothingOfBlocksThatItDoesNotFit) {
  Entries entries;
  for (int i = 0; i < 40; ++i) entries[InternalKey("key" + std::to_string(100 + i), 1)] = "v";
  EXPECT_TRUE(RestartIndex::Of(BuildBlock(entries, 1)).exists());
  EXPECT_FALSE(RestartIndex::Of(BuildBlock(entries, 2)).exists()) << "not all are restart points";
  EXPECT_FALSE(RestartIndex::Of("").exists());
  EXPECT_FALSE(RestartIndex::Of(std::string(100, '\xff')).exists());
  std::string cut = BuildBlock(entries, 1);
  cut[2] = '\x7f';  // the first value leaves the block, or ends elsewhere
  EXPECT_FALSE(RestartIndex::Of(cut).exists());
}

RC_GTEST_PROP(BlockTest, BuilderRefusesWhatDoesNotFitAndChangesNothing, ()) {
  const Entries entries = AnyEntries(60);
  const size_t target = *rc::gen::inRange<size_t>(16, 400);
  BlockBuilder builder(target, *rc::gen::inRange(1, 5));
  Entries accepted;
  for (const auto& [key, value] : entries) {
    const size_t before = builder.SizeIfFinished();
    const bool was_empty = builder.empty();
    if (builder.Add(key, value)) {
      RC_ASSERT(was_empty || builder.SizeIfFinished() <= target);
      accepted.emplace(key, value);
    } else {
      RC_ASSERT(!was_empty);
      RC_ASSERT(builder.SizeIfFinished() == before);
      break;
    }
  }
  const size_t size = builder.SizeIfFinished();
  std::string block;
  builder.Finish(&block);
  RC_ASSERT(block.size() == size);
  RC_ASSERT(builder.empty());
  BlockIterator it;
  it.Reset(block, BlockIterator::Order::kInternal);
  Entries back;
  for (it.SeekToFirst(); it.Valid(); it.Next()) back.emplace(it.key(), it.value());
  RC_ASSERT(back == accepted);
}

RC_GTEST_PROP(BlockTest, OneIteratorServesManyBlocks, ()) {
  BlockIterator it;
  for (int i = 0; i < 5; ++i) {
    const Entries entries = AnyEntries(20);
    const std::string block = BuildBlock(entries, 4);
    it.Reset(block, BlockIterator::Order::kInternal);
    RC_ASSERT(!it.Valid());
    Walk walk(&it, &entries);
    for (int step = 0; step < 10; ++step) {
      walk.Step();
      walk.AssertAgreement();
    }
  }
}

RC_GTEST_PROP(BlockTest, MutatedBlocksAreReadWithinTheirBounds, ()) {
  std::string block = BuildBlock(AnyEntries(30), *rc::gen::inRange(1, 8));
  const int changes = *rc::gen::inRange(1, 4);
  for (int i = 0; i < changes && !block.empty(); ++i) {
    const auto at = *rc::gen::inRange<size_t>(0, block.size());
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        block[at] = *rc::gen::element<char>('\0', '\x01', '\x7f', '\x80', '\xff');
        break;
      case 1:
        block.resize(at);
        break;
      default:
        block[at] = static_cast<char>(block[at] ^ 1 << *rc::gen::inRange(0, 8));
    }
  }
  MoveEverywhere(block, BlockIterator::Order::kInternal);
  MoveEverywhere(block, BlockIterator::Order::kBytewise);
}

RC_GTEST_PROP(BlockTest, ArbitraryBytesAreReadWithinTheirBounds,
              (std::string bytes, uint8_t count)) {
  // A plausible frame, so that the entries are looked at.
  if (*rc::gen::arbitrary<bool>()) {
    bytes.append(4, '\0');
    AppendFixed32(&bytes, 1 + count % 3);
  }
  MoveEverywhere(bytes, BlockIterator::Order::kInternal);
  MoveEverywhere(bytes, BlockIterator::Order::kBytewise);
}

// A block of the given entry bytes with one restart point.
std::string FrameOf(std::string entries) {
  AppendFixed32(&entries, 0);
  AppendFixed32(&entries, 1);
  return entries;
}

TEST(BlockTest, SaysWhatIsWrong) {
  const auto damage_of = [](const std::string& block, BlockIterator::Order order) {
    BlockIterator it;
    it.Reset(block, order);
    for (it.SeekToFirst(); it.Valid();) it.Next();
    return std::string(it.damage() ? it.damage() : "");
  };
  using enum BlockIterator::Order;
  EXPECT_EQ(damage_of("", kBytewise), "too short for a block");
  EXPECT_EQ(damage_of(std::string(8, '\0'), kBytewise), "bad count of restart points");
  EXPECT_EQ(damage_of(std::string("\0\0\0\0\1\0\0\x10", 8), kBytewise),
            "bad count of restart points");
  EXPECT_EQ(damage_of(std::string("\1\0\0\0\1\0\0\0", 8), kBytewise),
            "first restart point is not the first entry");
  EXPECT_EQ(damage_of(FrameOf("\xff"), kBytewise), "malformed entry");
  EXPECT_EQ(damage_of(FrameOf(std::string("\0\2\0a", 4)), kBytewise), "entry leaves the block");
  EXPECT_EQ(damage_of(FrameOf(std::string("\1\1\0a", 4)), kBytewise), "entry leaves the block");
  EXPECT_EQ(damage_of(FrameOf(std::string("\0\1\0a", 4)), kBytewise), "");
  EXPECT_EQ(damage_of(FrameOf(std::string("\0\1\0a", 4)), kInternal), "key is not an internal key");
}

TEST(BlockTest, ARestartPointInsideAnEntryIsDamageBackwards) {
  BlockBuilder builder(kMaxBlockTarget, 2);
  for (const char* key : {"a", "b", "c", "d"}) ASSERT_TRUE(builder.Add(key, std::string(9, '\0')));
  std::string block;
  builder.Finish(&block);
  // Restart 1 stands at 26, on "c". One byte on, the bytes still parse as entries.
  const size_t restart_at = block.size() - 8;
  ASSERT_EQ(LoadFixed32(block.data() + restart_at), 26u);
  StoreFixed32(block.data() + restart_at, 30);
  BlockIterator it;
  it.Reset(block, BlockIterator::Order::kBytewise);
  size_t steps = 0;
  for (it.SeekToLast(); it.Valid(); it.Prev()) ASSERT_LE(++steps, block.size());
  EXPECT_NE(it.damage(), nullptr);
}

TEST(BlockTest, ARestartPointThatIsNoneIsDamageForSeeks) {
  BlockBuilder builder(kMaxBlockTarget, 2);
  for (const char* key : {"aa", "ab", "ac", "ad"}) ASSERT_TRUE(builder.Add(key, "v"));
  std::string block;
  builder.Finish(&block);
  const size_t restart_at = block.size() - 8;
  // Entries: aa at 0, ab (sharing a byte) at 6, ac at 11, ad at 17.
  ASSERT_EQ(LoadFixed32(block.data() + restart_at), 11u);
  BlockIterator it;
  for (const auto& [offset, damage] : {std::pair(6u, "entry leaves the block"),
                                       std::pair(22u, "restart point outside the entries"),
                                       std::pair(~0u, "restart point outside the entries")}) {
    StoreFixed32(block.data() + restart_at, offset);
    it.Reset(block, BlockIterator::Order::kBytewise);
    it.Seek("aa");
    EXPECT_FALSE(it.Valid());
    ASSERT_NE(it.damage(), nullptr);
    EXPECT_STREQ(it.damage(), damage);
    it.SeekToFirst();
    EXPECT_TRUE(it.Valid());
    EXPECT_EQ(it.damage(), nullptr);
    it.Next();
    it.Seek("ad");
    EXPECT_STREQ(it.damage(), damage);
  }
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (unsigned char c : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", c);
    hex += digits;
  }
  return hex;
}

TEST(BlockTest, GoldenBytes) {
  const Entries entries = {{InternalKey("apple", 3), "red"},
                           {InternalKey("apricot", 2, ValueType::kDelete), ""},
                           {InternalKey("fig", 1), "green"}};
  EXPECT_EQ(Hex(BuildBlock(entries, 2)),
            "000d03"
            "6170706c65"
            "0103000000000000"
            "726564"
            "020d00"
            "7269636f74"
            "0002000000000000"
            "000b05"
            "666967"
            "0101000000000000"
            "677265656e"
            "00000000"
            "23000000"
            "02000000");
}

}  // namespace
}  // namespace shearpin
