// Goal: rules R1 to R5 of log_recovery.h, each by itself: which logs and which of their records
// are replayed, what is dropped as a torn tail, and what is refused as damage, naming the file.
// Method: logs built record by record in memory, damaged by hand; every cut and flipped bit of a
// chain of three.
#include "engine/db/log_recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/manifest/file_names.h"
#include "engine/wal/log_reader.h"
#include "engine/wal/log_writer.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kDir[] = "/db";
constexpr uint64_t kDatabase = 42;

// "payload", or "!payload" for one that is followed by a sync.
using Payloads = std::vector<std::string>;

// Zeros fill the rest of the header.
constexpr size_t kHeaderFieldBytes = 72;

// True for a byte between header and records, or between records.
bool FillsASector(const std::string& log, size_t at) {
  auto reader = LogReader::Open(LogKind::kWal, log);
  EXPECT_TRUE(reader.ok());
  if (at < kHeaderFieldBytes) return false;
  for (LogRecord record; reader->Next(&record);) {
    if (at >= record.offset && at < record.end) return false;
  }
  return true;
}

class LogRecoveryTest : public ::testing::Test, public EventListener {
 protected:
  LogRecoveryTest() {
    EXPECT_TRUE(fs_.CreateDir(kDir).ok());
    input_.directory = kDir;
    input_.database_id = kDatabase;
    input_.log_floor = 1;
  }

  // A log whose header is durable, with these records; its length.
  uint64_t MakeLog(uint64_t number, const LogEnd& predecessor, uint64_t predecessor_synced,
                   const Payloads& payloads) {
    const LogHeader header{.database_id = kDatabase,
                           .number = number,
                           .salt = number * 1000,
                           .predecessor = predecessor.number,
                           .predecessor_length = predecessor.length,
                           .predecessor_synced = predecessor_synced};
    auto log = LogWriter::Create(&fs_, Path(number), LogKind::kWal, header);
    EXPECT_TRUE(log.ok()) << log.status().ToString();
    EXPECT_TRUE((*log)->Sync().ok());
    for (const std::string& payload : payloads) {
      const bool sync = payload.front() == '!';
      const std::string_view bytes = std::string_view(payload).substr(sync);
      const auto fill = sync ? LogWriter::Fill::kNow : LogWriter::Fill::kLater;
      EXPECT_TRUE((*log)->Append(++sequence_, std::span(&bytes, 1), fill).ok());
      if (sync) {
        EXPECT_TRUE((*log)->Sync().ok());
      }
    }
    const uint64_t length = (*log)->size();
    EXPECT_TRUE((*log)->Close().ok());
    input_.log_numbers.push_back(number);
    return length;
  }

  static std::string Path(uint64_t number) { return JoinPath(kDir, WalName(number)); }

  std::string Read(uint64_t number) {
    std::string contents;
    EXPECT_TRUE(ReadFile(&fs_, Path(number), &contents).ok());
    return contents;
  }
  void Write(uint64_t number, const std::string& contents) {
    auto file = fs_.OpenWritable(Path(number), OpenMode::kTruncate);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(contents).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  void Flip(uint64_t number, uint64_t offset) {
    std::string contents = Read(number);
    contents[offset] ^= 1;
    Write(number, contents);
  }
  void Remove(uint64_t number) {
    ASSERT_TRUE(fs_.Unlink(Path(number)).ok());
    std::erase(input_.log_numbers, number);
  }

  Status Recover() {
    replayed_.clear();
    events_.clear();
    auto end = RecoverLogs(&fs_, input_, this, [&](const std::string&, const LogRecord& record) {
      replayed_.emplace_back(record.payload);
      return Status::Ok();
    });
    if (end.ok()) end_ = *end;
    return end.status();
  }

  void ExpectCorruption(const std::string& text) {
    const Status status = Recover();
    EXPECT_TRUE(status.IsCorruption()) << status.ToString();
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }

  void OnEvent(const Event& event) override {
    events_.push_back(std::string(EventKindName(event.kind)) + " " + std::to_string(event.number));
  }

  faultfs::MemFileSystem fs_;
  LogRecoveryInput input_;
  std::vector<std::string> replayed_;
  std::vector<std::string> events_;
  LogEnd end_;
  uint64_t sequence_ = 0;
};

TEST_F(LogRecoveryTest, NoLogsAndNoFloorIsAnEmptyHistory) {
  input_.log_floor = 0;
  ASSERT_TRUE(Recover().ok());
  EXPECT_EQ(end_.number, 0u);
}

TEST_F(LogRecoveryTest, R1TheChainIsReplayedInOrder) {
  const uint64_t first = MakeLog(1, {}, 0, {"a", "b"});
  const uint64_t second = MakeLog(4, {1, first}, kLogHeaderSize, {"c"});
  const uint64_t third = MakeLog(9, {4, second}, kLogHeaderSize, {"d", "e"});
  ASSERT_TRUE(Recover().ok());
  EXPECT_THAT(replayed_, ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_EQ(end_.number, 9u);
  EXPECT_EQ(end_.length, third);
}

TEST_F(LogRecoveryTest, R1LogsBelowTheFloorAreNotLookedAt) {
  const uint64_t first = MakeLog(1, {}, 0, {"flushed"});
  MakeLog(2, {1, first}, first, {"kept"});
  input_.log_floor = 2;
  Write(1, "garbage that was never unlinked");
  ASSERT_TRUE(Recover().ok());
  EXPECT_THAT(replayed_, ElementsAre("kept"));
}

TEST_F(LogRecoveryTest, R1AMissingLogOfTheChainIsNamed) {
  const uint64_t first = MakeLog(1, {}, 0, {"a"});
  const uint64_t second = MakeLog(2, {1, first}, kLogHeaderSize, {"b"});
  MakeLog(3, {2, second}, kLogHeaderSize, {"c"});
  Remove(2);
  ExpectCorruption("/db/000002.wal: missing, though 000003.wal needs it");
  Remove(3);
  Remove(1);
  ExpectCorruption("/db/000001.wal: missing, though the MANIFEST needs it");
}

TEST_F(LogRecoveryTest, R1ALogThatACleanCloseSealedMustBeThere) {
  const uint64_t first = MakeLog(1, {}, 0, {"a"});
  const uint64_t second = MakeLog(2, {1, first}, kLogHeaderSize, {"b"});
  input_.sealed_logs = {{1, first}, {2, second}};
  Remove(2);
  ExpectCorruption("/db/000002.wal: missing, though the MANIFEST needs it");
}

TEST_F(LogRecoveryTest, R1LeftoversOfARecoveryThatCrashedHoldNothing) {
  const uint64_t first = MakeLog(1, {}, 0, {"a"});
  // Two recoveries that each began a log after 1, and only the second became the database.
  MakeLog(2, {1, first}, 0, {});
  MakeLog(5, {1, first}, 0, {"b"});
  ASSERT_TRUE(Recover().ok());
  EXPECT_THAT(replayed_, ElementsAre("a", "b"));
}

TEST_F(LogRecoveryTest, R1ALogOfAnotherDatabaseOrNumberIsRefused) {
  MakeLog(1, {}, 0, {"a"});
  input_.database_id = 43;
  ExpectCorruption("/db/000001.wal: its header names log 1 of database 42, not log 1 of 43");
  input_.database_id = kDatabase;
  Write(7, Read(1));
  input_.log_numbers.push_back(7);
  ExpectCorruption("/db/000007.wal: its header names log 1");
}

TEST_F(LogRecoveryTest, R1APredecessorThatIsLaterIsRefused) {
  MakeLog(1, {}, 0, {"a"});
  MakeLog(3, {5, kLogHeaderSize}, 0, {});
  ExpectCorruption("/db/000003.wal: its header names a later predecessor, 5");
}

TEST_F(LogRecoveryTest, R2ABrokenHeaderInAShortFileIsACreationCutShort) {
  const uint64_t first = MakeLog(1, {}, 0, {"a"});
  MakeLog(2, {1, first}, kLogHeaderSize, {});
  const std::string header = Read(2);
  for (size_t length = 0; length < kLogHeaderSize; ++length) {
    Write(2, header.substr(0, length));
    ASSERT_TRUE(Recover().ok()) << length;
    EXPECT_THAT(replayed_, ElementsAre("a"));
  }
  Write(2, std::string(kLogHeaderSize, '\0'));
  ASSERT_TRUE(Recover().ok());
  EXPECT_EQ(end_.number, 1u);
}

TEST_F(LogRecoveryTest, R2AnotherLogsHeaderAloneIsWhatARecycledBlockHeld) {
  const uint64_t first = MakeLog(1, {}, 0, {"a"});
  MakeLog(2, {1, first}, kLogHeaderSize, {});
  Write(2, Read(1).substr(0, kLogHeaderSize));
  ASSERT_TRUE(Recover().ok());
  EXPECT_THAT(replayed_, ElementsAre("a"));
  // With a record behind it, it had a header of its own once.
  Write(2, Read(1));
  ExpectCorruption("/db/000002.wal: its header names log 1");
}

TEST_F(LogRecoveryTest, R2ABrokenHeaderInALongerFileIsDamage) {
  const uint64_t first = MakeLog(1, {}, 0, {"a"});
  MakeLog(2, {1, first}, kLogHeaderSize, {"b"});
  Flip(2, 20);
  ExpectCorruption("/db/000002.wal: header checksum mismatch");
}

TEST_F(LogRecoveryTest, R2TheFloorAndSealedLogsWereWholeOnce) {
  MakeLog(1, {}, 0, {});
  Write(1, Read(1).substr(0, 40));
  ExpectCorruption("/db/000001.wal: header ends after 40 of 512 bytes");

  Remove(1);
  const uint64_t first = MakeLog(1, {}, 0, {"a"});
  MakeLog(2, {1, first}, kLogHeaderSize, {});
  Write(2, "");
  input_.sealed_logs[2] = kLogHeaderSize;
  ExpectCorruption("/db/000002.wal: header ends after 0 of 512 bytes");
}

TEST_F(LogRecoveryTest, R3NothingBeyondTheLengthThatTheSuccessorStatesCounts) {
  // A recovery accepted "a" alone, since "b" was torn then; later the disk showed "b" after all.
  const uint64_t accepted = MakeLog(1, {}, 0, {"a"});
  Remove(1);
  sequence_ = 0;
  MakeLog(1, {}, 0, {"a", "b"});
  MakeLog(2, {1, accepted}, 0, {"c"});
  ASSERT_TRUE(Recover().ok());
  EXPECT_THAT(replayed_, ElementsAre("a", "c"));
}

TEST_F(LogRecoveryTest, R3TheLastLogCountsUpToItsFirstBrokenRecord) {
  MakeLog(1, {}, 0, {"a", "b", "c"});
  Flip(1, Read(1).size() - 8);
  ASSERT_TRUE(Recover().ok());
  EXPECT_THAT(replayed_, ElementsAre("a", "b"));
  EXPECT_THAT(events_, ElementsAre("recovered-log 1", "torn-tail 1"));
}

TEST_F(LogRecoveryTest, R4ALaterRecordsPromiseMakesDamageOfAHole) {
  MakeLog(1, {}, 0, {"!a", "b"});
  Flip(1, kLogHeaderSize + kLogRecordHeaderSize);
  ExpectCorruption("/db/000001.wal: damaged or cut at offset 512");
}

TEST_F(LogRecoveryTest, R4ASuccessorsHeaderPromisesWhatWasSyncedByThen) {
  const uint64_t synced = MakeLog(1, {}, 0, {"a", "!b"});
  MakeLog(2, {1, synced}, synced, {});
  Write(1, Read(1).substr(0, synced - 8));
  ExpectCorruption("/db/000001.wal: damaged or cut at offset");
}

TEST_F(LogRecoveryTest, R4ASealPromisesWhatACleanCloseLeft) {
  const uint64_t length = MakeLog(1, {}, 0, {"a", "b"});
  Write(1, Read(1).substr(0, length - 8));
  ASSERT_TRUE(Recover().ok());
  EXPECT_THAT(replayed_, ElementsAre("a"));
  input_.sealed_logs[1] = length;
  ExpectCorruption("/db/000001.wal: damaged or cut at offset");
}

TEST_F(LogRecoveryTest, R4ARecordAfterASyncPromisesAllOlderLogsWhole) {
  const uint64_t first = MakeLog(1, {}, 0, {"a", "b"});
  const uint64_t second = MakeLog(2, {1, first}, kLogHeaderSize, {"c"});
  // "d" was synced, and with it, before it, logs 1 and 2; "e" says that it was.
  MakeLog(3, {2, second}, kLogHeaderSize, {"!d", "e"});
  const std::string whole = Read(1);
  Write(1, whole.substr(0, first - 8));
  ExpectCorruption("/db/000001.wal: damaged or cut at offset");
  Write(1, whole);
  Write(2, Read(2).substr(0, kLogHeaderSize));
  ExpectCorruption("/db/000002.wal: damaged or cut at offset 512");
}

TEST_F(LogRecoveryTest, R5AnUnpromisedHoleEndsTheHistory) {
  const uint64_t first = MakeLog(1, {}, 0, {"a", "b"});
  const uint64_t second = MakeLog(2, {1, first}, kLogHeaderSize, {"c"});
  MakeLog(3, {2, second}, kLogHeaderSize, {"d"});
  Write(1, Read(1).substr(0, first - 8));
  ASSERT_TRUE(Recover().ok());
  EXPECT_THAT(replayed_, ElementsAre("a"));
  EXPECT_EQ(end_.number, 1u);
  EXPECT_THAT(events_,
              ElementsAre("recovered-log 1", "torn-tail 1", "dropped-log 2", "dropped-log 3"));
}

TEST_F(LogRecoveryTest, R5TheNextRecoveryDecidesTheSameWay) {
  const uint64_t first = MakeLog(1, {}, 0, {"a", "b"});
  MakeLog(2, {1, first}, kLogHeaderSize, {"c"});
  const std::string whole = Read(1);
  Write(1, whole.substr(0, first - 8));
  ASSERT_TRUE(Recover().ok());
  // The recovery begins log 3 with what it accepted, and crashes. Then the lost page shows up.
  const LogEnd decided = end_;
  MakeLog(3, decided, 0, {});
  Write(1, whole);
  ASSERT_TRUE(Recover().ok());
  EXPECT_THAT(replayed_, ElementsAre("a"));
  // Log 3 has no record, and may be known to the page cache only: nothing is built upon it.
  EXPECT_EQ(end_.number, decided.number);
  EXPECT_EQ(end_.length, decided.length);
}

TEST_F(LogRecoveryTest, ReplaysErrorEndsTheRecovery) {
  MakeLog(1, {}, 0, {"a", "b"});
  int calls = 0;
  const auto end = RecoverLogs(&fs_, input_, nullptr, [&](const std::string&, const LogRecord&) {
    ++calls;
    return Status::Corruption("no");
  });
  EXPECT_TRUE(end.status().IsCorruption());
  EXPECT_EQ(calls, 1);
}

// Whatever is cut or flipped in any one log: a prefix, or an error that names a file.
TEST_F(LogRecoveryTest, EveryCutAndFlipGivesAPrefixOrAnError) {
  const uint64_t first = MakeLog(1, {}, 0, {"a", "!b", "c"});
  const uint64_t synced = kLogHeaderSize + 2 * 40;  // "a" and "b"
  const uint64_t second = MakeLog(2, {1, first}, synced, {"d", "e"});
  MakeLog(3, {2, second}, kLogHeaderSize, {"f", "!g", "h"});
  ASSERT_TRUE(Recover().ok());
  const std::vector<std::string> all = replayed_;
  ASSERT_EQ(all.size(), 8u);
  auto is_prefix = [&](const std::string& what) {
    const Status status = Recover();
    if (!status.ok()) {
      EXPECT_TRUE(status.IsCorruption()) << what << ": " << status.ToString();
      EXPECT_THAT(std::string(status.message()), HasSubstr(".wal")) << what;
      return false;
    }
    EXPECT_LE(replayed_.size(), all.size()) << what;
    EXPECT_TRUE(std::equal(replayed_.begin(), replayed_.end(), all.begin())) << what;
    return true;
  };
  const uint64_t last_record = Read(3).size() - 40;
  for (const uint64_t number : {1, 2, 3}) {
    const std::string whole = Read(number);
    for (size_t length = 0; length < whole.size(); ++length) {
      Write(number, whole.substr(0, length));
      const std::string what =
          "log " + std::to_string(number) + " cut at " + std::to_string(length);
      // "h", written after the sync of "g", promises logs 1 and 2 whole.
      EXPECT_EQ(is_prefix(what), number == 3) << what;
    }
    for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      if (FillsASector(whole, bit / 8)) continue;
      std::string damaged = whole;
      damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
      Write(number, damaged);
      const std::string what = "log " + std::to_string(number) + " bit " + std::to_string(bit);
      // And log 3 up to itself.
      EXPECT_EQ(is_prefix(what), number == 3 && bit / 8 >= last_record) << what;
    }
    Write(number, whole);
  }
}

}  // namespace
}  // namespace shearpin
