// Goal: what only the operating system's files promise or report: locks between processes, sizes
// around a preallocated extent, bytes in the kernel without Close, and the code and the message of
// each kind of failure. What every FileSystem promises alike is the contract suite's subject.
// Method: a fresh directory under TEST_TMPDIR for each test; children by fork(); paths below a
// regular file, since permissions do not stop root.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "engine/env/env.h"

namespace shearpin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A directory that goes with its owner.
class ScratchDir {
 public:
  ScratchDir() {
    const char* root = std::getenv("TEST_TMPDIR");
    path_ = std::string(root != nullptr ? root : "/tmp") + "/posix_XXXXXX";
    EXPECT_NE(::mkdtemp(path_.data()), nullptr) << path_;
  }
  ~ScratchDir() { Remove(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  static void Remove(const std::string& path) {
    FileSystem* const fs = PosixFileSystem();
    auto names = fs->ListDir(path);
    if (!names.ok()) return;
    for (const std::string& name : *names) {
      const std::string child = path + "/" + name;
      if (!fs->Unlink(child).ok()) Remove(child);
    }
    EXPECT_TRUE(fs->RemoveDir(path).ok());
  }

  std::string path_;
};

class PosixFileSystemTest : public ::testing::Test {
 protected:
  std::unique_ptr<WritableFile> Open(const std::string& path, OpenMode mode) {
    auto file = fs_->OpenWritable(path, mode);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return file.ok() ? *std::move(file) : nullptr;
  }
  void Write(const std::string& path, std::string_view contents) {
    auto file = Open(path, OpenMode::kTruncate);
    ASSERT_TRUE(file->Append(contents).ok());
    ASSERT_TRUE(file->Close().ok());
  }
  std::string Read(const std::string& path) {
    std::string contents;
    const Status status = ReadFile(fs_, path, &contents);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return contents;
  }

  ScratchDir dir_;
  FileSystem* const fs_ = PosixFileSystem();
};

// Runs `body` in a child and returns its exit status, or minus the signal that ended it.
int InChild(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void ExpectError(const Status& status, StatusCode code, const std::string& message) {
  EXPECT_EQ(status.code(), code) << status.ToString();
  EXPECT_EQ(status.message(), message);
}

TEST_F(PosixFileSystemTest, LockKeepsOutAnotherProcess) {
  const std::string path = dir_ / "LOCK";
  auto lock = fs_->LockFile(path);
  ASSERT_TRUE(lock.ok()) << lock.status().ToString();
  const auto try_lock = [&] {
    auto mine = fs_->LockFile(path);
    if (mine.ok()) return 1;
    if (!mine.status().IsBusy()) return 2;
    const std::string_view message = mine.status().message();
    return message.find(path) != message.npos &&
                   message.find("locked by another process") != message.npos
               ? 0
               : 3;
  };
  EXPECT_EQ(InChild(try_lock), 0);
  (*lock).reset();
  EXPECT_EQ(InChild(try_lock), 1) << "released, so the child gets it";
  EXPECT_TRUE(fs_->LockFile(path).ok()) << "the child's lock ended with the child";
}

TEST_F(PosixFileSystemTest, LockKeepsOutASecondHolderInThisProcess) {
  auto lock = fs_->LockFile(dir_ / "LOCK");
  ASSERT_TRUE(lock.ok());
  auto second = fs_->LockFile(dir_ / "LOCK");
  EXPECT_TRUE(second.status().IsBusy()) << second.status().ToString();
  // Under classic record locks, closing the second descriptor would have dropped the first lock.
  EXPECT_EQ(InChild([&] { return fs_->LockFile(dir_ / "LOCK").ok() ? 1 : 0; }), 0);
  (*lock).reset();
  EXPECT_TRUE(fs_->LockFile(dir_ / "LOCK").ok());
}

TEST_F(PosixFileSystemTest, ReleasedLockDoesNotLiveOnInAForkedChild) {
  auto lock = fs_->LockFile(dir_ / "LOCK");
  ASSERT_TRUE(lock.ok());
  int gate[2];
  ASSERT_EQ(::pipe(gate), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(gate[1]);
    char byte;
    ::_exit(::read(gate[0], &byte, 1) == 0 ? 0 : 1);
  }
  ::close(gate[0]);
  (*lock).reset();
  EXPECT_TRUE(fs_->LockFile(dir_ / "LOCK").ok());
  ::close(gate[1]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
}

TEST_F(PosixFileSystemTest, LockKeepsTheFileAsItIs) {
  Write(dir_ / "LOCK", "owner");
  { auto lock = fs_->LockFile(dir_ / "LOCK"); }
  EXPECT_EQ(Read(dir_ / "LOCK"), "owner");
}

TEST_F(PosixFileSystemTest, AppendedBytesSurviveTheDeathOfTheProcess) {
  const std::string path = dir_ / "log";
  EXPECT_EQ(InChild([&] {
              auto file = fs_->OpenWritable(path, OpenMode::kCreateNew);
              if (!file.ok() || !(*file)->Append("acknowledged").ok()) return 1;
              ::raise(SIGKILL);
              return 2;
            }),
            -SIGKILL);
  EXPECT_EQ(Read(path), "acknowledged");
}

TEST_F(PosixFileSystemTest, PreallocateExtendsWithZerosAndCloseCuts) {
  const std::string path = dir_ / "log";
  auto file = Open(path, OpenMode::kCreateNew);
  ASSERT_TRUE(file->Append("head").ok());
  const Status preallocated = file->Preallocate(8192);
  if (preallocated.code() == StatusCode::kNotSupported) GTEST_SKIP() << preallocated.ToString();
  ASSERT_TRUE(preallocated.ok()) << preallocated.ToString();
  EXPECT_EQ(file->Size(), 4u);
  EXPECT_EQ(Read(path), "head" + std::string(8188, '\0'));
  ASSERT_TRUE(file->Append("+tail").ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(file->Size(), 9u);
  EXPECT_EQ(Read(path), "head+tail" + std::string(8183, '\0'));
  ASSERT_TRUE(file->Preallocate(5).ok()) << "less than there is: nothing to do";
  ASSERT_TRUE(file->Close().ok());
  EXPECT_EQ(Read(path), "head+tail");
}

TEST_F(PosixFileSystemTest, DestructionCutsAPreallocatedFileToo) {
  {
    auto file = Open(dir_ / "log", OpenMode::kCreateNew);
    ASSERT_TRUE(file->Append("abc").ok());
    if (!file->Preallocate(4096).ok()) GTEST_SKIP();
  }
  EXPECT_EQ(Read(dir_ / "log"), "abc");
}

TEST_F(PosixFileSystemTest, AppendModeGoesOnAtTheEndEvenWhenPreallocated) {
  Write(dir_ / "log", "one");
  auto file = Open(dir_ / "log", OpenMode::kAppend);
  EXPECT_EQ(file->Size(), 3u);
  static_cast<void>(file->Preallocate(4096));
  ASSERT_TRUE(file->Append(",two").ok());
  EXPECT_EQ(file->Size(), 7u);
  ASSERT_TRUE(file->Close().ok());
  EXPECT_EQ(Read(dir_ / "log"), "one,two");
}

TEST_F(PosixFileSystemTest, MappedAppendsAreInTheKernelAtOnceAndCloseCuts) {
  const std::string path = dir_ / "log";
  auto file = Open(path, OpenMode::kCreateNew);
  EXPECT_EQ(file->MapAppends().code(), StatusCode::kNotSupported) << "nothing is allocated";
  ASSERT_TRUE(file->Append("head").ok());
  // Longer than what is mapped at once.
  constexpr size_t kExtent = size_t{600} << 10;
  const Status preallocated = file->Preallocate(kExtent);
  if (preallocated.IsNotSupported()) GTEST_SKIP() << preallocated.ToString();
  const Status mapped = file->MapAppends();
  if (mapped.IsNotSupported()) GTEST_SKIP() << mapped.ToString();
  ASSERT_TRUE(mapped.ok()) << mapped.ToString();
  std::string expected = "head";
  for (int i = 0; expected.size() < kExtent + 4096; ++i) {
    const std::string record(static_cast<size_t>(i) % 5000 + 1, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(file->Append(record).ok());
    expected += record;
    ASSERT_EQ(file->Size(), expected.size());
    if (i % 100 == 0) {
      ASSERT_TRUE(file->Sync().ok());
      ASSERT_EQ(Read(path).substr(0, expected.size()), expected);
    }
  }
  ASSERT_TRUE(file->Close().ok());
  EXPECT_EQ(Read(path), expected);
}

TEST_F(PosixFileSystemTest, MappedAppendsOutliveTheProcess) {
  const std::string path = dir_ / "log";
  const int status = InChild([&] {
    auto file = fs_->OpenWritable(path, OpenMode::kCreateNew);
    if (!file.ok() || !(*file)->Preallocate(8192).ok() || !(*file)->MapAppends().ok()) return 2;
    if (!(*file)->Append("acknowledged").ok()) return 1;
    ::_exit(0);
  });
  if (status == 2) GTEST_SKIP() << "not supported here";
  ASSERT_EQ(status, 0);
  EXPECT_EQ(Read(path), "acknowledged" + std::string(8192 - 12, '\0'));
}

TEST_F(PosixFileSystemTest, ShortWritesAreFinishedAndAFailureSaysHowFarItCame) {
  // Beyond RLIMIT_FSIZE the kernel writes what fits, and only the next call fails.
  const std::string path = dir_ / "big";
  EXPECT_EQ(InChild([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              const rlimit limit = {1000, 1000};
              if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
              auto file = fs_->OpenWritable(path, OpenMode::kCreateNew);
              if (!file.ok()) return 2;
              const Status status = (*file)->Append(std::string(1500, 'x'));
              if (!status.IsIoError()) return 3;
              if (status.message() != "pwrite " + path + ": File too large") return 4;
              return (*file)->Size() == 1000 ? 0 : 5;
            }),
            0);
  EXPECT_EQ(Read(path), std::string(1000, 'x'));
}

TEST_F(PosixFileSystemTest, FullDiskIsNoSpace) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "/dev/full is not there";
  auto file = Open("/dev/full", OpenMode::kAppend);
  ExpectError(file->Append("x"), StatusCode::kNoSpace, "pwrite /dev/full: No space left on device");
}

TEST_F(PosixFileSystemTest, FailedCallsNameCallPathAndReason) {
  const std::string gone = dir_ / "gone";
  const std::string missing = ": No such file or directory";
  ExpectError(fs_->OpenRandomAccess(gone).status(), StatusCode::kNotFound,
              "open " + gone + missing);
  ExpectError(fs_->OpenWritable(gone + "/f", OpenMode::kTruncate).status(), StatusCode::kNotFound,
              "open " + gone + "/f" + missing);
  ExpectError(fs_->CreateDir(gone + "/d"), StatusCode::kNotFound, "mkdir " + gone + "/d" + missing);
  ExpectError(fs_->RemoveDir(gone), StatusCode::kNotFound, "rmdir " + gone + missing);
  ExpectError(fs_->ListDir(gone).status(), StatusCode::kNotFound, "opendir " + gone + missing);
  ExpectError(fs_->SyncDir(gone), StatusCode::kNotFound, "open " + gone + missing);
  ExpectError(fs_->Rename(gone, dir_ / "to"), StatusCode::kNotFound,
              "rename " + gone + " to " + (dir_ / "to") + missing);
  ExpectError(fs_->Link(gone, dir_ / "to"), StatusCode::kNotFound,
              "link " + gone + " to " + (dir_ / "to") + missing);
  ExpectError(fs_->Unlink(gone), StatusCode::kNotFound, "unlink " + gone + missing);
  ExpectError(fs_->Truncate(gone, 1), StatusCode::kNotFound, "truncate " + gone + missing);
  ExpectError(fs_->FileSize(gone).status(), StatusCode::kNotFound, "stat " + gone + missing);
  ExpectError(fs_->Exists(gone), StatusCode::kNotFound, "stat " + gone + missing);
  ExpectError(fs_->LockFile(gone + "/LOCK").status(), StatusCode::kNotFound,
              "open " + gone + "/LOCK" + missing);
}

TEST_F(PosixFileSystemTest, AFileWhereADirectoryShouldBeIsAnIoError) {
  Write(dir_ / "file", "x");
  const std::string below = dir_ / "file/entry";
  const std::string reason = ": Not a directory";
  ExpectError(fs_->OpenRandomAccess(below).status(), StatusCode::kIoError,
              "open " + below + reason);
  ExpectError(fs_->OpenWritable(below, OpenMode::kCreateNew).status(), StatusCode::kIoError,
              "open " + below + reason);
  ExpectError(fs_->CreateDir(below), StatusCode::kIoError, "mkdir " + below + reason);
  ExpectError(fs_->ListDir(dir_ / "file").status(), StatusCode::kIoError,
              "opendir " + (dir_ / "file") + reason);
  ExpectError(fs_->SyncDir(dir_ / "file"), StatusCode::kIoError,
              "open " + (dir_ / "file") + reason);
  ExpectError(fs_->CreateDir(dir_ / "file"), StatusCode::kAlreadyExists,
              "mkdir " + (dir_ / "file") + ": File exists");
}

TEST_F(PosixFileSystemTest, ADirectoryWhereAFileShouldBeIsAnIoError) {
  const std::string path = dir_.path();
  const std::string reason = path + ": Is a directory";
  ExpectError(fs_->OpenRandomAccess(path).status(), StatusCode::kIoError, "open " + reason);
  ExpectError(fs_->OpenWritable(path, OpenMode::kAppend).status(), StatusCode::kIoError,
              "open " + reason);
  ExpectError(fs_->LockFile(path).status(), StatusCode::kIoError, "open " + reason);
  ExpectError(fs_->FileSize(path).status(), StatusCode::kIoError, "stat " + reason);
  ExpectError(fs_->Unlink(path), StatusCode::kIoError, "unlink " + reason);
  EXPECT_TRUE(fs_->Exists(path).ok());
}

TEST_F(PosixFileSystemTest, ExclusiveCreationAndLinkRefuseWhatExists) {
  Write(dir_ / "a", "first");
  Write(dir_ / "b", "second");
  ExpectError(fs_->OpenWritable(dir_ / "a", OpenMode::kCreateNew).status(),
              StatusCode::kAlreadyExists, "open " + (dir_ / "a") + ": File exists");
  ExpectError(fs_->Link(dir_ / "a", dir_ / "b"), StatusCode::kAlreadyExists,
              "link " + (dir_ / "a") + " to " + (dir_ / "b") + ": File exists");
  EXPECT_EQ(Read(dir_ / "a"), "first");
  EXPECT_EQ(Read(dir_ / "b"), "second");
}

TEST_F(PosixFileSystemTest, DescriptorsDoNotLeakIntoExecutedPrograms) {
  auto writable = Open(dir_ / "f", OpenMode::kCreateNew);
  auto readable = fs_->OpenRandomAccess(dir_ / "f");
  auto lock = fs_->LockFile(dir_ / "LOCK");
  auto names = fs_->ListDir("/proc/self/fd");
  ASSERT_TRUE(names.ok());
  int ours = 0;
  for (const std::string& name : *names) {
    char target[4096] = {};
    if (::readlink(("/proc/self/fd/" + name).c_str(), target, sizeof(target) - 1) < 0) continue;
    if (std::string(target).rfind(dir_.path(), 0) != 0) continue;
    ++ours;
    EXPECT_NE(::fcntl(std::stoi(name), F_GETFD) & FD_CLOEXEC, 0) << target;
  }
  EXPECT_EQ(ours, 3);
}

TEST_F(PosixFileSystemTest, ListDirIsSortedAndReadFileReadsWhatIsThere) {
  for (const char* name : {"b", "a", "c"}) Write(dir_ / name, name);
  ASSERT_TRUE(fs_->CreateDir(dir_ / "ab").ok());
  ASSERT_TRUE(fs_->CreateDir(dir_ / "ab").ok());
  auto names = fs_->ListDir(dir_.path());
  ASSERT_TRUE(names.ok());
  EXPECT_THAT(*names, ElementsAre("a", "ab", "b", "c"));
  Write(dir_ / "empty", "");
  EXPECT_EQ(Read(dir_ / "empty"), "");
  std::string contents = "old";
  EXPECT_TRUE(ReadFile(fs_, dir_ / "gone", &contents).IsNotFound());
  EXPECT_EQ(contents, "");
}

// Any run of appends and preallocations reads back as the concatenation, whatever the sizes.
RC_GTEST_FIXTURE_PROP(PosixFileSystemTest, AppendsAndPreallocationsAreTheirConcatenation,
                      (const std::vector<std::pair<uint16_t, std::string>>& steps)) {
  const std::string path = dir_ / "log";
  std::string expected;
  auto file = Open(path, OpenMode::kTruncate);
  uint64_t extent = 0;
  for (const auto& [reserve, data] : steps) {
    const Status status = file->Preallocate(reserve);
    RC_ASSERT(status.ok() || status.code() == StatusCode::kNotSupported);
    if (status.ok() && reserve > expected.size()) extent = std::max<uint64_t>(extent, reserve);
    RC_ASSERT(file->Append(data).ok());
    expected += data;
    RC_ASSERT(file->Size() == expected.size());
    std::string padded = expected;
    padded.resize(std::max<uint64_t>(extent, expected.size()));
    RC_ASSERT(Read(path) == padded);
  }
  RC_ASSERT(file->Close().ok());
  RC_ASSERT(Read(path) == expected);
}

}  // namespace
}  // namespace shearpin
