// Goal: a table gives back what was put in, by Get, by walks and by VerifyAll, with one read a
// block; the builder reports what it wrote and passes the file's errors on. Method: RapidCheck
// against a std::map over block sizes, restart intervals and file ids; golden bytes.
// Damage is table_damage_test.cc.
#include "engine/sst/table.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "engine/base/hash.h"
#include "engine/sst/table_builder.h"
#include "engine/sst/table_fixture.h"

namespace shearpin {
namespace {

std::unique_ptr<Table> MustOpen(const BuiltTable& built) {
  auto table = OpenBytes(&built.bytes, built.info);
  SHEARPIN_CHECK(table.ok());
  return *std::move(table);
}

RC_GTEST_PROP(TableTest, WalksAsAMapDoes, ()) {
  const Entries entries = AnyEntries(120);
  const BuiltTable built = BuildTable(AnyTableOptions(), entries);
  const auto table = MustOpen(built);
  const auto it = table->NewIterator();
  Walk walk(it.get(), &entries);
  for (int step = 0; step < 60; ++step) {
    walk.Step();
    RC_ASSERT(it->status().ok());
    walk.AssertAgreement();
  }
}

RC_GTEST_PROP(TableTest, ScansAreCompleteBothWays, ()) {
  const Entries entries = AnyEntries(120);
  const BuiltTable built = BuildTable(AnyTableOptions(), entries);
  const auto table = MustOpen(built);
  const auto it = table->NewIterator();
  Entries seen;
  for (it->SeekToFirst(); it->Valid(); it->Next()) seen.emplace(it->key(), it->value());
  RC_ASSERT(it->status().ok());
  RC_ASSERT(seen == entries);
  seen.clear();
  for (it->SeekToLast(); it->Valid(); it->Prev()) seen.emplace(it->key(), it->value());
  RC_ASSERT(it->status().ok());
  RC_ASSERT(seen == entries);
}

RC_GTEST_PROP(TableTest, GetFindsTheNewestVersionNotAboveTheSequence, ()) {
  const Entries entries = AnyEntries(120);
  const BuiltTable built = BuildTable(AnyTableOptions(), entries);
  const auto table = MustOpen(built);
  LoadedBlock block;
  for (int i = 0; i < 30; ++i) {
    const std::string user_key = AnyUserKey();
    const std::string seek = InternalKey(user_key, *rc::gen::inRange<uint64_t>(0, 25), kSeekType);
    Lookup found;
    RC_ASSERT(table->Get(seek, &block, &found).ok());
    const auto expected = entries.lower_bound(seek);
    if (expected == entries.end() || UserKey(expected->first) != user_key) {
      RC_ASSERT(found.kind == Lookup::Kind::kAbsent);
    } else {
      RC_ASSERT(found.sequence == SequenceOf(expected->first));
      RC_ASSERT((found.kind == Lookup::Kind::kDeleted) ==
                (TypeOf(expected->first) == ValueType::kDelete));
      RC_ASSERT(found.value == expected->second);
    }
  }
}

RC_GTEST_PROP(TableTest, InfoAndPropertiesSayWhatWasWritten, ()) {
  const Entries entries = AnyEntries(60);
  const TableBuilderOptions options = AnyTableOptions();
  const BuiltTable built = BuildTable(options, entries);
  RC_ASSERT(built.info.file_size == built.bytes.size());
  RC_ASSERT(built.info.file_checksum == Checksum(built.bytes, 0));
  TableProperties expected;
  expected.file_id = options.file_id;
  expected.compression = CompressionName(options.compression);
  for (const auto& [key, value] : entries) {
    ++expected.entries;
    expected.deletions += TypeOf(key) == ValueType::kDelete;
    expected.key_bytes += key.size();
    expected.value_bytes += value.size();
    expected.smallest_sequence = std::min(expected.smallest_sequence, SequenceOf(key));
    expected.largest_sequence = std::max(expected.largest_sequence, SequenceOf(key));
  }
  if (!entries.empty()) {
    expected.smallest_key = entries.begin()->first;
    expected.largest_key = entries.rbegin()->first;
  }
  expected.data_blocks = built.info.properties.data_blocks;
  expected.data_bytes = built.info.properties.data_bytes;
  expected.writer_version = built.info.properties.writer_version;
  RC_ASSERT(built.info.properties == expected);
  const auto table = MustOpen(built);
  RC_ASSERT(table->properties() == expected);
  RC_ASSERT(table->VerifyAll(built.info.file_checksum).ok());
  RC_ASSERT(table->VerifyAll(built.info.file_checksum ^ 1).IsCorruption());
}

// 1000 entries of ascending keys; many blocks.
Entries ManyEntries() {
  Entries entries;
  for (int i = 0; i < 1000; ++i) {
    char key[16];
    std::snprintf(key, sizeof key, "key%06d", i);
    entries.emplace(InternalKey(key, i + 1), std::string(20, static_cast<char>('a' + i % 26)));
  }
  return entries;
}

TEST(TableTest, EachBlockIsReadOnceByAScanAndAlone) {
  const BuiltTable built = BuildTable({.file_id = 1, .block_size = 512}, ManyEntries());
  ASSERT_GT(built.info.properties.data_blocks, 20u);
  auto file = std::make_unique<MemoryReadableFile>(&built.bytes);
  const MemoryReadableFile* reads = file.get();
  auto table = Table::Open(std::move(file), "t.sst", {1, built.info.file_size});
  ASSERT_TRUE(table.ok());
  // Footer, index, metaindex, properties.
  EXPECT_EQ(reads->reads(), 4);
  const auto it = (*table)->NewIterator();
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
  }
  EXPECT_EQ(reads->reads(), 4 + static_cast<int>(built.info.properties.data_blocks));
  const int before = reads->reads();
  LoadedBlock block;
  Lookup found;
  ASSERT_TRUE((*table)->Get(InternalKey("key000500", kMaxSequence), &block, &found).ok());
  EXPECT_EQ(found.kind, Lookup::Kind::kValue);
  EXPECT_EQ(reads->reads(), before + 1);
}

TEST(TableTest, EntriesLargerThanABlockAreKept) {
  Entries entries;
  for (char c = 'a'; c < 'f'; ++c) {
    entries.emplace(InternalKey(std::string(3000, c), 1), std::string(100000, c));
  }
  const BuiltTable built = BuildTable({.file_id = 3, .block_size = 64}, entries);
  const auto table = MustOpen(built);
  Entries seen;
  const auto it = table->NewIterator();
  for (it->SeekToLast(); it->Valid(); it->Prev()) seen.emplace(it->key(), it->value());
  EXPECT_EQ(seen, entries);
  EXPECT_TRUE(table->VerifyAll(built.info.file_checksum).ok());
}

TEST(TableTest, FileErrorsStick) {
  const Entries entries = ManyEntries();
  const BuiltTable whole = BuildTable({.file_id = 1, .block_size = 512}, entries);
  for (uint64_t budget = 0; budget < whole.bytes.size(); budget += 700) {
    MemoryWritableFile file(budget);
    TableBuilder builder({.file_id = 1, .block_size = 512}, &file);
    bool failed = false;
    for (const auto& [key, value] : entries) {
      const Status status = builder.Add(key, value);
      EXPECT_TRUE(!failed || status.code() == StatusCode::kNoSpace);
      failed = !status.ok();
    }
    EXPECT_EQ(builder.Finish().status().code(), StatusCode::kNoSpace) << budget;
  }
}

TEST(TableTest, EstimateIsNearTheSize) {
  MemoryWritableFile file;
  TableBuilder builder({.file_id = 1}, &file);
  for (const auto& [key, value] : ManyEntries()) ASSERT_TRUE(builder.Add(key, value).ok());
  const uint64_t estimate = builder.EstimatedSize();
  const auto info = builder.Finish();
  ASSERT_TRUE(info.ok());
  EXPECT_LT(estimate, info->file_size);
  EXPECT_GT(estimate + 1000, info->file_size);
}

TEST(TableDeathTest, KeysMustAscend) {
  MemoryWritableFile file;
  TableBuilder builder({}, &file);
  ASSERT_TRUE(builder.Add(InternalKey("b", 1), "").ok());
  EXPECT_DEATH((void)builder.Add(InternalKey("b", 1), "").ok(), "must ascend");
  EXPECT_DEATH((void)builder.Add(InternalKey("b", 2), "").ok(), "must ascend");
  EXPECT_DEATH((void)builder.Add(InternalKey("a", 3), "").ok(), "must ascend");
  EXPECT_DEATH((void)builder.Add("short", "").ok(), "IsInternalKey");
}

std::string HexLines(std::string_view bytes) {
  std::string hex;
  for (size_t i = 0; i < bytes.size(); ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(bytes[i]));
    hex += digits;
    if (i % 32 == 31 || i + 1 == bytes.size()) hex += '\n';
  }
  return hex;
}

// A change here is a change of the format: files in the field become unreadable.
TEST(TableTest, GoldenBytes) {
  const Entries entries = {{InternalKey("apple", 3), "red"},
                           {InternalKey("apricot", 2, ValueType::kDelete), ""},
                           {InternalKey("fig", 1), "green"}};
  const BuiltTable built =
      BuildTable({.file_id = 7, .block_size = 64, .block_restart_interval = 2}, entries);
  EXPECT_EQ("\n" + HexLines(built.bytes), R"(
000d036170706c650103000000000000726564020d007269636f740002000000
00000000000000010000000071b107af9bf9d76a000b05666967010100000000
0000677265656e000000000100000000fafee7c9eddeeecc0014047368656172
70696e2e636f6d7072657373696f6e6e6f6e65001401736865617270696e2e64
6174615f626c6f636b7302001301736865617270696e2e646174615f62797465
7358001201736865617270696e2e64656c6574696f6e73010010017368656172
70696e2e656e747269657303001001736865617270696e2e66696c655f696407
001201736865617270696e2e6b65795f62797465732700140b73686561727069
6e2e6c6172676573745f6b657966696701010000000000000019017368656172
70696e2e6c6172676573745f73657175656e63650300150d736865617270696e
2e736d616c6c6573745f6b65796170706c650103000000000000001a01736865
617270696e2e736d616c6c6573745f73657175656e6365010014017368656172
70696e2e76616c75655f62797465730800170a736865617270696e2e77726974
65725f76657273696f6e736865617270696e2031000000001b00000033000000
4a0000006000000074000000880000009e000000c0000000dd00000002010000
20010000380100000d000000308a19b06f2cba02c2001303736865617270696e
2e70726f70657274696573589403000000000100000040c57e62895857434800
09026601ffffffffffffff002b000b026669670101000000000000341b000000
000e0000000200000010339cbd5f24ed40aaf501000000000000210000000000
00001f020000000000002a0000000000000007000000000000009a0200000000
000001000000000000004dda881f5e6980865348504e53535431
)");
}

}  // namespace
}  // namespace shearpin
