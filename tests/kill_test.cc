// Goal: what a process acknowledged outlives its sudden end on a real disk, and what else is there
// is a prefix of what it was about to write.
// Method: the tool loads a file as a child process and reports each acknowledged batch; SIGKILL
// ends it after a drawn number of acknowledgements or a drawn delay (the shortest hit the recovery
// of the round before, or the creation). This process then opens the directory and compares the
// whole state, forward, backward and by Get, with the first n records, for the one n that the
// newest value names. The next round goes on from there in the same directory. Small buffers make
// flushes, retired logs and MANIFEST rotations common, so that kills land among them.
//
// By hand, with real data and for as long as one likes: see README.md.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/db.h"
#include "engine/env/env.h"
#include "engine/tool/tsv.h"

namespace shearpin {
namespace {

struct Arguments {
  uint64_t seed = 1;
  uint64_t rounds = 50;
  uint64_t seconds = 9;   // no round begins later
  std::string dataset;    // TSV; empty: made here
  std::string directory;  // empty: a temporary one
};
Arguments arguments;

// SplitMix64.
class Draws {
 public:
  explicit Draws(uint64_t seed) : state_(seed) {}
  // In [0, n).
  uint64_t Below(uint64_t n) {
    uint64_t x = state_ += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return (x ^ (x >> 31)) % n;
  }

 private:
  uint64_t state_;
};

using Records = std::vector<std::pair<std::string, std::string>>;

// Two keys of three are new, the third overwrites an earlier record's.
Records MakeRecords(size_t count) {
  Draws draws(7);
  Records records;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t key = i % 3 == 2 ? draws.Below(i) : i;
    records.emplace_back("key" + std::to_string(key),
                         std::string(20 + draws.Below(200), static_cast<char>('a' + i % 26)));
  }
  return records;
}

Records ReadRecords(const std::string& path) {
  Records records;
  auto reader = tool::TsvReader::Open(path);
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  for (std::string key, value; reader.ok();) {
    auto more = (*reader)->Next(&key, &value);
    EXPECT_TRUE(more.ok()) << more.status().ToString();
    if (!more.ok() || !*more) break;
    records.emplace_back(key, value);
  }
  return records;
}

// How a round ends: after so many acknowledgements, or after so many microseconds.
struct Kill {
  bool after_acknowledgements = false;
  uint64_t amount = 0;
};

struct Outcome {
  uint64_t acknowledged = 0;  // records from the beginning; 0: none in this round
  bool killed = false;        // false: it was done before
  int exit_status = 0;        // where not killed
};

uint64_t NowMicros() { return RealClock()->NowMicros(); }

// Runs `words` and kills it as told. Reads what it acknowledged to the very end.
Outcome RunAndKill(const std::vector<std::string>& words, const Kill& kill_when) {
  int pipe_ends[2];
  EXPECT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const uint64_t started = NowMicros();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    const int null = ::open("/dev/null", O_WRONLY);
    if (null >= 0) ::dup2(null, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  EXPECT_GT(child, 0);
  ::close(pipe_ends[1]);

  Outcome outcome;
  std::string text;
  uint64_t lines = 0;
  bool signalled = false;
  auto kill_now = [&] {
    if (!signalled) ::kill(child, SIGKILL);
    signalled = true;
  };
  for (;;) {
    int timeout = -1;
    if (!kill_when.after_acknowledgements && !signalled) {
      const uint64_t elapsed = NowMicros() - started;
      if (elapsed >= kill_when.amount) {
        kill_now();
      } else {
        timeout = static_cast<int>((kill_when.amount - elapsed + 999) / 1000);
      }
    }
    pollfd readable = {pipe_ends[0], POLLIN, 0};
    if (::poll(&readable, 1, timeout) <= 0) continue;
    char buffer[4096];
    const ssize_t n = ::read(pipe_ends[0], buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<size_t>(n));
    size_t end;
    while ((end = text.find('\n')) != std::string::npos) {
      constexpr std::string_view kPrefix = "acknowledged ";
      EXPECT_EQ(text.compare(0, kPrefix.size(), kPrefix), 0) << text.substr(0, end);
      outcome.acknowledged = std::strtoull(text.c_str() + kPrefix.size(), nullptr, 10);
      text.erase(0, end + 1);
      if (kill_when.after_acknowledgements && ++lines >= kill_when.amount) kill_now();
    }
  }
  ::close(pipe_ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  outcome.killed = WIFSIGNALED(status);
  outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

class KillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = arguments.directory.empty() ? std::string(::testing::TempDir()) + "/kill_test"
                                        : arguments.directory;
    ASSERT_TRUE(PosixFileSystem()->CreateDir(root_).ok()) << root_;
    input_ = arguments.dataset;
    records_ = input_.empty() ? MakeRecords(12'000) : ReadRecords(input_);
    ASSERT_FALSE(records_.empty());
    if (!input_.empty()) return;
    input_ = root_ + "/input.tsv";
    std::ofstream file(input_, std::ios::binary | std::ios::trunc);
    for (const auto& [key, value] : records_) file << key << '\t' << value << '\n';
  }

  // The state after the first n records; n only grows while one directory is loaded.
  const std::map<std::string, std::string>& StateAfter(uint64_t n) {
    if (n < applied_) {
      state_.clear();
      applied_ = 0;
    }
    for (; applied_ < n; ++applied_) state_[records_[applied_].first] = records_[applied_].second;
    return state_;
  }

  // How many records are there, which is checked against all that the database returns.
  uint64_t CheckPrefix(const std::string& directory) {
    Options options;
    auto opened = DB::Open(options, directory);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    if (!opened.ok()) return 0;
    DB* const db = opened->get();
    // Each record is one change, so the newest sequence number claims a prefix; the contents
    // decide.
    const uint64_t n = db->LatestSequence();
    EXPECT_LE(n, records_.size());
    if (n > records_.size()) return 0;
    const auto& expected = StateAfter(n);
    auto it = db->NewIterator();
    it->SeekToFirst();
    for (const auto& [key, value] : expected) {
      if (!it->Valid() || it->key() != key || it->value() != value) break;
      it->Next();
    }
    EXPECT_FALSE(it->Valid()) << "at key " << it->key() << ": not the state after " << n;
    EXPECT_TRUE(it->status().ok()) << it->status().ToString();
    size_t backward = 0;
    for (it->SeekToLast(); it->Valid(); it->Prev()) ++backward;
    EXPECT_EQ(backward, expected.size());
    it.reset();
    for (uint64_t i = 0; i < n; i += 1 + n / 50) {
      std::string value;
      EXPECT_TRUE(db->Get(records_[i].first, &value).ok()) << records_[i].first;
      EXPECT_EQ(value, expected.at(records_[i].first));
    }
    const Status verified = db->VerifyChecksums();
    EXPECT_TRUE(verified.ok()) << verified.ToString();
    const Status closed = db->Close();
    EXPECT_TRUE(closed.ok()) << closed.ToString();
    return n;
  }

  std::string root_;
  std::string input_;
  Records records_;
  std::map<std::string, std::string> state_;
  uint64_t applied_ = 0;
};

TEST_F(KillTest, AcknowledgedWritesOutliveSigkill) {
  char cwd[4096];
  ASSERT_NE(::getcwd(cwd, sizeof cwd), nullptr);
  const std::string tool = std::string(cwd) + "/engine/tool/tool";
  ASSERT_EQ(::access(tool.c_str(), X_OK), 0) << tool;
  // The tool would look for paths where `bazel run` was typed.
  ::unsetenv("BUILD_WORKING_DIRECTORY");

  const std::vector<std::string> durabilities = {"process", "process", "sync", "none"};
  const uint64_t deadline = NowMicros() + arguments.seconds * 1'000'000;
  uint64_t round = 0, kills = 0, unacknowledged_kept = 0, loads = 0;
  for (; round < arguments.rounds && NowMicros() < deadline; ++loads) {
    const std::string directory = root_ + "/db" + std::to_string(loads);
    uint64_t present = 0;
    while (round < arguments.rounds && NowMicros() < deadline && present < records_.size()) {
      const uint64_t seed = arguments.seed + round++;
      Draws draws(seed);
      const std::string& durability = durabilities[draws.Below(durabilities.size())];
      const uint64_t batch = 1 + draws.Below(20);
      Kill kill_when;
      kill_when.after_acknowledgements = draws.Below(2) == 0;
      kill_when.amount =
          kill_when.after_acknowledgements ? 1 + draws.Below(2000 / batch) : draws.Below(60'000);
      const bool preallocated = draws.Below(2) != 0;
      std::vector<std::string> words = {
          tool,
          "load",
          directory,
          input_,
          "--acknowledge",
          "--skip=" + std::to_string(present),
          "--batch=" + std::to_string(batch),
          "--durability=" + durability,
          "--write-buffer=" + std::to_string(4096 << draws.Below(5)),
          "--manifest-rotate=" + std::to_string(512 << draws.Below(4)),
          "--wal-preallocate=" + std::to_string(preallocated ? 65536 : 0)};
      if (preallocated && draws.Below(2) != 0) words.push_back("--wal-mapped");
      std::string story = "seed " + std::to_string(seed) + ": kill after " +
                          std::to_string(kill_when.amount) +
                          (kill_when.after_acknowledgements ? " acknowledgements:" : " us:");
      for (size_t i = 4; i < words.size(); ++i) story += " " + words[i];
      SCOPED_TRACE(story);
      std::cout << story << std::flush;

      const Outcome outcome = RunAndKill(words, kill_when);
      kills += outcome.killed;
      if (!outcome.killed) {
        ASSERT_EQ(outcome.exit_status, 0);
      }
      const uint64_t n = CheckPrefix(directory);
      std::cout << "; acknowledged " << outcome.acknowledged << ", there " << n << std::endl;
      ASSERT_FALSE(HasFailure());
      // What earlier rounds left was opened, and so made durable, by this process.
      const bool promised = durability != "none" || !outcome.killed;
      ASSERT_GE(n, promised ? std::max(outcome.acknowledged, present) : present);
      ASSERT_TRUE((n - present) % batch == 0 || n == records_.size()) << "half a batch is there";
      unacknowledged_kept += n > std::max(outcome.acknowledged, present);
      present = n;
    }
  }
  std::cout << round << " rounds, " << kills << " killed in the act, " << unacknowledged_kept
            << " with more there than acknowledged, " << loads << " directories\n";
  EXPECT_GT(kills, round / 2) << "most rounds were over before the kill: it proves little";
}

}  // namespace
}  // namespace shearpin

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  shearpin::Arguments& arguments = shearpin::arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (name == "--seed") {
      arguments.seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--rounds") {
      arguments.rounds = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--seconds") {
      arguments.seconds = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--dataset") {
      arguments.dataset = value;
    } else if (name == "--directory") {
      arguments.directory = value;
    } else {
      std::cerr << "unknown argument " << word
                << "; there are --seed= --rounds= --seconds= --dataset= --directory=\n";
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
