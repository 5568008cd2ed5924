// Goal: a Version answers as the sum of its tables: the newest version wins through all levels,
// iterators of a level walk both ways as over one sorted source, changes make new Versions and
// leave old ones alone, and a table that cannot be read fails what needs it and nothing else.
// Method: real tables on a file system in memory, cut from a std::map by RapidCheck.
#include "engine/manifest/version.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/merging_iterator.h"
#include "engine/manifest/file_names.h"
#include "engine/sst/table_fixture.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

constexpr char kDir[] = "/db";

class Tables {
 public:
  Tables() { SHEARPIN_CHECK(fs_.CreateDir(kDir).ok()); }

  // Not empty.
  Version::TablePtr Make(const Entries& entries) {
    TableBuilderOptions options;
    options.block_size = 128;
    options.file_id = ++number_;
    const BuiltTable built = BuildTable(options, entries);
    auto file = fs_.OpenWritable(JoinPath(kDir, TableName(number_)), OpenMode::kCreateNew);
    SHEARPIN_CHECK(file.ok() && (*file)->Append(built.bytes).ok() && (*file)->Close().ok());
    const TableProperties& properties = built.info.properties;
    return std::make_shared<TableFile>(&fs_, RealScheduler(), kDir,
                                       FileMeta{.number = number_,
                                                .file_id = options.file_id,
                                                .size = built.info.file_size,
                                                .checksum = built.info.file_checksum,
                                                .entries = properties.entries,
                                                .smallest_sequence = properties.smallest_sequence,
                                                .largest_sequence = properties.largest_sequence,
                                                .smallest = properties.smallest_key,
                                                .largest = properties.largest_key});
  }

  // Of range tombstones alone; not none.
  Version::TablePtr MakeRanges(const std::vector<RangeTombstone>& tombstones) {
    MemoryWritableFile written;
    TableBuilder builder({.file_id = ++number_}, &written);
    SHEARPIN_CHECK(builder.SetRangeDeletes(RangeTombstones(tombstones).fragments()).ok());
    const StatusOr<TableInfo> info = builder.Finish();
    auto file = fs_.OpenWritable(JoinPath(kDir, TableName(number_)), OpenMode::kCreateNew);
    SHEARPIN_CHECK(info.ok() && (*file)->Append(written.contents()).ok() && (*file)->Close().ok());
    return std::make_shared<TableFile>(&fs_, RealScheduler(), kDir,
                                       FileMeta{.number = number_,
                                                .file_id = number_,
                                                .size = info->file_size,
                                                .checksum = info->file_checksum,
                                                .entries = info->properties.entries,
                                                .smallest_sequence = info->smallest_sequence,
                                                .largest_sequence = info->largest_sequence,
                                                .smallest = info->smallest,
                                                .largest = info->largest,
                                                .range_deletes = info->range_deletes});
  }

  // Cut between user keys, as a compaction would.
  Version::Tables MakeRun(const Entries& entries) {
    Version::Tables run;
    Entries part;
    for (const auto& [key, value] : entries) {
      const bool new_key = part.empty() || UserKey(part.rbegin()->first) != UserKey(key);
      if (new_key && !part.empty() && *rc::gen::inRange(0, 3) == 0) {
        run.push_back(Make(std::exchange(part, {})));
      }
      part.emplace(key, value);
    }
    if (!part.empty()) run.push_back(Make(part));
    return run;
  }

  void Remove(const TableFile& table) { SHEARPIN_CHECK(fs_.Unlink(table.path()).ok()); }

 private:
  faultfs::MemFileSystem fs_;
  uint64_t number_ = 0;
};

Entries One(std::string_view user_key, SequenceNumber sequence, std::string value) {
  return {{InternalKey(user_key, sequence), std::move(value)}};
}

std::shared_ptr<const Version> VersionOf(std::vector<std::pair<int, Version::TablePtr>> added) {
  return Version().With({.removed = {}, .added = std::move(added)});
}

RC_GTEST_PROP(LevelIterator, WalksBothWaysAsOneSource, ()) {
  Tables tables;
  const Entries entries = AnyEntries(60);
  const Version::Tables run = tables.MakeRun(entries);
  const auto it = NewLevelIterator(&run);
  Walk<InternalIterator> walk(it.get(), &entries);
  for (int i = 0; i < 60; ++i) {
    walk.Step();
    walk.AssertAgreement();
    RC_ASSERT(it->status().ok());
  }
}

// Versions of a key of one age, spread over level 0 and deeper levels: ages descend on the way.
struct Layers {
  Entries all;
  std::vector<std::pair<int, Version::TablePtr>> placed;
};

Layers AnyLayers(Tables* tables) {
  Layers layers;
  SequenceNumber next = 1;
  auto draw = [&] {
    Entries entries;
    for (int i = *rc::gen::inRange(0, 12); i > 0; --i) {
      const ValueType type = *rc::gen::element(ValueType::kDelete, ValueType::kValue);
      const std::string value = type == ValueType::kValue ? std::to_string(next) : "";
      entries.emplace(InternalKey(AnyUserKey(), next++, type), value);
    }
    layers.all.insert(entries.begin(), entries.end());
    return entries;
  };
  for (int level = kNumLevels - 1; level > 0; --level) {
    if (*rc::gen::arbitrary<bool>()) continue;
    for (const auto& table : tables->MakeRun(draw())) layers.placed.emplace_back(level, table);
  }
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    if (const Entries entries = draw(); !entries.empty()) {
      layers.placed.emplace_back(0, tables->Make(entries));
    }
  }
  return layers;
}

RC_GTEST_PROP(Version, GetFindsTheNewestVersionThroughAllLevels, ()) {
  Tables tables;
  Layers layers = AnyLayers(&tables);
  // In whatever order the tables are added.
  std::vector<std::pair<int, Version::TablePtr>> shuffled;
  while (!layers.placed.empty()) {
    const auto at = *rc::gen::inRange<size_t>(0, layers.placed.size());
    shuffled.push_back(layers.placed[at]);
    layers.placed.erase(layers.placed.begin() + static_cast<ptrdiff_t>(at));
  }
  const auto version = VersionOf(shuffled);
  for (int i = 0; i < 30; ++i) {
    const std::string user_key = AnyUserKey();
    const auto sequence = *rc::gen::inRange<SequenceNumber>(0, 60);
    const std::string seek_key = InternalKey(user_key, sequence, kSeekType);
    LoadedBlock block;
    Lookup found;
    RC_ASSERT(version->Get(seek_key, KeyHash(UserKey(seek_key)), &block, &found).ok());
    const auto expected = layers.all.lower_bound(seek_key);
    if (expected == layers.all.end() || UserKey(expected->first) != user_key) {
      RC_ASSERT(found.kind == Lookup::Kind::kAbsent);
    } else if (TypeOf(expected->first) == ValueType::kDelete) {
      RC_ASSERT(found.kind == Lookup::Kind::kDeleted);
    } else {
      RC_ASSERT(found.kind == Lookup::Kind::kValue);
      RC_ASSERT(found.value == expected->second);
      RC_ASSERT(found.sequence == SequenceOf(expected->first));
    }
  }
}

RC_GTEST_PROP(Version, ItsIteratorsTogetherAreAllOfIt, ()) {
  Tables tables;
  const Layers layers = AnyLayers(&tables);
  const auto version = VersionOf(layers.placed);
  std::vector<Version::Source> sources;
  version->AppendSources(&sources);
  std::vector<std::unique_ptr<InternalIterator>> iterators;
  for (Version::Source& source : sources) iterators.push_back(std::move(source.iterator));
  const auto merged = NewMergingIterator(std::move(iterators));
  Entries found;
  for (merged->SeekToFirst(); merged->Valid(); merged->Next()) {
    found.emplace(merged->key(), merged->value());
  }
  RC_ASSERT(merged->status().ok());
  RC_ASSERT(found == layers.all);
}

TEST(Version, AChangeMakesANewVersionAndLeavesTheOldAlone) {
  Tables tables;
  const auto old_table = tables.Make(One("k", 1, "old"));
  const auto other = tables.Make(One("m", 2, "other"));
  const auto before = VersionOf({{0, old_table}, {3, other}});
  const auto replacement = tables.Make(One("k", 3, "new"));
  const auto after =
      before->With({.removed = {old_table->meta().number}, .added = {{2, replacement}}});

  ASSERT_EQ(before->level(0).size(), 1u);
  EXPECT_EQ(before->level(0)[0], old_table);
  EXPECT_TRUE(before->level(2).empty());
  EXPECT_TRUE(after->level(0).empty());
  ASSERT_EQ(after->level(2).size(), 1u);
  EXPECT_EQ(after->level(2)[0], replacement);
  EXPECT_EQ(after->level(3), before->level(3));
  EXPECT_EQ(after->AllTables(), (Version::Tables{replacement, other}));
}

TEST(Version, OrdersLevel0ByAgeAndDeeperLevelsByKey) {
  Tables tables;
  const auto b = tables.Make(One("b", 5, "v"));
  const auto a = tables.Make(One("a", 7, "v"));
  const auto c = tables.Make(One("c", 6, "v"));
  EXPECT_EQ(VersionOf({{0, b}, {0, a}, {0, c}})->level(0), (Version::Tables{a, c, b}));
  EXPECT_EQ(VersionOf({{1, b}, {1, c}, {1, a}})->level(1), (Version::Tables{a, b, c}));
}

// Up to two letters, ascending.
std::vector<std::string> AllShortKeys() {
  std::vector<std::string> keys = {""};
  for (const char a : {'a', 'b', 'c'}) {
    keys.emplace_back(1, a);
    for (const char b : {'a', 'b', 'c'}) keys.push_back({a, b});
  }
  return keys;
}

RC_GTEST_PROP(Version, CoverOfIsTheNewestTombstoneOfAllTablesAndHoldsForItsSpan, ()) {
  Tables tables;
  const std::vector<std::string> keys = AllShortKeys();
  std::vector<RangeTombstone> all;
  std::vector<std::pair<int, Version::TablePtr>> placed;
  SequenceNumber next = 1;
  const auto place = [&](int level, size_t low, size_t high) {
    std::vector<RangeTombstone> tombstones;
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
      const auto begin = *rc::gen::inRange<size_t>(low, high);
      const auto end = *rc::gen::inRange<size_t>(begin + 1, high + 1);
      tombstones.push_back({keys[begin], keys[end], next++});
    }
    if (tombstones.empty()) return;
    all.insert(all.end(), tombstones.begin(), tombstones.end());
    placed.emplace_back(level, tables.MakeRanges(tombstones));
  };
  const size_t last = keys.size() - 1;
  for (int level = kNumLevels - 1; level > 0; --level) {
    // Tables of a level meet, or leave gaps, where one ends.
    for (size_t low = 0; low < last && level % 2 == 0;) {
      const auto high = *rc::gen::inRange<size_t>(low + 1, last + 1);
      place(level, low, high);
      low = high;
    }
  }
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) place(0, 0, last);
  const auto version = VersionOf(placed);
  RC_ASSERT(version->has_range_deletes() == !all.empty());

  const auto expected = [&](std::string_view key, SequenceNumber sequence) {
    SequenceNumber cover = 0;
    for (const RangeTombstone& tombstone : all) {
      if (tombstone.begin <= key && key < tombstone.end && tombstone.sequence <= sequence) {
        cover = std::max(cover, tombstone.sequence);
      }
    }
    return cover;
  };
  for (const std::string& key : keys) {
    const auto sequence = *rc::gen::inRange<SequenceNumber>(0, next + 1);
    KeySpan span;
    SequenceNumber cover = 77;
    RC_ASSERT(version->CoverOf(key, sequence, &span, &cover).ok());
    RC_ASSERT(cover == expected(key, sequence));
    RC_ASSERT(span.Contains(key));
    for (const std::string& other : keys) {
      if (span.Contains(other)) RC_ASSERT(expected(other, sequence) == cover);
    }
  }
}

TEST(Version, CoverOfFailsOnlyWhereATableThatCannotBeReadMayCover) {
  Tables tables;
  const auto gone = tables.MakeRanges({{"b", "d", 5}});
  tables.Remove(*gone);
  const auto version = VersionOf({{1, tables.MakeRanges({{"a", "b", 3}})}, {1, gone}});
  KeySpan span;
  SequenceNumber cover;
  EXPECT_TRUE(version->CoverOf("a", 9, &span, &cover).ok());
  EXPECT_EQ(cover, 3u);
  EXPECT_EQ(span.end, "b");
  span = KeySpan();
  EXPECT_FALSE(version->CoverOf("c", 9, &span, &cover).ok());
  span = KeySpan();
  EXPECT_TRUE(version->CoverOf("d", 9, &span, &cover).ok());
  EXPECT_EQ(cover, 0u);
}

// Level 0 holds newer data than level 1 even where its keys sort elsewhere.
TEST(Version, CoveredBelowLooksOnlyDeeper) {
  Tables tables;
  const auto version =
      VersionOf({{0, tables.Make(One("a", 3, "v"))},
                 {2, tables.Make(One("b", 2, "v"))},
                 {6, tables.Make({{InternalKey("c", 1), "v"}, {InternalKey("e", 1), "v"}})}});
  EXPECT_FALSE(version->CoveredBelow(0, "a"));
  EXPECT_TRUE(version->CoveredBelow(0, "b"));
  EXPECT_FALSE(version->CoveredBelow(2, "b"));
  EXPECT_TRUE(version->CoveredBelow(2, "c"));
  EXPECT_TRUE(version->CoveredBelow(5, "d"));  // between its keys: it may
  EXPECT_TRUE(version->CoveredBelow(5, "e"));
  EXPECT_FALSE(version->CoveredBelow(5, "f"));
  EXPECT_FALSE(version->CoveredBelow(6, "c"));
}

TEST(Version, AMissingTableFailsWhatNeedsItAndNothingElse) {
  Tables tables;
  const auto a = tables.Make(One("a", 1, "1"));
  const auto b = tables.Make(One("b", 2, "2"));
  const auto c = tables.Make(One("c", 3, "3"));
  tables.Remove(*b);
  const auto version = VersionOf({{1, a}, {1, b}, {1, c}});
  LoadedBlock block;
  Lookup found;
  EXPECT_TRUE(version->Get(InternalKey("a", 9, kSeekType), KeyHash("a"), &block, &found).ok());
  EXPECT_EQ(found.value, "1");
  const Status missing = version->Get(InternalKey("b", 9, kSeekType), KeyHash("b"), &block, &found);
  EXPECT_FALSE(missing.ok());
  EXPECT_NE(missing.ToString().find(b->path()), std::string::npos) << missing.ToString();
  EXPECT_TRUE(version->Get(InternalKey("c", 9, kSeekType), KeyHash("c"), &block, &found).ok());
  EXPECT_EQ(found.value, "3");
}

// An end would say that nothing follows; an error never skips what it could not read.
TEST(LevelIterator, StopsWithAnErrorAtATableItCannotOpen) {
  Tables tables;
  const Version::Tables run = {tables.Make(One("a", 1, "1")), tables.Make(One("b", 2, "2")),
                               tables.Make(One("c", 3, "3"))};
  tables.Remove(*run[1]);
  const auto it = NewLevelIterator(&run);
  it->SeekToFirst();
  ASSERT_TRUE(it->Valid());
  it->Next();
  EXPECT_FALSE(it->Valid());
  EXPECT_FALSE(it->status().ok());

  it->SeekToLast();
  ASSERT_TRUE(it->Valid());
  EXPECT_TRUE(it->status().ok());
  EXPECT_EQ(it->value(), "3");
  it->Prev();
  EXPECT_FALSE(it->Valid());
  EXPECT_FALSE(it->status().ok());

  it->Seek(InternalKey("c", 9, kSeekType));
  EXPECT_TRUE(it->Valid());
  it->SeekForPrev(InternalKey("b", 1, kSeekType));
  EXPECT_FALSE(it->Valid());
  EXPECT_FALSE(it->status().ok());
}

TEST(LevelIterator, OfALevel0TableThatCannotBeOpenedIsTheError) {
  Tables tables;
  const auto table = tables.Make(One("a", 1, "1"));
  tables.Remove(*table);
  const auto version = VersionOf({{0, table}});
  std::vector<Version::Source> sources;
  version->AppendSources(&sources);
  ASSERT_EQ(sources.size(), 1u);
  sources[0].iterator->SeekToFirst();
  EXPECT_FALSE(sources[0].iterator->Valid());
  EXPECT_FALSE(sources[0].iterator->status().ok());
}

}  // namespace
}  // namespace shearpin
