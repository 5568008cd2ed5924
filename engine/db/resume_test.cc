// Goal: each row of the failure policy (engine/README.md): what is poisoned and what is tried
// again, that reads go on, that Resume makes a stopped writer work without reopening, that what it
// promised holds after a reopen, and that no failed file is used again and no orphan stays.
// Method: one test for each row; and a ratchet: the k-th changing call of a fixed workload fails,
// k = 0, 1, 2, ... until the workload runs without reaching it, once for a single error and once
// for a disk that stays broken for a while.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <set>

#include "engine/db.h"
#include "engine/db/failing_file_system.h"
#include "engine/db/retry_backoff.h"
#include "engine/event_listener.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

class Events : public EventListener {
 public:
  void OnEvent(const Event& event) override { ++counts_[static_cast<size_t>(event.kind)]; }
  int count(EventKind kind) const { return counts_[static_cast<size_t>(kind)]; }

 private:
  std::array<std::atomic<int>, static_cast<size_t>(EventKind::kNumEventKinds)> counts_ = {};
};

struct Fixture {
  Fixture() {
    options.env.file_system = &fs;
    options.listener = &events;
    options.write_buffer_size = 4096;
    options.manifest_rotate_size = 1024;
    options.level0_compaction_trigger = 2;
    options.base_level_size = 4096;
    options.target_table_size = 2048;
  }
  void Open() {
    db.reset();
    auto opened = DB::Open(options, "/db");
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    db = *std::move(opened);
  }
  std::optional<std::string> Get(const std::string& key) const {
    std::string value;
    const Status status = db->Get(key, &value);
    EXPECT_TRUE(status.ok() || status.IsNotFound()) << status.ToString();
    return status.ok() ? std::optional(value) : std::nullopt;
  }
  // Files that the database does not need.
  std::set<std::string> Orphans() {
    EXPECT_TRUE(db->WaitForBackground().ok());
    const std::string live = "\n" + *db->Property("live-files");
    std::set<std::string> orphans;
    for (const std::string& name : *fs.ListDir("/db")) {
      if (live.find("\n" + name + "\n") == std::string::npos) orphans.insert(name);
    }
    return orphans;
  }

  faultfs::MemFileSystem memory;
  FailingFileSystem fs{&memory};
  Events events;
  Options options;
  std::unique_ptr<DB> db;
};

TEST(Resume, WithoutAnErrorChangesNothing) {
  Fixture t;
  t.Open();
  ASSERT_TRUE(t.db->Put("a", "1").ok());
  EXPECT_TRUE(t.db->Resume().ok());
  EXPECT_EQ(t.events.count(EventKind::kResumed), 0);
}

TEST(Resume, AFailedLogSyncStopsWritesUntilResumeAndItsBatchNeverComesBack) {
  Fixture t;
  t.Open();
  ASSERT_TRUE(t.db->Put("kept", "1").ok());
  const uint64_t before = t.db->LatestSequence();
  t.fs.FailAt(1, 1, StatusCode::kIoError, ".wal");  // the append works, the sync does not
  const Status failed = t.db->Put("lost", "1", {.durability = Durability::kSync});
  EXPECT_TRUE(failed.IsIoError() && failed.indeterminate() && failed.injected());
  const Status stopped = t.db->Put("refused", "1");
  EXPECT_TRUE(stopped.IsIoError() && !stopped.indeterminate()) << stopped.ToString();
  EXPECT_EQ(t.Get("kept"), "1");
  EXPECT_EQ(t.Get("lost"), std::nullopt);

  ASSERT_TRUE(t.db->Resume().ok());
  EXPECT_EQ(t.events.count(EventKind::kResumed), 1);
  const auto checkpoint = t.db->Checkpoint("/copy");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().ToString();
  EXPECT_EQ(*checkpoint, before + 1);
  EXPECT_EQ(t.db->LatestSequence(), *checkpoint);  // whoever comes later sees no less
  WriteBatch batch;
  batch.Put("after", "1");
  ASSERT_TRUE(t.db->Write(&batch, {.durability = Durability::kSync}).ok());
  EXPECT_GT(batch.first_sequence(), before + 1);  // the failed batch's number stays used
  EXPECT_EQ(t.fs.misuses(), 0u);
  EXPECT_EQ(t.Orphans(), std::set<std::string>());
  t.Open();
  EXPECT_EQ(t.Get("kept"), "1");
  EXPECT_EQ(t.Get("after"), "1");
  EXPECT_EQ(t.Get("lost"), std::nullopt);
}

// What Resume has begun when it fails must not cost what the old log holds.
TEST(Resume, AResumeThatFailsMayBeRepeatedOrLeftToAReopen) {
  for (const bool reopen : {false, true}) {
    for (uint64_t k = 0;; ++k) {
      Fixture t;
      t.Open();
      ASSERT_TRUE(t.db->Put("kept", "1", {.durability = Durability::kSync}).ok());
      t.fs.FailAt(0, 1, StatusCode::kIoError, ".wal");
      ASSERT_FALSE(t.db->Put("lost", "1").ok());
      t.fs.FailAt(k, 1, StatusCode::kNoSpace);
      const Status resumed = t.db->Resume();
      const bool reached = t.fs.failed() == 2;
      EXPECT_EQ(t.Get("kept"), "1");
      t.fs.Heal();
      if (reopen) {
        t.Open();
      } else {
        ASSERT_TRUE(t.db->Resume().ok());
      }
      ASSERT_TRUE(t.db->Put("after", "1").ok());
      EXPECT_EQ(t.fs.misuses(), 0u);
      t.Open();
      EXPECT_EQ(t.Orphans(), std::set<std::string>()) << k;
      EXPECT_EQ(t.Get("kept"), "1");
      EXPECT_EQ(t.Get("after"), "1");
      EXPECT_EQ(t.Get("lost"), std::nullopt);
      if (!reached) {
        EXPECT_TRUE(resumed.ok());
        EXPECT_GT(k, 8u);
        break;
      }
    }
  }
}

// The first try fails wherever it can, the second one likewise, and then the process ends:
// whichever MANIFEST is in force, its logs are there and follow from each other.
TEST(Resume, TwoTriesThatFailLeaveWhatAReopenNeeds) {
  for (uint64_t first = 0;; ++first) {
    bool first_reached = false;
    for (uint64_t second = 0;; ++second) {
      Fixture t;
      t.Open();
      ASSERT_TRUE(t.db->Put("kept", "1", {.durability = Durability::kSync}).ok());
      t.fs.FailAt(0, 1, StatusCode::kIoError, ".wal");
      ASSERT_FALSE(t.db->Put("lost", "1").ok());
      t.fs.FailAt(first, 1, StatusCode::kIoError);
      t.db->Resume().IgnoreError();
      first_reached = t.fs.failed() == 2;
      t.fs.FailAt(second, 1, StatusCode::kIoError);
      t.db->Resume().IgnoreError();
      const bool second_reached = t.fs.failed() == 3;
      t.fs.Heal();
      t.Open();
      EXPECT_EQ(t.Get("kept"), "1") << first << ", " << second;
      EXPECT_EQ(t.Get("lost"), std::nullopt) << first << ", " << second;
      ASSERT_TRUE(t.db->Put("after", "1").ok());
      t.Open();
      EXPECT_EQ(t.Get("after"), "1");
      EXPECT_EQ(t.Orphans(), std::set<std::string>());
      if (!first_reached || !second_reached) break;
    }
    if (!first_reached) {
      EXPECT_GT(first, 8u);
      break;
    }
  }
}

TEST(FailurePolicy, AFailedFlushIsTriedAgainAndPoisonsNothing) {
  Fixture t;
  t.Open();
  ASSERT_TRUE(t.db->Put("a", "1").ok());
  t.fs.FailAt(0, 1, StatusCode::kNoSpace, ".sst");
  EXPECT_TRUE(t.db->Flush().IsNoSpace());
  EXPECT_TRUE(t.db->Put("b", "2").ok());
  EXPECT_TRUE(t.db->Flush().ok());
  EXPECT_EQ(t.events.count(EventKind::kWriterPoisoned), 0);
  EXPECT_EQ(t.events.count(EventKind::kRetrySucceeded), 1);
  EXPECT_EQ(t.Get("a"), "1");
  EXPECT_EQ(t.Orphans(), std::set<std::string>());
}

TEST(FailurePolicy, WritesHearOfAFlushThatFailsOnlyWhenTheMemtablesAreFull) {
  Fixture t;
  t.options.max_write_buffers = 3;
  t.Open();
  t.fs.FailAt(0, UINT64_MAX, StatusCode::kNoSpace, ".sst");
  std::map<std::string, std::string> written;
  Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    const std::string key = std::to_string(i);
    status = t.db->Put(key, std::string(200, 'v'));
    if (status.ok()) written[key] = std::string(200, 'v');
    if (!t.db->Flush().ok()) continue;  // once more memtables than allowed would be made
  }
  EXPECT_TRUE(status.IsNoSpace() && status.injected()) << status.ToString();
  EXPECT_FALSE(status.indeterminate());
  EXPECT_GT(written.size(), 10u);
  t.fs.Heal();
  EXPECT_TRUE(t.db->WaitForBackground().ok());
  EXPECT_TRUE(t.db->Put("after", "1").ok());
  for (const auto& [key, value] : written) EXPECT_EQ(t.Get(key), value);
  EXPECT_EQ(t.events.count(EventKind::kWriterPoisoned), 0);
}

TEST(FailurePolicy, AFailedMergeIsTriedAgainAndWritesGoOn) {
  Fixture t;
  t.options.compaction_style = CompactionStyle::kNone;
  t.Open();
  for (const char* key : {"a", "b"}) {
    ASSERT_TRUE(t.db->Put(key, "1").ok());
    ASSERT_TRUE(t.db->Put("shared", key).ok());
    ASSERT_TRUE(t.db->Flush().ok());
  }
  t.fs.FailAt(1, 1, StatusCode::kIoError, ".sst");
  EXPECT_TRUE(t.db->CompactRange(nullptr, nullptr).IsIoError());
  EXPECT_EQ(t.events.count(EventKind::kWriterPoisoned), 0);
  EXPECT_TRUE(t.db->Put("c", "1").ok());
  EXPECT_TRUE(t.db->CompactRange(nullptr, nullptr).ok());
  EXPECT_EQ(t.Get("shared"), "b");
  EXPECT_EQ(t.Orphans(), std::set<std::string>());
}

TEST(FailurePolicy, AFailedManifestEditPoisonsAndDeletesNothingUntilResume) {
  Fixture t;
  t.options.manifest_rotate_size = 1 << 20;
  t.Open();
  ASSERT_TRUE(t.db->Put("a", "1").ok());
  const std::string manifest = t.db->Property("live-files")->substr(sizeof("CURRENT\nLOCK\n") - 1);
  t.fs.FailAt(1, 1, StatusCode::kIoError, manifest.substr(0, manifest.find('\n')));
  EXPECT_TRUE(t.db->Flush().IsIoError());  // the edit was appended, its sync failed
  EXPECT_EQ(t.events.count(EventKind::kWriterPoisoned), 1);
  EXPECT_EQ(t.events.count(EventKind::kWalRetired), 0);
  EXPECT_TRUE(t.db->Put("b", "2").IsIoError());
  EXPECT_EQ(t.Get("a"), "1");
  ASSERT_TRUE(t.db->Resume().ok());
  ASSERT_TRUE(t.db->Put("b", "2").ok());
  EXPECT_EQ(t.Orphans(), std::set<std::string>());
  EXPECT_EQ(t.fs.misuses(), 0u);
  t.Open();
  EXPECT_EQ(t.Get("a"), "1");
  EXPECT_EQ(t.Get("b"), "2");
}

TEST(FailurePolicy, PausesDoubleUpToTheMost) {
  RetryBackoff retry;
  uint64_t now = 0;
  for (uint64_t pause = RetryBackoff::kFirstMicros; pause < RetryBackoff::kMostMicros; pause *= 2) {
    retry.Failed(Status::IoError("x"), now);
    EXPECT_EQ(retry.not_before(), now + pause);
    now = retry.not_before();
  }
  retry.Failed(Status::IoError("x"), now);
  EXPECT_EQ(retry.not_before(), now + RetryBackoff::kMostMicros);
  retry.Hurry();
  EXPECT_EQ(retry.not_before(), 0u);
  retry.Succeeded();
  EXPECT_TRUE(retry.error().ok());
  retry.Failed(Status::IoError("x"), now);
  EXPECT_EQ(retry.not_before(), now + RetryBackoff::kFirstMicros);
}

// The workload of the ratchet. What failed with a number of its own may never be seen again once
// Resume has succeeded.
class Workload {
 public:
  explicit Workload(Fixture* t) : t_(t) {}

  void Run() {
    for (int i = 0; i < 60; ++i) {
      const std::string key = "k" + std::to_string(i % 7);
      const std::string value = std::to_string(i) + std::string(300, 'v');
      Try([&] {
        Status status =
            t_->db->Put(key, value, {i % 5 == 0 ? Durability::kSync : Durability::kProcess});
        if (status.ok()) state_[key] = value;
        return status;
      });
      if (i % 13 == 12) Try([&] { return t_->db->Flush(); });
      if (i % 29 == 28) Try([&] { return t_->db->CompactRange(nullptr, nullptr); });
    }
    Try([&] { return t_->db->WaitForBackground(); });
    Check();
  }

  void Check() const {
    for (int i = 0; i < 7; ++i) {
      const std::string key = "k" + std::to_string(i);
      const auto at = state_.find(key);
      ASSERT_EQ(t_->Get(key), at == state_.end() ? std::nullopt : std::optional(at->second));
    }
  }

 private:
  template <typename Operation>
  void Try(const Operation& operation) {
    const Status status = operation();
    if (status.ok()) return;
    ASSERT_TRUE(status.injected()) << status.ToString();
    Check();  // readable data stays readable
    for (int i = 0; !t_->db->Resume().ok(); ++i) {
      Check();
      if (i == 3) t_->fs.Heal();
      ASSERT_LT(i, 5);
    }
    Check();
  }

  Fixture* const t_;
  std::map<std::string, std::string> state_;
};

void Ratchet(uint64_t times, StatusCode code) {
  for (uint64_t k = 0;; ++k) {
    Fixture t;
    t.Open();
    t.fs.FailAt(k, times, code);
    Workload workload(&t);
    workload.Run();
    const bool reached = t.fs.failed() != 0;
    t.fs.Heal();
    if (!t.db->WaitForBackground().ok()) {
      ASSERT_TRUE(t.db->Resume().ok());
    }
    EXPECT_EQ(t.fs.misuses(), 0u) << k;
    t.Open();
    workload.Check();
    EXPECT_EQ(t.Orphans(), std::set<std::string>()) << k;
    if (::testing::Test::HasFailure()) FAIL() << "at call " << k;
    if (!reached) {
      EXPECT_GT(k, 50u);
      return;
    }
  }
}

TEST(FailurePolicy, RatchetOverOneError) { Ratchet(1, StatusCode::kIoError); }
TEST(FailurePolicy, RatchetOverAFullDisk) { Ratchet(12, StatusCode::kNoSpace); }

}  // namespace
}  // namespace shearpin
