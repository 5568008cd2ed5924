// Goal: a log gives back exactly the records that are whole and its own, in order; what is not
// whole ends it, and what durable promises say about bytes beyond that end is reported.
// Method: RapidCheck round trips through LogWriter and LogReader; then, on small logs, every
// truncation, every flipped bit, and records transplanted from other files and other offsets.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/coding.h"
#include "engine/base/hash.h"
#include "engine/wal/crashing_file_system.h"
#include "engine/wal/log_format.h"
#include "engine/wal/log_reader.h"
#include "engine/wal/log_writer.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

constexpr LogHeader kHeader = {.database_id = 11,
                               .number = 5,
                               .salt = 0x1234'5678'9abc'def0,
                               .predecessor = 4,
                               .predecessor_length = 400,
                               .predecessor_synced = 160};

// Zeros fill the rest of the header.
constexpr size_t kHeaderFieldBytes = 72;

struct Record {
  uint64_t offset;
  uint64_t end;
  uint64_t sequence;
  uint64_t synced;
  std::string payload;

  bool operator==(const Record&) const = default;
};

struct BuiltLog {
  std::string bytes;
  std::vector<Record> records;
};

// One record for each payload; a sync comes before those where `sync_before` says so.
BuiltLog Build(const LogHeader& header,
               const std::vector<std::pair<bool, std::string>>& sync_before_and_payload) {
  faultfs::MemFileSystem fs;
  auto writer = LogWriter::Create(&fs, "/log", LogKind::kWal, header);
  EXPECT_TRUE(writer.ok()) << writer.status().ToString();
  BuiltLog built;
  uint64_t sequence = 1;
  for (const auto& [sync_before, payload] : sync_before_and_payload) {
    if (sync_before) {
      EXPECT_TRUE((*writer)->Sync().ok());
    }
    const uint64_t synced = (*writer)->synced_size();
    const std::string_view bytes = payload;
    EXPECT_TRUE((*writer)->Append(sequence, std::span(&bytes, 1), LogWriter::Fill::kLater).ok());
    const uint64_t end = (*writer)->size();
    const uint64_t offset = end - AlignLogOffset(kLogRecordHeaderSize + payload.size());
    built.records.push_back({offset, end, sequence, synced, payload});
    sequence += 3;
  }
  EXPECT_TRUE((*writer)->Close().ok());
  EXPECT_TRUE(ReadFile(&fs, "/log", &built.bytes).ok());
  return built;
}

BuiltLog SmallLog() {
  return Build(kHeader, {{true, "one"},
                         {false, "the second"},
                         {true, "3"},
                         {true, "fourth...."},
                         {false, "and the fifth, which is longer"}});
}

std::vector<Record> ReadRecords(LogReader* reader) {
  std::vector<Record> records;
  for (LogRecord r; reader->Next(&r);) {
    records.push_back({r.offset, r.end, r.sequence, r.synced, std::string(r.payload)});
  }
  return records;
}

std::vector<Record> FirstRecords(const BuiltLog& log, size_t n) {
  return {log.records.begin(), log.records.begin() + static_cast<ptrdiff_t>(n)};
}

TEST(LogHeader, RoundTripsAndRejectsEveryFlipAndCut) {
  const std::string bytes = EncodeLogHeader(LogKind::kWal, kHeader);
  ASSERT_EQ(bytes.size(), kLogHeaderSize);
  LogHeader decoded;
  ASSERT_TRUE(DecodeLogHeader(LogKind::kWal, bytes, &decoded).ok());
  EXPECT_EQ(EncodeLogHeader(LogKind::kWal, decoded), bytes);
  EXPECT_EQ(decoded.predecessor_synced, kHeader.predecessor_synced);
  EXPECT_TRUE(DecodeLogHeader(LogKind::kManifest, bytes, &decoded).IsCorruption());
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_TRUE(DecodeLogHeader(LogKind::kWal, bytes.substr(0, length), &decoded).IsCorruption());
  }
  for (size_t bit = 0; bit < 8 * kHeaderFieldBytes; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_TRUE(DecodeLogHeader(LogKind::kWal, damaged, &decoded).IsCorruption()) << bit;
  }
}

TEST(LogHeader, AnotherVersionIsNotSupportedRatherThanDamaged) {
  std::string bytes = EncodeLogHeader(LogKind::kWal, kHeader);
  StoreFixed32(bytes.data() + 8, kLogFormatVersion + 1);
  StoreFixed64(bytes.data() + 64, Checksum(std::string_view(bytes).substr(0, 64), 0));
  LogHeader decoded;
  const Status status = DecodeLogHeader(LogKind::kWal, bytes, &decoded);
  EXPECT_TRUE(status.IsNotSupported());
  EXPECT_NE(status.message().find("format version 2"), std::string_view::npos);
}

RC_GTEST_PROP(Log, RoundTripsAnyRecords, ()) {
  const auto payload =
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
  const BuiltLog log =
      Build(kHeader, *rc::gen::container<std::vector<std::pair<bool, std::string>>>(
                         rc::gen::pair(rc::gen::arbitrary<bool>(), payload)));
  auto reader = LogReader::Open(LogKind::kWal, log.bytes);
  RC_ASSERT(reader.ok());
  RC_ASSERT(reader->header().salt == kHeader.salt);
  RC_ASSERT(ReadRecords(&*reader) == log.records);
  RC_ASSERT(reader->end() == (log.records.empty() ? kLogHeaderSize : log.bytes.size()));
  RC_ASSERT(reader->CleanEnd());
  RC_ASSERT(reader->PromiseBeyondEnd() == 0u);
  for (const Record& record : log.records) RC_ASSERT(record.offset % kLogAlignment == 0u);
}

TEST(Log, CutAtEveryByteGivesTheWholeRecordsBeforeTheCut) {
  const BuiltLog log = SmallLog();
  for (size_t length = kLogHeaderSize; length <= log.bytes.size(); ++length) {
    auto reader = LogReader::Open(LogKind::kWal, std::string_view(log.bytes).substr(0, length));
    ASSERT_TRUE(reader.ok());
    const size_t whole = static_cast<size_t>(
        std::count_if(log.records.begin(), log.records.end(),
                      [&](const Record& record) { return record.end <= length; }));
    EXPECT_EQ(ReadRecords(&*reader), FirstRecords(log, whole)) << "cut at " << length;
    EXPECT_EQ(reader->PromiseBeyondEnd(), 0u) << "nothing beyond the cut can promise";
  }
}

TEST(Log, EveryFlippedBitEndsTheLogAtItsRecordAndLaterPromisesAreFound) {
  const BuiltLog log = SmallLog();
  for (size_t bit = 8 * kLogHeaderSize; bit < 8 * log.bytes.size(); ++bit) {
    std::string damaged = log.bytes;
    damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
    size_t hit = 0;
    while (log.records[hit].end <= bit / 8) ++hit;
    if (bit / 8 < log.records[hit].offset) {  // fills a sector: nobody's
      auto reader = LogReader::Open(LogKind::kWal, damaged);
      EXPECT_EQ(ReadRecords(&*reader), log.records) << "bit " << bit;
      continue;
    }
    const uint64_t end = hit == 0 ? kLogHeaderSize : log.records[hit - 1].end;
    uint64_t promise = 0;
    for (size_t later = hit + 1; later < log.records.size(); ++later) {
      if (log.records[later].synced > end) promise = std::max(promise, log.records[later].synced);
    }
    auto reader = LogReader::Open(LogKind::kWal, damaged);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ(ReadRecords(&*reader), FirstRecords(log, hit)) << "bit " << bit;
    EXPECT_EQ(reader->end(), end);
    EXPECT_FALSE(reader->CleanEnd());
    EXPECT_EQ(reader->PromiseBeyondEnd(), promise) << "bit " << bit;
  }
}

TEST(Log, AZeroedRecordBetweenWholeOnesIsTornUnlessALaterOnePromisedIt) {
  // The middle of three unsynced records never reached the disk: legal, so nothing is promised.
  BuiltLog log = Build(kHeader, {{true, "first"}, {false, "second"}, {false, "third"}});
  std::fill_n(log.bytes.begin() + static_cast<ptrdiff_t>(log.records[1].offset),
              log.records[1].end - log.records[1].offset, '\0');
  auto reader = LogReader::Open(LogKind::kWal, log.bytes);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(ReadRecords(&*reader), FirstRecords(log, 1));
  EXPECT_LE(reader->PromiseBeyondEnd(), reader->end());

  // The same hole behind a sync is damage.
  log = Build(kHeader, {{true, "first"}, {false, "second"}, {true, "third"}});
  std::fill_n(log.bytes.begin() + static_cast<ptrdiff_t>(log.records[1].offset),
              log.records[1].end - log.records[1].offset, '\0');
  reader = LogReader::Open(LogKind::kWal, log.bytes);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(ReadRecords(&*reader), FirstRecords(log, 1));
  EXPECT_EQ(reader->PromiseBeyondEnd(), log.records[1].end);
}

TEST(Log, ZerosAfterTheEndAreAPreallocatedExtent) {
  const BuiltLog log = SmallLog();
  for (size_t zeros : {1, 7, 8, 31, 32, 4096}) {
    std::string extended = log.bytes + std::string(zeros, '\0');
    auto reader = LogReader::Open(LogKind::kWal, extended);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ(ReadRecords(&*reader), log.records);
    EXPECT_TRUE(reader->CleanEnd());
    extended.back() = 1;
    reader = LogReader::Open(LogKind::kWal, extended);
    ReadRecords(&*reader);
    EXPECT_FALSE(reader->CleanEnd());
  }
}

// Recycled blocks may hold what an older log, or this one, wrote there or elsewhere.
RC_GTEST_PROP(Log, RecordsOfAnotherFileOrOffsetAreNeverAccepted, ()) {
  const auto payload =
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
  const auto steps =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<std::pair<bool, std::string>>>(
          rc::gen::pair(rc::gen::arbitrary<bool>(), payload)));
  const BuiltLog log = Build(kHeader, steps);
  const size_t kept = *rc::gen::inRange<size_t>(0, log.records.size());
  const uint64_t cut = log.records[kept].offset;

  LogHeader other = kHeader;
  other.salt += *rc::gen::inRange<uint64_t>(1, 1000);
  const std::string stale = log.bytes.substr(0, cut) + Build(other, steps).bytes.substr(cut);
  auto reader = LogReader::Open(LogKind::kWal, stale);
  RC_ASSERT(reader.ok());
  RC_ASSERT(ReadRecords(&*reader) == FirstRecords(log, kept));
  RC_ASSERT(reader->PromiseBeyondEnd() == 0u);

  // Its own records, whole and checksummed, but moved.
  const size_t shift = kLogAlignment * *rc::gen::inRange<size_t>(1, 20);
  const std::string moved =
      log.bytes.substr(0, cut) + std::string(shift, '\0') + log.bytes.substr(cut);
  reader = LogReader::Open(LogKind::kWal, moved);
  RC_ASSERT(ReadRecords(&*reader) == FirstRecords(log, kept));
  RC_ASSERT(reader->PromiseBeyondEnd() == 0u);
}

TEST(Log, APayloadThatLooksLikeRecordsIsAPayload) {
  const BuiltLog inner = SmallLog();
  const BuiltLog outer = Build(kHeader, {{true, inner.bytes}, {true, "after"}});
  auto reader = LogReader::Open(LogKind::kWal, outer.bytes);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(ReadRecords(&*reader), outer.records);
}

TEST(LogWriter, NothingIsWrittenIntoASectorThatHoldsSyncedBytes) {
  const BuiltLog log = SmallLog();
  uint64_t previous_end = kLogHeaderSize;
  for (const Record& record : log.records) {
    const bool after_sync = record.synced == previous_end;
    EXPECT_EQ(record.offset, after_sync ? AlignLogSector(previous_end) : previous_end);
    previous_end = record.end;
  }
}

TEST(LogWriter, WritesOnlyNewFiles) {
  faultfs::MemFileSystem fs;
  ASSERT_TRUE(LogWriter::Create(&fs, "/log", LogKind::kWal, kHeader).ok());
  EXPECT_TRUE(LogWriter::Create(&fs, "/log", LogKind::kWal, kHeader).status().IsAlreadyExists());
}

TEST(LogWriter, ASyncThatFailedPromisesNothing) {
  faultfs::MemFileSystem base;
  CrashingFileSystem fs(&base, 3);  // open, header, record
  auto writer = LogWriter::Create(&fs, "/log", LogKind::kWal, kHeader);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Append(1, "payload").ok());
  EXPECT_TRUE((*writer)->Sync().IsIoError());
  EXPECT_EQ((*writer)->synced_size(), 0u);
}

TEST(LogWriter, ASyncOfWhatIsDurableAlreadyCostsNothing) {
  faultfs::MemFileSystem base;
  CrashingFileSystem fs(&base, UINT64_MAX);
  auto writer = LogWriter::Create(&fs, "/log", LogKind::kWal, kHeader);
  ASSERT_TRUE((*writer)->Sync().ok());
  EXPECT_EQ((*writer)->synced_size(), (*writer)->size());
  const uint64_t before = fs.changes();
  ASSERT_TRUE((*writer)->Sync().ok());
  EXPECT_EQ(fs.changes(), before);
}

}  // namespace
}  // namespace shearpin
