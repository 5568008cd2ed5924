// Goal: LOG tells the story of a database, line by line, with the Clock's time; and nothing that
// happens to that file touches the database. Method: the lines of known operations; file systems
// that fail on LOG alone; a RapidCheck property over arbitrary texts.
#include "engine/log_sink/info_log.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "engine/db.h"
#include "engine/db/failing_file_system.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

// Wall time stands still, at 2020-01-01 00:00:01.5.
class StoppedClock : public Clock {
 public:
  uint64_t NowMicros() override { return RealClock()->NowMicros(); }
  uint64_t WallMicros() override { return 1'577'836'801'500'000; }
};

class InfoLogTest : public testing::Test {
 protected:
  InfoLogTest() {
    options_.env.file_system = &fs_;
    options_.env.clock = &clock_;
    options_.info_log = true;
  }

  std::unique_ptr<DB> MustOpen() {
    auto db = DB::Open(options_, "/db");
    EXPECT_TRUE(db.ok()) << db.status().ToString();
    return db.ok() ? *std::move(db) : nullptr;
  }
  std::string Contents(const std::string& name) {
    std::string contents;
    const Status status = ReadFile(&memory_, "/db/" + name, &contents);
    return status.ok() ? contents : status.ToString();
  }
  // The first line that has all of `parts`, in this order.
  static bool Tells(const std::string& log, const std::vector<std::string>& parts) {
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
      size_t at = 0;
      for (const std::string& part : parts) {
        at = line.find(part, at);
        if (at == std::string::npos) break;
        at += part.size();
      }
      if (at != std::string::npos) return true;
    }
    return false;
  }

  faultfs::MemFileSystem memory_;
  FailingFileSystem fs_{&memory_};
  StoppedClock clock_;
  Options options_;
};

TEST_F(InfoLogTest, TellsTheStoryOfADatabase) {
  auto db = MustOpen();
  ASSERT_TRUE(db->Put("key", "value").ok());
  ASSERT_TRUE(db->Flush().ok());
  ASSERT_TRUE(db->CompactRange(nullptr, nullptr).ok());
  ASSERT_TRUE(db->Close().ok());
  const std::string log = Contents("LOG");
  EXPECT_TRUE(log.starts_with("2020-01-01 00:00:01.500000Z I opening /db ")) << log;
  EXPECT_TRUE(Tells(log, {"opening /db", "write_buffer_size=67108864"})) << log;
  EXPECT_TRUE(Tells(log, {"opened", "last-sequence=0", "tables=0"})) << log;
  EXPECT_TRUE(Tells(log, {"flush-done table=", "bytes=", "took-micros="})) << log;
  EXPECT_TRUE(Tells(log, {"compaction-begun inputs=1 reason=manual levels=0>"})) << log;
  EXPECT_TRUE(Tells(log, {"compaction-done bytes=", "outputs=1", "took-micros="})) << log;
  EXPECT_TRUE(log.ends_with("closed OK\n")) << log;
}

TEST_F(InfoLogTest, IsNotThereUnlessAskedFor) {
  options_.info_log = false;
  auto db = MustOpen();
  ASSERT_TRUE(db->Close().ok());
  EXPECT_TRUE(memory_.Exists("/db/LOG").IsNotFound());
}

TEST_F(InfoLogTest, KeepsTheLogOfTheOpeningBefore) {
  ASSERT_TRUE(MustOpen()->Close().ok());
  const std::string first = Contents("LOG");
  ASSERT_TRUE(MustOpen()->Close().ok());
  EXPECT_EQ(Contents("LOG.old"), first);
  EXPECT_TRUE(Tells(Contents("LOG"), {"recovered-log log=", "bytes="})) << Contents("LOG");
}

TEST_F(InfoLogTest, BeginsANewFileAtItsSize) {
  options_.info_log_rotate_size = 1024;
  auto db = MustOpen();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(db->Put("key", std::to_string(i)).ok());
    ASSERT_TRUE(db->Flush().ok());
  }
  ASSERT_TRUE(db->Close().ok());
  EXPECT_GE(Contents("LOG.old").size(), 1024u);
  EXPECT_FALSE(Tells(Contents("LOG"), {"opening"}));
}

TEST_F(InfoLogTest, TellsWhyWritesStoppedAndThatTheyGoOn) {
  auto db = MustOpen();
  fs_.FailAt(0, 1, StatusCode::kIoError, ".wal");
  ASSERT_FALSE(db->Put("key", "value").ok());
  ASSERT_TRUE(db->Resume().ok());
  ASSERT_TRUE(db->Close().ok());
  const std::string log = Contents("LOG");
  EXPECT_TRUE(Tells(log, {" E writer-poisoned", ".wal: append was made to fail"})) << log;
  EXPECT_TRUE(Tells(log, {" I resumed log="})) << log;
}

TEST_F(InfoLogTest, TellsWhyAnOpeningFailed) {
  ASSERT_TRUE(MustOpen()->Close().ok());
  options_.error_if_exists = true;
  EXPECT_FALSE(DB::Open(options_, "/db").ok());
  EXPECT_TRUE(Tells(Contents("LOG"), {" E open-failed", "holds a database already"}));
}

TEST_F(InfoLogTest, ItsErrorsHurtNobodyAndLostLinesAreCounted) {
  fs_.FailAt(0, 3, StatusCode::kNoSpace, "LOG");
  auto db = MustOpen();
  // However slow its thread is: as long as it takes until it has met the last error.
  for (int i = 0; fs_.failed() < 3; ++i) {
    ASSERT_LT(i, 100000);
    ASSERT_TRUE(db->Put("key", std::to_string(i)).ok());
    ASSERT_TRUE(db->Flush().ok());
  }
  ASSERT_TRUE(db->Close().ok());
  const std::string log = Contents("LOG");
  EXPECT_EQ(fs_.failed(), 3u);
  EXPECT_TRUE(Tells(log, {"lines are missing here", "was made to fail"})) << log;
}

TEST_F(InfoLogTest, ADiskThatFailsForEverHurtsNobody) {
  fs_.FailAt(0, UINT64_MAX, StatusCode::kIoError, "LOG");
  fs_.FailAt(0, UINT64_MAX, StatusCode::kIoError, "LOG.old");
  auto db = MustOpen();
  ASSERT_TRUE(db->Put("key", "value", {.durability = Durability::kSync}).ok());
  ASSERT_TRUE(db->Close().ok());
  std::string value;
  ASSERT_TRUE(MustOpen()->Get("key", &value).ok());
}

RC_GTEST_PROP(InfoLog, WritesOneLineForEachText, (const std::vector<std::string>& texts)) {
  faultfs::MemFileSystem fs;
  RC_ASSERT(fs.CreateDir("/db").ok());
  StoppedClock clock;
  Env env;
  env.file_system = &fs;
  env.clock = &clock;
  {
    InfoLog log(env, "/db", uint64_t{1} << 30);
    for (const std::string& text : texts) log.Say(InfoLog::Level::kWarning, text);
  }
  std::string expected;
  for (std::string text : texts) {
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < 0x20) c = '?';
    }
    expected += "2020-01-01 00:00:01.500000Z W " + text + "\n";
  }
  std::string written;
  const Status read = ReadFile(&fs, "/db/LOG", &written);
  RC_ASSERT(read.ok() || (read.IsNotFound() && texts.empty()));
  RC_ASSERT(written == expected);
}

}  // namespace
}  // namespace shearpin
