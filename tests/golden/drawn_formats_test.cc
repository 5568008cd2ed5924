// Goal: the bytes on disk are as engine/README.md and engine/sst/README.md draw them. Method: a
// decoder of its own, written from the drawings and not from the engine, reads the golden
// databases; checksums included.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/golden/golden_databases.h"

namespace shearpin::golden {
namespace {

uint64_t Mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

uint64_t Xxh3(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

uint64_t Little(std::string_view bytes, size_t at, size_t width) {
  EXPECT_LE(at + width, bytes.size());
  uint64_t value = 0;
  for (size_t i = 0; i < width && at + i < bytes.size(); ++i) {
    value |= uint64_t{static_cast<uint8_t>(bytes[at + i])} << (8 * i);
  }
  return value;
}
uint64_t U32(std::string_view bytes, size_t at) { return Little(bytes, at, 4); }
uint64_t U64(std::string_view bytes, size_t at) { return Little(bytes, at, 8); }

// Takes from the front.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::string_view rest() const { return bytes_; }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const uint64_t byte = Little(Bytes(1), 0, 1);
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }
  uint64_t Fixed(size_t width) { return Little(Bytes(width), 0, width); }
  std::string_view Bytes(size_t n) {
    EXPECT_LE(n, bytes_.size());
    const std::string_view taken = bytes_.substr(0, n);
    bytes_.remove_prefix(std::min(n, bytes_.size()));
    return taken;
  }
  std::string_view Prefixed() { return Bytes(Varint()); }

 private:
  std::string_view bytes_;
};

GoldenDatabase Database(const std::string& name) {
  for (GoldenDatabase& database : MakeGoldenDatabases()) {
    if (database.name == name) return std::move(database);
  }
  ADD_FAILURE() << name;
  return {};
}

// Of the files whose name has this in it, the first.
std::string File(const GoldenDatabase& database, const std::string& part) {
  for (const auto& [name, bytes] : database.files) {
    if (name.find(part) != std::string::npos) return bytes;
  }
  ADD_FAILURE() << database.name << " has no " << part;
  return "";
}

struct Record {
  uint64_t offset, sequence, synced;
  std::string_view payload;
};

// Header and records of a log; every checksum is computed here.
std::vector<Record> ReadLog(std::string_view log, const char* magic) {
  EXPECT_EQ(log.substr(0, 8), magic);
  EXPECT_EQ(U32(log, 8), 1u);
  EXPECT_EQ(U32(log, 12), 512u);
  EXPECT_EQ(U64(log, 64), Xxh3(log.substr(0, 64), 0));
  const uint64_t salt = U64(log, 32);
  std::vector<Record> records;
  uint64_t end = 512;
  for (uint64_t at = 512; at + 32 <= log.size();) {
    const uint64_t length = U32(log, at + 8);
    if (length == 0) {
      // Fill: the next record begins a sector, and says that all before it is synced.
      EXPECT_EQ(at, end);
      at = (at + 511) / 512 * 512;
      if (at + 32 > log.size() || U32(log, at + 8) == 0) break;
      EXPECT_EQ(U64(log, at + 24), end);
      continue;
    }
    EXPECT_EQ(U64(log, at), Xxh3(log.substr(at + 8, 24 + length), Mix64(salt ^ Mix64(at))));
    EXPECT_EQ(U32(log, at + 12), 0u);
    records.push_back({at, U64(log, at + 16), U64(log, at + 24), log.substr(at + 32, length)});
    EXPECT_LE(records.back().synced, at);
    at = end = (at + 32 + length + 7) / 8 * 8;
  }
  return records;
}

struct Change {
  uint64_t type;
  std::string_view key, value;
};

std::vector<Change> ReadBatch(std::string_view payload) {
  Cursor cursor(payload);
  std::vector<Change> changes(cursor.Fixed(4));
  for (Change& change : changes) {
    change.type = cursor.Fixed(1);
    change.key = cursor.Prefixed();
    if (change.type != 0) change.value = cursor.Prefixed();
  }
  EXPECT_TRUE(cursor.empty());
  return changes;
}

TEST(DrawnFormats, TheLogAndItsBatches) {
  const GoldenDatabase database = Database("unflushed_tail");
  const std::string log = File(database, ".wal");
  const std::string manifest = File(database, "MANIFEST");
  EXPECT_EQ(U64(log, 16), U64(manifest, 16)) << "database id";
  EXPECT_NE(U64(log, 24), 0u) << "its own number";
  EXPECT_LT(U64(log, 40), U64(log, 24)) << "its predecessor's number";
  EXPECT_EQ(log.substr(72, 440), std::string(440, '\0'));
  std::map<std::string, std::string> logged;
  uint64_t sequence = 0;
  bool promised = false;
  for (const Record& record : ReadLog(log, "shrpnWAL")) {
    EXPECT_GT(record.sequence, sequence);
    sequence = record.sequence;
    promised |= record.synced > 512;
    for (const Change& change : ReadBatch(record.payload)) {
      logged[std::string(change.key)] = change.type == 0 ? "(deleted)" : change.value;
    }
  }
  EXPECT_TRUE(promised);
  EXPECT_EQ(logged.at("synced too"), "2");
  EXPECT_EQ(logged.at("not synced"), "3");
  EXPECT_EQ(logged.at("key1000"), "(deleted)");
  EXPECT_EQ(logged.at("key1007"), database.pairs.at("key1007"));
}

TEST(DrawnFormats, ARangeDeleteInABatch) {
  const GoldenDatabase database = Database("range_tombstones");
  bool found = false;
  const std::string log = File(database, ".wal");
  for (const Record& record : ReadLog(log, "shrpnWAL")) {
    for (const Change& change : ReadBatch(record.payload)) {
      if (change.type != 2) continue;
      found = true;
      EXPECT_EQ(change.key, "key1050");
      EXPECT_EQ(change.value, "z");
    }
  }
  EXPECT_TRUE(found);
}

struct Added {
  uint64_t level, number, file_id, size, checksum, entries, smallest_sequence, largest_sequence;
  std::string smallest, largest;
  uint64_t range_deletes = 0;
};

// What the edits of a MANIFEST say, by tag.
struct Edits {
  std::set<uint64_t> tags;
  std::map<uint64_t, Added> tables;
  uint64_t next_file_number = 0, flushed_sequence = 0, log_floor = 0;
  std::map<uint64_t, uint64_t> sealed;
};

void ReadEdit(std::string_view payload, Edits* edits) {
  Cursor cursor(payload);
  while (!cursor.empty()) {
    const uint64_t tag = cursor.Varint();
    edits->tags.insert(tag);
    if (tag == 1) {
      edits->next_file_number = cursor.Varint();
    } else if (tag == 2) {
      edits->flushed_sequence = cursor.Varint();
    } else if (tag == 3) {
      edits->log_floor = cursor.Varint();
    } else if (tag == 4) {
      const uint64_t number = cursor.Varint();
      edits->sealed[number] = cursor.Varint();
    } else if (tag == 5 || tag == 7) {
      Added added;
      added.level = cursor.Varint();
      added.number = cursor.Varint();
      added.file_id = cursor.Varint();
      added.size = cursor.Varint();
      added.checksum = cursor.Fixed(8);
      added.entries = cursor.Varint();
      added.smallest_sequence = cursor.Varint();
      added.largest_sequence = cursor.Varint();
      added.smallest = cursor.Prefixed();
      added.largest = cursor.Prefixed();
      if (tag == 7) added.range_deletes = cursor.Varint();
      edits->tables[added.number] = added;
    } else if (tag == 6) {
      cursor.Varint();
      edits->tables.erase(cursor.Varint());
    } else {
      FAIL() << "tag " << tag;
    }
  }
}

Edits ReadManifest(const GoldenDatabase& database) {
  Edits edits;
  const std::string manifest = File(database, "MANIFEST");
  for (const Record& record : ReadLog(manifest, "shrpnMAN")) ReadEdit(record.payload, &edits);
  return edits;
}

TEST(DrawnFormats, TheManifestAndEveryTag) {
  std::set<uint64_t> tags;
  for (const GoldenDatabase& database : MakeGoldenDatabases()) {
    const Edits edits = ReadManifest(database);
    tags.insert(edits.tags.begin(), edits.tags.end());
    for (const auto& [number, added] : edits.tables) {
      const std::string table = File(database, std::to_string(1000000 + number).substr(1) + ".sst");
      EXPECT_EQ(added.size, table.size());
      EXPECT_EQ(added.checksum, Xxh3(table, 0));
      EXPECT_EQ(added.file_id, U64(table, table.size() - 72 + 32));
      EXPECT_LT(added.number, edits.next_file_number);
      EXPECT_LE(added.largest_sequence, edits.flushed_sequence);
    }
    File(database, std::to_string(1000000 + edits.log_floor).substr(1) + ".wal");
  }
  EXPECT_THAT(tags, ::testing::ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

TEST(DrawnFormats, Current) {
  const GoldenDatabase database = Database("raw");
  const std::string current = File(database, "CURRENT");
  const std::string manifest = File(database, "MANIFEST");
  const std::string promise = "MANIFEST-000002 " + std::to_string(manifest.size());
  ASSERT_EQ(current.size(), promise.size() + 18);
  // A clean close promises all of it but what fills the last sector.
  const std::string text = current.substr(0, current.size() - 18);
  EXPECT_EQ(text.substr(0, 16), "MANIFEST-000002 ");
  EXPECT_LE(std::stoull(text.substr(16)), manifest.size());
  char checksum[20];
  std::snprintf(checksum, sizeof checksum, " %016llx\n",
                static_cast<unsigned long long>(Xxh3(text, 0)));
  EXPECT_EQ(current.substr(text.size()), checksum);
}

struct Handle {
  uint64_t offset = 0, size = 0;
};

class DrawnTable {
 public:
  explicit DrawnTable(std::string bytes) : bytes_(std::move(bytes)) {
    const std::string_view footer = std::string_view(bytes_).substr(bytes_.size() - 72);
    metaindex_ = {U64(footer, 0), U64(footer, 8)};
    index_ = {U64(footer, 16), U64(footer, 24)};
    file_id_ = U64(footer, 32);
    EXPECT_EQ(U64(footer, 40), bytes_.size());
    EXPECT_EQ(U32(footer, 48), 1u);
    EXPECT_EQ(U32(footer, 52), 0u);
    EXPECT_EQ(footer.substr(64), "SHPNSST1");
    EXPECT_EQ(U64(footer, 56), Xxh3(footer.substr(0, 56), U64(footer, 64)));
    // Nothing stands between the index and the footer.
    EXPECT_EQ(index_.offset + index_.size + 9, bytes_.size() - 72);
    EXPECT_EQ(metaindex_.offset + metaindex_.size + 9, index_.offset);
  }

  // The block as stored; its trailer is checked. `*type` is the trailer's first byte.
  std::string_view Stored(const Handle& handle, uint64_t* type) const {
    const std::string_view all = bytes_;
    *type = Little(all, handle.offset + handle.size, 1);
    EXPECT_EQ(
        U64(all, handle.offset + handle.size + 1),
        Xxh3(all.substr(handle.offset, handle.size + 1), Mix64(file_id_ ^ Mix64(handle.offset))));
    return all.substr(handle.offset, handle.size);
  }

  static std::vector<std::pair<std::string, std::string>> Entries(std::string_view block) {
    const uint64_t restarts = U32(block, block.size() - 4);
    EXPECT_GE(restarts, 1u);
    const size_t end = block.size() - 4 * (restarts + 1);
    EXPECT_EQ(U32(block, end), 0u) << "the first restart point";
    Cursor cursor(block.substr(0, end));
    std::vector<std::pair<std::string, std::string>> entries;
    std::string key;
    while (!cursor.empty()) {
      const uint64_t at = end - cursor.rest().size();
      const uint64_t shared = cursor.Varint();
      const uint64_t unshared = cursor.Varint();
      const uint64_t value_size = cursor.Varint();
      for (uint64_t i = 0; i < restarts; ++i) {
        const bool restart = U32(block, end + 4 * i) == at;
        EXPECT_TRUE(!restart || shared == 0);
      }
      key.resize(shared);
      key += cursor.Bytes(unshared);
      entries.emplace_back(key, cursor.Bytes(value_size));
    }
    return entries;
  }

  std::map<std::string, Handle> Metaindex() const {
    uint64_t type;
    std::map<std::string, Handle> named;
    for (const auto& [name, value] : Entries(Stored(metaindex_, &type))) {
      Cursor cursor(value);
      named[name].offset = cursor.Varint();
      named[name].size = cursor.Varint();
    }
    EXPECT_EQ(type, 4u << 4);
    return named;
  }

  std::vector<Handle> DataBlocks() const {
    uint64_t type;
    std::vector<Handle> blocks;
    uint64_t end = 0;
    for (const auto& [separator, value] : Entries(Stored(index_, &type))) {
      Cursor cursor(value);
      Handle& handle = blocks.emplace_back();
      handle.offset = cursor.Varint();
      handle.size = cursor.Varint();
      EXPECT_EQ(handle.offset, end);
      end = handle.offset + handle.size + 9;
    }
    EXPECT_EQ(type, 1u << 4);
    return blocks;
  }

  uint64_t file_id() const { return file_id_; }

 private:
  const std::string bytes_;
  Handle metaindex_, index_;
  uint64_t file_id_ = 0;
};

TEST(DrawnFormats, ATableOfRawBlocks) {
  const GoldenDatabase database = Database("raw");
  const DrawnTable table(File(database, "000005.sst"));
  uint64_t entries = 0;
  const std::vector<Handle> blocks = table.DataBlocks();
  for (const Handle& handle : blocks) {
    uint64_t type;
    for (const auto& [key, value] : DrawnTable::Entries(table.Stored(handle, &type))) {
      ASSERT_GE(key.size(), 8u);
      const uint64_t trailer = U64(key, key.size() - 8);
      EXPECT_EQ(trailer & 0xff, 1u) << "a value";
      EXPECT_GT(trailer >> 8, 0u) << "its sequence number";
      ++entries;
    }
    EXPECT_EQ(type, 0u);
  }
  EXPECT_EQ(entries, 82u);
  const auto named = table.Metaindex();
  ASSERT_EQ(named.size(), 1u);
  uint64_t type;
  std::map<std::string, std::string> properties;
  for (const auto& [name, value] :
       DrawnTable::Entries(table.Stored(named.at("shearpin.properties"), &type))) {
    properties[name] = value;
  }
  EXPECT_EQ(type, 3u << 4);
  EXPECT_EQ(properties.size(), 13u);
  EXPECT_EQ(Cursor(properties.at("shearpin.entries")).Varint(), entries);
  EXPECT_EQ(Cursor(properties.at("shearpin.data_blocks")).Varint(), blocks.size());
  EXPECT_EQ(Cursor(properties.at("shearpin.file_id")).Varint(), table.file_id());
  EXPECT_EQ(properties.at("shearpin.compression"), "none");
}

TEST(DrawnFormats, CompressedBlocksAndTheFilter) {
  for (const auto& [name, compression] : {std::pair<std::string, uint64_t>("lz4_filter", 1),
                                          std::pair<std::string, uint64_t>("zstd_filter", 2)}) {
    const GoldenDatabase database = Database(name);
    const DrawnTable table(File(database, "000005.sst"));
    uint64_t type, compressed = 0;
    for (const Handle& handle : table.DataBlocks()) {
      Cursor stored(table.Stored(handle, &type));
      if (type == 0) continue;
      ++compressed;
      EXPECT_EQ(type, compression);
      EXPECT_GT(stored.Varint(), handle.size) << "the raw size";
    }
    EXPECT_GT(compressed, 0u);
    const std::string_view filter =
        table.Stored(table.Metaindex().at("shearpin.filter.bloom"), &type);
    EXPECT_EQ(type, 2u << 4);
    const uint64_t lines = U32(filter, filter.size() - 8);
    const uint64_t probes = Little(filter, filter.size() - 4, 1);
    EXPECT_EQ(filter.size(), 64 * lines + 8);
    EXPECT_EQ(Little(filter, filter.size() - 3, 3), 0u);
    // Every key's bits stand in one line.
    for (int i = 0; i < 80; ++i) {
      const uint64_t h = Xxh3("key" + std::to_string(1000 + i), 0);
      const uint64_t line = ((h >> 32) * lines) >> 32;
      auto probe = static_cast<uint32_t>(h);
      for (uint64_t p = 0; p < probes; ++p, probe *= 0x9e3779b9) {
        const uint32_t bit = probe >> 23;
        EXPECT_TRUE(Little(filter, 64 * line + bit / 8, 1) >> (bit % 8) & 1) << i;
      }
    }
  }
}

TEST(DrawnFormats, RangeTombstonesOfATable) {
  const GoldenDatabase database = Database("range_tombstones");
  const DrawnTable table(File(database, "000006.sst"));
  uint64_t type;
  std::vector<std::string> fragments;
  for (const auto& [key, end] :
       DrawnTable::Entries(table.Stored(table.Metaindex().at("shearpin.range_del"), &type))) {
    const uint64_t trailer = U64(key, key.size() - 8);
    EXPECT_EQ(trailer & 0xff, 2u);
    fragments.push_back(key.substr(0, key.size() - 8) + " to " + end + " @" +
                        std::to_string(trailer >> 8));
  }
  EXPECT_EQ(type, 5u << 4);
  // Where two overlapped the newer covers all; no snapshot needed the older there.
  EXPECT_THAT(fragments,
              ::testing::ElementsAre("key1010 to key1020 @61", "key1020 to key1040 @62"));
  const Added added = ReadManifest(database).tables.at(6);
  EXPECT_EQ(added.range_deletes, fragments.size());
  EXPECT_EQ(U64(added.largest, added.largest.size() - 8), ((uint64_t{1} << 56) - 1) << 8 | 2)
      << "the end of a range tombstone, excluded";
}

}  // namespace
}  // namespace shearpin::golden
