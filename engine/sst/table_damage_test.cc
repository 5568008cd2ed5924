// Goal: a damaged table is rejected or answers as the whole one does: never a crash, never wrong
// data, never an entry passed over. Method: every single-bit flip and every truncation of small
// tables, overwritten and swapped blocks, forged blocks with right checksums; damage after Open.
// AddressSanitizer sees any step outside a block.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/coding.h"
#include "engine/sst/block_builder.h"
#include "engine/sst/format.h"
#include "engine/sst/table.h"
#include "engine/sst/table_fixture.h"

namespace shearpin {
namespace {

Entries SmallEntries() {
  Entries entries;
  for (int i = 0; i < 12; ++i) {
    const std::string key = "key" + std::to_string(100 + i * 7);
    entries.emplace(InternalKey(key, 10 + i), "value" + std::to_string(i));
    if (i % 4 == 0) entries.emplace(InternalKey(key, 3, ValueType::kDelete), "");
  }
  return entries;
}

constexpr TableBuilderOptions kSmallOptions = {
    .file_id = 5, .block_size = 100, .block_restart_interval = 3};

// Each read either fails with an error that names the file or agrees with `entries`. Returns
// whether any failed.
bool ReadsFailOrAgree(const Table& table, const Entries& entries) {
  bool failed = false;
  const auto check = [&failed](const Status& status) {
    if (status.ok()) return true;
    EXPECT_TRUE(status.IsCorruption() || status.code() == StatusCode::kNotSupported);
    EXPECT_TRUE(status.message().starts_with("t.sst: ")) << status.ToString();
    failed = true;
    return false;
  };
  const auto it = table.NewIterator();
  auto expected = entries.begin();
  for (it->SeekToFirst(); it->Valid(); it->Next(), ++expected) {
    if (expected == entries.end()) {
      ADD_FAILURE() << "more entries than were written";
      break;
    }
    EXPECT_EQ(it->key(), expected->first);
    EXPECT_EQ(it->value(), expected->second);
  }
  if (check(it->status())) {
    EXPECT_EQ(expected, entries.end());
  }
  auto backward = entries.rbegin();
  for (it->SeekToLast(); it->Valid(); it->Prev(), ++backward) {
    if (backward == entries.rend()) {
      ADD_FAILURE() << "more entries than were written";
      break;
    }
    EXPECT_EQ(it->key(), backward->first);
    EXPECT_EQ(it->value(), backward->second);
  }
  if (check(it->status())) {
    EXPECT_EQ(backward, entries.rend());
  }
  LoadedBlock block;
  for (const auto& [key, value] : entries) {
    Lookup found;
    if (check(table.Get(key, &block, &found))) {
      EXPECT_EQ(found.sequence, SequenceOf(key));
      EXPECT_EQ(found.value, value);
    }
    it->Seek(key);
    if (it->Valid()) {
      EXPECT_EQ(it->key(), key);
      EXPECT_EQ(it->value(), value);
    } else {
      EXPECT_FALSE(check(it->status())) << "an entry is missing";
    }
  }
  return failed;
}

// Opens and reads `bytes`. Returns whether anything was noticed.
bool DamageIsNoticed(const std::string& bytes, const TableInfo& info, const Entries& entries) {
  const auto table = OpenBytes(&bytes, info);
  if (!table.ok()) {
    EXPECT_TRUE(table.status().IsCorruption()) << table.status().ToString();
    EXPECT_TRUE(table.status().message().starts_with("t.sst: ")) << table.status().ToString();
    return true;
  }
  const bool failed = ReadsFailOrAgree(**table, entries);
  EXPECT_FALSE((*table)->VerifyAll(info.file_checksum).ok());
  const Status without_checksum = (*table)->VerifyAll(std::nullopt);
  EXPECT_FALSE(without_checksum.ok());
  return failed;
}

TEST(TableDamageTest, EveryFlippedBitIsNoticed) {
  const Entries entries = SmallEntries();
  const BuiltTable built = BuildTable(kSmallOptions, entries);
  ASSERT_GT(built.info.properties.data_blocks, 3u);
  std::string bytes = built.bytes;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    EXPECT_TRUE(DamageIsNoticed(bytes, built.info, entries)) << "bit " << bit;
    bytes[bit / 8] = built.bytes[bit / 8];
  }
}

TEST(TableDamageTest, EveryTruncationIsNoticed) {
  const Entries entries = SmallEntries();
  const BuiltTable built = BuildTable(kSmallOptions, entries);
  for (size_t size = 0; size < built.bytes.size(); ++size) {
    const std::string bytes = built.bytes.substr(0, size);
    EXPECT_TRUE(OpenBytes(&bytes, built.info).status().IsCorruption()) << size;
    EXPECT_NE(OpenBytes(&bytes, built.info).status().message().find("bytes long, not"),
              std::string_view::npos);
    // Nor by somebody who believes the size.
    TableInfo believed = built.info;
    believed.file_size = size;
    EXPECT_TRUE(OpenBytes(&bytes, believed).status().IsCorruption()) << size;
  }
  const std::string longer = built.bytes + '\0';
  EXPECT_TRUE(OpenBytes(&longer, built.info).status().IsCorruption());
}

TEST(TableDamageTest, ZeroedRunsAreNoticed) {
  const Entries entries = SmallEntries();
  const BuiltTable built = BuildTable(kSmallOptions, entries);
  for (size_t at = 0; at + 64 <= built.bytes.size(); at += 16) {
    std::string bytes = built.bytes;
    bytes.replace(at, 64, 64, '\0');
    EXPECT_TRUE(DamageIsNoticed(bytes, built.info, entries)) << at;
  }
}

TEST(TableDamageTest, AFileOfAnotherIdIsRejected) {
  const BuiltTable built = BuildTable(kSmallOptions, SmallEntries());
  TableInfo other = built.info;
  other.properties.file_id = 6;
  const auto table = OpenBytes(&built.bytes, other);
  EXPECT_TRUE(table.status().IsCorruption());
  EXPECT_NE(table.status().message().find("file id 5, not 6"), std::string_view::npos)
      << table.status().ToString();
}

// Where the first data block ends: its trailer included.
size_t FirstBlockEnd(const BuiltTable& built) {
  const auto table = OpenBytes(&built.bytes, built.info);
  SHEARPIN_CHECK(table.ok());
  // Blocks of equal entries are of equal size.
  return built.info.properties.data_bytes / built.info.properties.data_blocks;
}

// Four blocks of the same shape, so that each would do for another but for its checksum's seed.
Entries UniformEntries(char value) {
  Entries entries;
  for (int i = 0; i < 4; ++i) {
    entries.emplace(InternalKey("key" + std::to_string(i), 1), std::string(80, value));
  }
  return entries;
}

TEST(TableDamageTest, AMisdirectedBlockIsNoticed) {
  const Entries entries = UniformEntries('v');
  const BuiltTable built = BuildTable(kSmallOptions, entries);
  ASSERT_EQ(built.info.properties.data_blocks, 4u);
  const size_t size = FirstBlockEnd(built);
  std::string bytes = built.bytes;
  bytes.replace(0, size, built.bytes, size, size);
  EXPECT_TRUE(DamageIsNoticed(bytes, built.info, entries));
}

TEST(TableDamageTest, ABlockOfAnotherFileIsNoticed) {
  const Entries entries = UniformEntries('v');
  const BuiltTable built = BuildTable(kSmallOptions, entries);
  TableBuilderOptions options = kSmallOptions;
  options.file_id = 6;
  const BuiltTable other = BuildTable(options, UniformEntries('w'));
  std::string bytes = built.bytes;
  bytes.replace(0, FirstBlockEnd(built), other.bytes, 0, FirstBlockEnd(built));
  EXPECT_TRUE(DamageIsNoticed(bytes, built.info, entries));
}

TEST(TableDamageTest, ADamagedBlockFailsItsReadsAndNoOthers) {
  const Entries entries = UniformEntries('v');
  const BuiltTable built = BuildTable(kSmallOptions, entries);
  std::string bytes = built.bytes;
  const auto table = OpenBytes(&bytes, built.info);
  ASSERT_TRUE(table.ok());
  const size_t size = FirstBlockEnd(built);
  bytes[size + 20] ^= 1;  // in the second block

  const auto it = (*table)->NewIterator();
  it->SeekToFirst();
  ASSERT_TRUE(it->Valid());
  it->Next();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsCorruption());
  EXPECT_EQ(it->status().message(), "t.sst: data block at offset " + std::to_string(size) +
                                        ", size " + std::to_string(size - kBlockTrailerSize) +
                                        ": checksum mismatch");
  it->Seek(InternalKey("key1", 1));
  EXPECT_TRUE(it->status().IsCorruption());
  it->Seek(InternalKey("key1", 1));
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsCorruption());
  it->Seek(InternalKey("key2", 1));
  ASSERT_TRUE(it->Valid());
  EXPECT_TRUE(it->status().ok());
  EXPECT_EQ(UserKey(it->key()), "key2");
  it->Prev();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsCorruption());
  it->SeekToLast();
  EXPECT_TRUE(it->Valid());

  LoadedBlock block;
  Lookup found;
  EXPECT_TRUE((*table)->Get(InternalKey("key1", 9), &block, &found).IsCorruption());
  EXPECT_TRUE((*table)->Get(InternalKey("key3", 9), &block, &found).ok());
  EXPECT_EQ(found.kind, Lookup::Kind::kValue);
  EXPECT_TRUE((*table)->VerifyAll(std::nullopt).IsCorruption());
}

TEST(TableDamageTest, AFileCutAfterOpenFailsItsReads) {
  const BuiltTable built = BuildTable(kSmallOptions, UniformEntries('v'));
  std::string bytes = built.bytes;
  const auto table = OpenBytes(&bytes, built.info);
  ASSERT_TRUE(table.ok());
  bytes.resize(40);
  const auto it = (*table)->NewIterator();
  it->SeekToFirst();
  EXPECT_FALSE(it->Valid());
  EXPECT_NE(it->status().message().find("the file ends inside it"), std::string_view::npos);
  EXPECT_NE((*table)->VerifyAll(built.info.file_checksum).message().find("is 40 bytes long"),
            std::string_view::npos);
}

RC_GTEST_PROP(TableDamageTest, WalksOverDamageFailOrAgree, ()) {
  const Entries entries = AnyEntries(60);
  TableBuilderOptions options = AnyTableOptions();
  options.filter_bits_per_key = 0;  // reads need no filter: table_features_test damages those
  const BuiltTable built = BuildTable(options, entries);
  std::string bytes = built.bytes;
  const auto at = *rc::gen::inRange<size_t>(0, bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ *rc::gen::inRange(1, 256));
  RC_ASSERT(DamageIsNoticed(bytes, built.info, entries));
}

// Writes a table whose blocks are given as they are, with right checksums: what only a writer gone
// wrong, or an attacker, would make.
class Forger {
 public:
  void DataBlock(const std::vector<std::string>& keys, std::string_view separator) {
    BlockBuilder builder(kMaxBlockTarget, 2);
    for (const std::string& key : keys) SHEARPIN_CHECK(builder.Add(key, "v"));
    std::string block, value;
    builder.Finish(&block);
    AppendBlockHandle(&value, Append(block, BlockKind::kData));
    SHEARPIN_CHECK(index_.Add(separator, value));
  }
  void IndexEntry(std::string_view separator, std::string_view value) {
    SHEARPIN_CHECK(index_.Add(separator, value));
  }
  void MetaindexEntry(std::string_view name, std::string_view value) {
    SHEARPIN_CHECK(metaindex_.Add(name, value));
  }
  BlockHandle Append(std::string block, BlockKind kind) {
    const BlockHandle handle{bytes_.size(), block.size()};
    AppendBlockTrailer(&block, kind, Compression::kNone, 5, handle.offset);
    bytes_ += block;
    return handle;
  }

  StatusOr<std::unique_ptr<Table>> Open(TableProperties properties) {
    properties.file_id = 5;
    std::string value, block;
    AppendBlockHandle(&value, Append(properties.Encode(), BlockKind::kProperties));
    SHEARPIN_CHECK(metaindex_.Add(kPropertiesBlockName, value));
    Footer footer;
    metaindex_.Finish(&block);
    footer.metaindex = Append(block, BlockKind::kMetaindex);
    index_.Finish(&block);
    footer.index = Append(block, BlockKind::kIndex);
    footer.file_id = 5;
    footer.file_size = bytes_.size() + Footer::kSize;
    footer.AppendTo(&bytes_);
    return Table::Open(std::make_unique<MemoryReadableFile>(&bytes_), "t.sst", {5, bytes_.size()});
  }

 private:
  std::string bytes_;
  BlockBuilder index_{kMaxBlockTarget, 1};
  BlockBuilder metaindex_{kMaxBlockTarget, 1};
};

TableProperties PropertiesOf(uint64_t entries, std::string_view smallest,
                             std::string_view largest) {
  TableProperties properties;
  properties.entries = entries;
  properties.smallest_sequence = 1;
  properties.largest_sequence = 1;
  properties.smallest_key = smallest;
  properties.largest_key = largest;
  return properties;
}

std::string VerifyMessage(Forger* forger, const TableProperties& properties) {
  const auto table = forger->Open(properties);
  if (!table.ok()) return std::string(table.status().message());
  return std::string((*table)->VerifyAll(std::nullopt).message());
}

TEST(TableDamageTest, VerifyFindsWhatChecksumsDoNot) {
  const std::string a = InternalKey("a", 1), b = InternalKey("b", 1), c = InternalKey("c", 1);
  {
    Forger forger;
    forger.DataBlock({b, a}, c);
    EXPECT_NE(VerifyMessage(&forger, PropertiesOf(2, a, b)).find("keys do not ascend"),
              std::string::npos);
  }
  {
    Forger forger;
    forger.DataBlock({a, c}, b);
    EXPECT_NE(VerifyMessage(&forger, PropertiesOf(2, a, c)).find("belongs behind the block"),
              std::string::npos);
  }
  {
    Forger forger;
    forger.DataBlock({a}, b);
    forger.DataBlock({InternalKey("aa", 1)}, c);
    EXPECT_NE(VerifyMessage(&forger, PropertiesOf(2, a, b)).find("belongs before the block"),
              std::string::npos);
  }
  {
    Forger forger;
    forger.DataBlock({a}, a);
    EXPECT_NE(VerifyMessage(&forger, PropertiesOf(2, a, a)).find("say 2 entries, 1 are there"),
              std::string::npos);
  }
  {
    Forger forger;
    forger.DataBlock({a}, a);
    EXPECT_NE(VerifyMessage(&forger, PropertiesOf(1, a, b)).find("do not match the entries"),
              std::string::npos);
  }
  {
    Forger forger;
    forger.Append("stray bytes", BlockKind::kData);
    forger.DataBlock({a}, a);
    EXPECT_NE(VerifyMessage(&forger, PropertiesOf(1, a, a)).find("does not follow"),
              std::string::npos);
  }
}

// A block of two entries with one restart point each, the second moved to `restart`.
std::string BlockWithRestart(const std::string& first, const std::string& second,
                             uint32_t restart) {
  BlockBuilder builder(kMaxBlockTarget, 1);
  SHEARPIN_CHECK(builder.Add(first, "v") && builder.Add(second, "v"));
  std::string block;
  builder.Finish(&block);
  StoreFixed32(block.data() + block.size() - 8, restart);
  return block;
}

TEST(TableDamageTest, VerifyChecksRestartPoints) {
  const std::string a = InternalKey("a", 1), b = InternalKey("b", 1);
  for (uint32_t restart : {0, 1, 5, 1000}) {
    Forger forger;
    std::string value;
    AppendBlockHandle(&value, forger.Append(BlockWithRestart(a, b, restart), BlockKind::kData));
    forger.IndexEntry(b, value);
    const std::string message = VerifyMessage(&forger, PropertiesOf(2, a, b));
    if (restart == 0) {
      // A second restart point at the first entry leads nowhere wrong.
      EXPECT_NE(message.find("properties"), std::string::npos) << message;
    } else {
      EXPECT_NE(message.find("data block at offset 0"), std::string::npos) << restart << message;
    }
  }
}

TEST(TableDamageTest, AMalformedEntryIsNotTheEndOfItsBlock) {
  const std::string a = InternalKey("a", 1), b = InternalKey("b", 1), c = InternalKey("c", 1);
  std::string block = BlockWithRestart(a, b, 13);
  block[13] = 1;  // the second entry claims a shared byte where its length then leaves the block
  block[14] = 100;
  Forger forger;
  std::string value;
  AppendBlockHandle(&value, forger.Append(block, BlockKind::kData));
  forger.IndexEntry(b, value);
  forger.DataBlock({c}, c);
  const auto table = forger.Open(PropertiesOf(3, a, c));
  ASSERT_TRUE(table.ok());
  const auto it = (*table)->NewIterator();
  it->SeekToFirst();
  ASSERT_TRUE(it->Valid());
  it->Next();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsCorruption());
  it->SeekToLast();
  ASSERT_TRUE(it->Valid());
  EXPECT_EQ(UserKey(it->key()), "c");
  it->Prev();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsCorruption());
  LoadedBlock loaded;
  Lookup found;
  EXPECT_TRUE((*table)->Get(InternalKey("b", 9), &loaded, &found).IsCorruption());
}

TEST(TableDamageTest, ForgedBlocksAreErrorsNotCrashes) {
  const std::string a = InternalKey("a", 1), b = InternalKey("b", 1);
  const TableProperties properties = PropertiesOf(1, a, a);
  const auto first_read = [](const StatusOr<std::unique_ptr<Table>>& table) {
    if (!table.ok()) return std::string(table.status().ToString());
    const auto it = (*table)->NewIterator();
    for (it->SeekToFirst(); it->Valid();) it->Next();
    LoadedBlock block;
    Lookup found;
    EXPECT_EQ((*table)->Get(InternalKey("a", 9), &block, &found).ok(), it->status().ok());
    return it->status().ToString();
  };
  {
    Forger forger;
    forger.DataBlock({}, a);
    EXPECT_NE(first_read(forger.Open(properties)).find("has no entries"), std::string::npos);
  }
  {
    Forger forger;
    forger.IndexEntry(a, "\xff");
    EXPECT_NE(first_read(forger.Open(properties)).find("malformed block handle"),
              std::string::npos);
  }
  {
    Forger forger;
    std::string value;
    AppendBlockHandle(&value, {0, 1});
    forger.IndexEntry(a, value + "more");
    EXPECT_NE(first_read(forger.Open(properties)).find("malformed block handle"),
              std::string::npos);
  }
  for (const BlockHandle& handle : {BlockHandle{0, ~uint64_t{0}}, BlockHandle{~uint64_t{0}, 0},
                                    BlockHandle{1, 1 << 20}, BlockHandle{~uint64_t{0} - 4, 8}}) {
    Forger forger;
    std::string value;
    AppendBlockHandle(&value, handle);
    forger.IndexEntry(a, value);
    EXPECT_NE(first_read(forger.Open(properties)).find("leaves the file"), std::string::npos);
  }
  {
    Forger forger;
    std::string value;
    AppendBlockHandle(&value, forger.Append("\xff garbage", BlockKind::kData));
    forger.IndexEntry(a, value);
    EXPECT_NE(first_read(forger.Open(properties)).find("restart points"), std::string::npos);
  }
  {
    Forger forger;
    std::string value;
    AppendBlockHandle(&value, forger.Append("a filter", BlockKind::kFilter));
    forger.DataBlock({a}, a);
    forger.MetaindexEntry("shearpin.filter.unheard_of", value);
    EXPECT_EQ(first_read(forger.Open(properties)), "OK");
  }
  {
    Forger forger;
    std::string value;
    AppendBlockHandle(&value, forger.Append("?", BlockKind::kRangeDelete));
    forger.MetaindexEntry("shearpin.a_block_of_the_future", value);
    EXPECT_NE(first_read(forger.Open(properties)).find("Not supported"), std::string::npos);
  }
  {
    Forger forger;
    EXPECT_NE(first_read(forger.Open(PropertiesOf(1, b, a))).find("smallest_key"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace shearpin
