// Goal: however files are opened, read and let go, no more are open than the limit says, and every
// read gives what the file holds. Method: a file system that counts what is open; a RapidCheck
// property over sequences of operations; real threads.
#include "engine/manifest/open_files.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/env/file_system.h"

namespace shearpin {
namespace {

// Only what OpenFiles asks of a file system; counts open files, and hands out memory of its own,
// which goes with the file.
class CountingFileSystem : public FileSystem {
 public:
  class File : public RandomAccessFile {
   public:
    File(CountingFileSystem* fs, std::string contents) : fs_(fs), contents_(std::move(contents)) {
      ++fs_->open_now;
    }
    ~File() override { --fs_->open_now; }
    Status Read(uint64_t offset, size_t n, char*, std::string_view* result) const override {
      *result = std::string_view(contents_).substr(offset, n);
      return Status::Ok();
    }
    StatusOr<uint64_t> Size() const override { return contents_.size(); }

   private:
    CountingFileSystem* const fs_;
    const std::string contents_;
  };

  StatusOr<std::unique_ptr<RandomAccessFile>> OpenRandomAccess(const std::string& path) override {
    if (path.ends_with("missing")) return Status::NotFound(path);
    ++opened;
    return std::unique_ptr<RandomAccessFile>(new File(this, "contents of " + path));
  }

  StatusOr<std::unique_ptr<WritableFile>> OpenWritable(const std::string&, OpenMode) override {
    return Unasked();
  }
  Status CreateDir(const std::string&) override { return Unasked(); }
  Status RemoveDir(const std::string&) override { return Unasked(); }
  StatusOr<std::vector<std::string>> ListDir(const std::string&) override { return Unasked(); }
  Status SyncDir(const std::string&) override { return Unasked(); }
  Status Rename(const std::string&, const std::string&) override { return Unasked(); }
  Status Link(const std::string&, const std::string&) override { return Unasked(); }
  Status Unlink(const std::string&) override { return Unasked(); }
  Status Truncate(const std::string&, uint64_t) override { return Unasked(); }
  StatusOr<uint64_t> FileSize(const std::string&) override { return Unasked(); }
  Status Exists(const std::string&) override { return Unasked(); }
  StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string&) override { return Unasked(); }

  static Status Unasked() { return Status::NotSupported("not asked of a file for reading"); }

  std::atomic<int> open_now{0};
  std::atomic<int> opened{0};
};

std::string Contents(const RandomAccessFile& file) {
  char scratch[100];
  std::string_view read;
  const Status status = file.Read(0, sizeof scratch, scratch, &read);
  return status.ok() ? std::string(read) : status.ToString();
}

TEST(OpenFiles, WithoutALimitFilesStayOpen) {
  CountingFileSystem fs;
  OpenFiles files(&fs, RealScheduler(), 0);
  const auto a = *files.Open("a");
  const auto b = *files.Open("b");
  EXPECT_EQ(fs.open_now, 2);
  EXPECT_EQ(Contents(*a), "contents of a");
  EXPECT_EQ(fs.opened, 2);
}

TEST(OpenFiles, ClosesTheLeastRecentlyReadAndOpensItAgain) {
  CountingFileSystem fs;
  OpenFiles files(&fs, RealScheduler(), 2);
  const auto a = *files.Open("a");
  const auto b = *files.Open("b");
  EXPECT_EQ(Contents(*a), "contents of a");
  const auto c = *files.Open("c");  // b goes
  EXPECT_EQ(fs.open_now, 2);
  EXPECT_EQ(Contents(*a), "contents of a");
  EXPECT_EQ(fs.opened, 3);
  EXPECT_EQ(Contents(*b), "contents of b");
  EXPECT_EQ(fs.opened, 4);
  EXPECT_EQ(fs.open_now, 2);
}

TEST(OpenFiles, SaysWhatIsMissing) {
  CountingFileSystem fs;
  OpenFiles files(&fs, RealScheduler(), 2);
  EXPECT_TRUE(files.Open("missing").status().IsNotFound());
  EXPECT_EQ(files.open(), 0u);
}

RC_GTEST_PROP(OpenFiles, KeepsTheLimitWhateverIsRead, ()) {
  CountingFileSystem fs;
  const auto limit = *rc::gen::inRange<size_t>(1, 5);
  OpenFiles files(&fs, RealScheduler(), limit);
  std::map<int, std::unique_ptr<RandomAccessFile>> held;
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 40))) {
    const int name = step / 4;
    const std::string path(1, static_cast<char>('a' + name));
    if (step % 4 == 0) {
      held.erase(name);
    } else if (held.count(name) == 0) {
      held[name] = *files.Open(path);
    } else {
      RC_ASSERT(Contents(*held[name]) == "contents of " + path);
    }
    RC_ASSERT(static_cast<size_t>(fs.open_now) == files.open());
    RC_ASSERT(files.open() <= std::min(limit, held.size()));
  }
  held.clear();
  RC_ASSERT(fs.open_now == 0);
}

TEST(OpenFiles, ManyThreadsReadThroughFewFiles) {
  CountingFileSystem fs;
  OpenFiles files(&fs, RealScheduler(), 2);
  std::vector<std::unique_ptr<RandomAccessFile>> held;
  for (char name = 'a'; name < 'i'; ++name) held.push_back(*files.Open(std::string(1, name)));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < 2000; ++i) {
        const size_t at = (i * (t + 1)) % held.size();
        const std::string name(1, static_cast<char>('a' + at));
        if (Contents(*held[at]) != "contents of " + name) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(fs.open_now, 2);
}

}  // namespace
}  // namespace shearpin
