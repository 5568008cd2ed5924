// Goal: a directory that cannot be opened, or is not what it claims to be, is refused with the
// reason and the path, and left as it was: missing, unwritable, a file, not a database, in use by
// another process, or put together from files of several databases or versions.
// Method: real directories; children by fork() for the second process and for one whom permissions
// stop, as they do not stop root.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/coding.h"
#include "engine/base/hash.h"
#include "engine/db.h"
#include "engine/manifest/file_names.h"
#include "engine/sst/format.h"

namespace shearpin {
namespace {

using ::testing::HasSubstr;

std::string Fresh() {
  static int counter = 0;
  return std::string(::testing::TempDir()) + "/bad_directory_" + std::to_string(++counter);
}

Options Existing() {
  Options options;
  options.create_if_missing = false;
  return options;
}

// A closed database with a table and a log that holds `records` more changes.
std::string MakeDatabase(int records, const std::string& value) {
  const std::string directory = Fresh();
  auto db = DB::Open({}, directory);
  EXPECT_TRUE(db.ok()) << db.status().ToString();
  EXPECT_TRUE((*db)->Put("flushed", value).ok());
  EXPECT_TRUE((*db)->Flush().ok());
  for (int i = 0; i < records; ++i) {
    EXPECT_TRUE((*db)->Put("key" + std::to_string(i), value).ok());
  }
  EXPECT_TRUE((*db)->Close().ok());
  return directory;
}

std::string NameOf(const std::string& directory, FileKind kind) {
  uint64_t number;
  for (const std::string& name : *PosixFileSystem()->ListDir(directory)) {
    if (ParseFileName(name, &number) == kind) return name;
  }
  ADD_FAILURE() << "no such file in " << directory;
  return "";
}

std::string Read(const std::string& path) {
  std::string contents;
  EXPECT_TRUE(ReadFile(PosixFileSystem(), path, &contents).ok()) << path;
  return contents;
}

void Write(const std::string& path, const std::string& contents) {
  auto file = PosixFileSystem()->OpenWritable(path, OpenMode::kTruncate);
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  ASSERT_TRUE((*file)->Append(contents).ok());
  ASSERT_TRUE((*file)->Close().ok());
}

// Another database of the same shape: file names and sizes agree. (A table's size varies by a byte
// with its random id.)
std::string MakeTwin(const std::string& directory, int records, const std::string& value) {
  const std::string table = NameOf(directory, FileKind::kTable);
  for (;;) {
    const std::string twin = MakeDatabase(records, value);
    if (Read(twin + "/" + table).size() == Read(directory + "/" + table).size()) return twin;
  }
}

std::string ErrorOf(const Options& options, const std::string& directory) {
  auto db = DB::Open(options, directory);
  EXPECT_FALSE(db.ok()) << directory << " opened";
  return db.status().ToString();
}

TEST(BadDirectory, Missing) {
  const std::string directory = Fresh();
  EXPECT_EQ(ErrorOf(Existing(), directory),
            "Invalid argument: " + directory + ": no such directory");
  EXPECT_TRUE(PosixFileSystem()->Exists(directory).IsNotFound());
  // Only the last level is created.
  EXPECT_THAT(ErrorOf({}, directory + "/deeper"), HasSubstr("mkdir " + directory + "/deeper: "));
}

TEST(BadDirectory, NotADatabase) {
  const std::string directory = Fresh();
  ASSERT_TRUE(PosixFileSystem()->CreateDir(directory).ok());
  Write(directory + "/letter.txt", "Dear Sir");
  EXPECT_THAT(ErrorOf(Existing(), directory),
              HasSubstr(directory + ": not a database: it has no CURRENT file"));
  EXPECT_EQ(PosixFileSystem()->ListDir(directory)->size(), 1u);
}

TEST(BadDirectory, AFile) {
  const std::string path = Fresh();
  Write(path, "not a directory");
  EXPECT_THAT(ErrorOf({}, path), HasSubstr(path));
  EXPECT_THAT(ErrorOf(Existing(), path), HasSubstr(path));
  EXPECT_EQ(Read(path), "not a directory");
}

TEST(BadDirectory, ForeignFilesAreNeitherReadNorRemoved) {
  const std::string directory = MakeDatabase(1, "v");
  Write(directory + "/letter.txt", "Dear Sir");
  Write(directory + "/000001.wal.bak", "a copy");
  ASSERT_TRUE(PosixFileSystem()->CreateDir(directory + "/lost+found").ok());
  auto db = DB::Open(Existing(), directory);
  ASSERT_TRUE(db.ok()) << db.status().ToString();
  ASSERT_TRUE((*db)->Close().ok());
  EXPECT_EQ(Read(directory + "/letter.txt"), "Dear Sir");
  EXPECT_EQ(Read(directory + "/000001.wal.bak"), "a copy");
}

// Runs `body` in a child, which exits with what it returns.
int InChild(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// From here on permissions hold for this process, even if it is root's.
bool GiveUpCapabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  return ::syscall(SYS_capset, &header, none) == 0;
}

TEST(BadDirectory, Unwritable) {
  const std::string parent = Fresh();
  ASSERT_TRUE(PosixFileSystem()->CreateDir(parent).ok());
  const std::string database = parent + "/db";
  ASSERT_TRUE(DB::Open({}, database).ok());
  ASSERT_EQ(::chmod(database.c_str(), 0555), 0);
  ASSERT_EQ(::chmod((database + "/LOCK").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(parent.c_str(), 0555), 0);
  const int failed_expectation = InChild([&]() -> int {
    if (!GiveUpCapabilities()) return 1;
    const Status create = DB::Open({}, parent + "/new").status();
    if (create.ToString() != "IO error: mkdir " + parent + "/new: Permission denied") return 2;
    const Status open = DB::Open(Existing(), database).status();
    if (open.ToString() != "IO error: open " + database + "/LOCK: Permission denied") return 3;
    return 0;
  });
  EXPECT_EQ(failed_expectation, 0);
  EXPECT_EQ(::chmod(parent.c_str(), 0755), 0);
  EXPECT_EQ(::chmod(database.c_str(), 0755), 0);
}

TEST(BadDirectory, OpenInAnotherProcess) {
  const std::string directory = MakeDatabase(1, "v");
  int to_child[2], to_parent[2];
  ASSERT_EQ(::pipe(to_child), 0);
  ASSERT_EQ(::pipe(to_parent), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto db = DB::Open({}, directory);
    char byte = db.ok() ? 'o' : 'e';
    if (::write(to_parent[1], &byte, 1) != 1) ::_exit(1);
    // Holds it until told, and then dies without closing it.
    ::_exit(::read(to_child[0], &byte, 1) == 1 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(::read(to_parent[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'o');
  auto second = DB::Open({}, directory);
  EXPECT_TRUE(second.status().IsBusy()) << second.status().ToString();
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr(directory + "/LOCK: locked by another process"));
  ASSERT_EQ(::write(to_child[1], "x", 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (const int end : {to_child[0], to_child[1], to_parent[0], to_parent[1]}) ::close(end);
  auto third = DB::Open({}, directory);
  EXPECT_TRUE(third.ok()) << "the death of the owner releases it: " << third.status().ToString();
}

TEST(BadDirectory, CurrentOfAnotherDatabase) {
  const std::string directory = MakeDatabase(1, "v");
  const std::string other = MakeDatabase(1, "v");
  // One more open: its MANIFEST has another number.
  ASSERT_TRUE(DB::Open({}, other).ok());
  Write(directory + "/CURRENT", Read(other + "/CURRENT"));
  EXPECT_THAT(ErrorOf({}, directory), HasSubstr("named by CURRENT and missing"));
}

TEST(BadDirectory, ManifestOfAnotherDatabase) {
  const std::string directory = MakeDatabase(2, "v");
  const std::string other = MakeTwin(directory, 2, "v");
  const std::string manifest = NameOf(directory, FileKind::kManifest);
  ASSERT_EQ(manifest, NameOf(other, FileKind::kManifest));
  Write(directory + "/" + manifest, Read(other + "/" + manifest));
  Write(directory + "/CURRENT", Read(other + "/CURRENT"));
  EXPECT_THAT(ErrorOf({}, directory), HasSubstr(".wal: its header names log "));
}

TEST(BadDirectory, LogOfAnotherDatabase) {
  const std::string directory = MakeDatabase(2, "v");
  const std::string other = MakeDatabase(2, "v");
  const std::string log = NameOf(directory, FileKind::kWal);
  ASSERT_EQ(log, NameOf(other, FileKind::kWal));
  Write(directory + "/" + log, Read(other + "/" + log));
  const std::string error = ErrorOf({}, directory);
  EXPECT_THAT(error, HasSubstr("Corruption: " + directory + "/" + log));
  EXPECT_THAT(error, HasSubstr("of database "));
}

TEST(BadDirectory, TableOfAnotherDatabase) {
  const std::string directory = MakeDatabase(2, "one value");
  const std::string other = MakeTwin(directory, 2, "two value");
  const std::string table = NameOf(directory, FileKind::kTable);
  const std::string path = directory + "/" + table;
  Write(path, Read(other + "/" + table));
  auto db = DB::Open({}, directory);
  ASSERT_TRUE(db.ok()) << db.status().ToString();
  std::string value;
  const Status status = (*db)->Get("flushed", &value);
  EXPECT_TRUE(status.IsCorruption());
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_THAT(std::string(status.message()), HasSubstr("file id"));
  EXPECT_TRUE((*db)->Get("key1", &value).ok()) << "other tables are not its business";
  EXPECT_TRUE((*db)->VerifyChecksums().IsCorruption());
}

// Rewrites the version of a log's header, checksum and all.
void MakeFutureLog(const std::string& path) {
  std::string bytes = Read(path);
  StoreFixed32(bytes.data() + 8, 2);
  StoreFixed64(bytes.data() + 64, Checksum(std::string_view(bytes).substr(0, 64), 0));
  Write(path, bytes);
}

TEST(BadDirectory, FormatsOfTheFutureAreNotSupported) {
  for (const FileKind kind : {FileKind::kWal, FileKind::kManifest}) {
    const std::string directory = MakeDatabase(2, "v");
    const std::string path = directory + "/" + NameOf(directory, kind);
    MakeFutureLog(path);
    EXPECT_THAT(ErrorOf({}, directory),
                HasSubstr("Not supported: " + path + ": format version 2; this build reads"));
  }

  const std::string directory = MakeDatabase(0, "v");
  const std::string path = directory + "/" + NameOf(directory, FileKind::kTable);
  std::string bytes = Read(path);
  char* const footer = bytes.data() + bytes.size() - Footer::kSize;
  StoreFixed32(footer + 48, 2);
  StoreFixed64(footer + 56, Checksum(std::string_view(footer, 56), Footer::kMagic));
  Write(path, bytes);
  auto db = DB::Open({}, directory);
  ASSERT_TRUE(db.ok());
  std::string value;
  const Status status = (*db)->Get("flushed", &value);
  EXPECT_TRUE(status.IsNotSupported()) << status.ToString();
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_THAT(std::string(status.message()), HasSubstr("version 2"));
}

TEST(BadDirectory, ADirectoryThatLostItsListSaysSo) {
  const std::string directory = MakeDatabase(3, "v");
  ASSERT_TRUE(PosixFileSystem()->Unlink(directory + "/CURRENT").ok());
  ASSERT_TRUE(
      PosixFileSystem()->Unlink(directory + "/" + NameOf(directory, FileKind::kManifest)).ok());
  // Even where creating one is allowed: it would bury what is there.
  EXPECT_THAT(ErrorOf({}, directory), HasSubstr("CURRENT and MANIFEST are missing, though 0000"));
}

}  // namespace
}  // namespace shearpin
