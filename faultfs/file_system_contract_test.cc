// Goal: the real file system and the simulated ones are told apart by nothing but durability.
// Method: one suite over PosixFileSystem in a temporary directory, MemFileSystem, and FaultFs
// without faults on each profile: every method, error codes and whole messages, visible
// semantics; then random operation sequences run side by side on PosixFileSystem and on each of
// the others, every result compared, names, sizes and contents compared at the end.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/env/env.h"
#include "engine/env/file_system.h"
#include "faultfs/fault_fs.h"
#include "faultfs/mem_file_system.h"
#include "faultfs/profile.h"

namespace shearpin::faultfs {
namespace {

// A file system and a fresh directory in it.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual FileSystem* fs() = 0;
  virtual std::string root() const = 0;
};

class PosixMachine final : public Machine {
 public:
  PosixMachine() {
    const char* parent = std::getenv("TEST_TMPDIR");
    std::string pattern = parent != nullptr ? parent : "/tmp";
    pattern += "/contract.XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~PosixMachine() override { RemoveTree(root_); }
  FileSystem* fs() override { return PosixFileSystem(); }
  std::string root() const override { return root_; }

 private:
  static void RemoveTree(const std::string& path) {
    FileSystem* const fs = PosixFileSystem();
    const auto names = fs->ListDir(path);
    if (names.ok()) {
      for (const std::string& name : *names) RemoveTree(path + "/" + name);
      EXPECT_TRUE(fs->RemoveDir(path).ok());
    } else {
      EXPECT_TRUE(fs->Unlink(path).ok());
    }
  }

  std::string root_;
};

class MemMachine final : public Machine {
 public:
  MemMachine() { EXPECT_TRUE(fs_.CreateDir(root()).ok()); }
  FileSystem* fs() override { return &fs_; }
  std::string root() const override { return "/mem"; }

 private:
  MemFileSystem fs_;
};

class FaultMachine final : public Machine {
 public:
  explicit FaultMachine(std::string_view profile) : disk_(*FindProfile(profile)) {
    EXPECT_TRUE(fs_.CreateDir(root()).ok());
  }
  FileSystem* fs() override { return &fs_; }
  std::string root() const override { return "/sim"; }

 private:
  SimDisk disk_;
  FaultFs fs_{&disk_, nullptr};
};

std::unique_ptr<Machine> MakeMachine(const std::string& kind) {
  if (kind == "posix") return std::make_unique<PosixMachine>();
  if (kind == "mem") return std::make_unique<MemMachine>();
  return std::make_unique<FaultMachine>(kind);
}

// A test name may hold no '-'.
std::string TestName(const testing::TestParamInfo<std::string>& test) {
  std::string name = test.param;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

class FileSystemContract : public testing::TestWithParam<std::string> {
 protected:
  std::string Path(const std::string& name) const { return machine_->root() + "/" + name; }

  void Put(const std::string& name, std::string_view contents) {
    auto file = fs()->OpenWritable(Path(name), OpenMode::kTruncate);
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    ASSERT_TRUE((*file)->Append(contents).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }

  std::string Get(const std::string& name) {
    std::string contents;
    const Status status = ReadFile(fs(), Path(name), &contents);
    return status.ok() ? contents : status.ToString();
  }

  // The message without the directory, so that it is the same everywhere.
  std::string Said(const Status& status) const {
    std::string text = status.ToString();
    for (size_t at; (at = text.find(machine_->root())) != std::string::npos;) {
      text.replace(at, machine_->root().size(), "$");
    }
    return text;
  }
  template <typename T>
  std::string Said(const StatusOr<T>& result) const {
    return Said(result.status());
  }

  FileSystem* fs() { return machine_->fs(); }

  std::unique_ptr<Machine> machine_ = MakeMachine(GetParam());
};

// `others`, and a simulated file system of every profile.
std::vector<std::string> EverySimulated(std::vector<std::string> others) {
  for (const std::string_view profile : ProfileNames()) others.emplace_back(profile);
  return others;
}

INSTANTIATE_TEST_SUITE_P(Every, FileSystemContract,
                         testing::ValuesIn(EverySimulated({"posix", "mem"})), TestName);

TEST_P(FileSystemContract, AppendedBytesAreReadBack) {
  auto file = fs()->OpenWritable(Path("f"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->Size(), 0u);
  ASSERT_TRUE((*file)->Append("hello ").ok());
  ASSERT_TRUE((*file)->Append("").ok());
  ASSERT_TRUE((*file)->Append("world").ok());
  EXPECT_EQ((*file)->Size(), 11u);
  EXPECT_EQ(Get("f"), "hello world") << "visible before any sync or close";
  ASSERT_TRUE((*file)->Sync().ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_TRUE((*file)->Close().ok()) << "closing twice is harmless";
  EXPECT_EQ(Get("f"), "hello world");
  EXPECT_EQ(*fs()->FileSize(Path("f")), 11u);
}

TEST_P(FileSystemContract, AppendsCrossBlocks) {
  std::string expected;
  auto file = fs()->OpenWritable(Path("f"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  for (const size_t length : {1u, 511u, 513u, 4095u, 4096u, 4097u, 70000u, 3u}) {
    const std::string part(length, static_cast<char>('a' + expected.size() % 26));
    ASSERT_TRUE((*file)->Append(part).ok());
    expected += part;
    ASSERT_EQ(Get("f"), expected);
  }
}

TEST_P(FileSystemContract, OpenModes) {
  Put("f", "old");
  EXPECT_EQ(Said(fs()->OpenWritable(Path("f"), OpenMode::kCreateNew)),
            "Already exists: open $/f: File exists");
  {
    auto file = fs()->OpenWritable(Path("f"), OpenMode::kAppend);
    ASSERT_TRUE(file.ok());
    EXPECT_EQ((*file)->Size(), 3u);
    ASSERT_TRUE((*file)->Append("er").ok());
  }
  EXPECT_EQ(Get("f"), "older");
  { ASSERT_TRUE(fs()->OpenWritable(Path("f"), OpenMode::kTruncate).ok()); }
  EXPECT_EQ(Get("f"), "");
  { ASSERT_TRUE(fs()->OpenWritable(Path("g"), OpenMode::kAppend).ok()); }
  EXPECT_EQ(Get("g"), "");
}

TEST_P(FileSystemContract, MissingPathsAreNotFound) {
  EXPECT_EQ(Said(fs()->OpenRandomAccess(Path("no"))),
            "Not found: open $/no: No such file or directory");
  EXPECT_EQ(Said(fs()->OpenWritable(Path("no/f"), OpenMode::kTruncate)),
            "Not found: open $/no/f: No such file or directory");
  EXPECT_EQ(Said(fs()->Unlink(Path("no"))), "Not found: unlink $/no: No such file or directory");
  EXPECT_EQ(Said(fs()->Truncate(Path("no"), 1)),
            "Not found: truncate $/no: No such file or directory");
  EXPECT_EQ(Said(fs()->FileSize(Path("no"))), "Not found: stat $/no: No such file or directory");
  EXPECT_EQ(Said(fs()->Exists(Path("no"))), "Not found: stat $/no: No such file or directory");
  EXPECT_EQ(Said(fs()->Exists("")), "Not found: stat : No such file or directory");
  EXPECT_EQ(Said(fs()->Rename(Path("no"), Path("f"))),
            "Not found: rename $/no to $/f: No such file or directory");
  EXPECT_EQ(Said(fs()->Link(Path("no"), Path("f"))),
            "Not found: link $/no to $/f: No such file or directory");
  EXPECT_EQ(Said(fs()->ListDir(Path("no"))), "Not found: opendir $/no: No such file or directory");
  EXPECT_EQ(Said(fs()->SyncDir(Path("no"))), "Not found: open $/no: No such file or directory");
  EXPECT_EQ(Said(fs()->RemoveDir(Path("no"))), "Not found: rmdir $/no: No such file or directory");
  EXPECT_EQ(Said(fs()->CreateDir(Path("no/d"))),
            "Not found: mkdir $/no/d: No such file or directory");
  EXPECT_EQ(Said(fs()->LockFile(Path("no/LOCK"))),
            "Not found: open $/no/LOCK: No such file or directory");
}

TEST_P(FileSystemContract, FilesAreNotDirectories) {
  Put("f", "x");
  EXPECT_EQ(Said(fs()->OpenRandomAccess(Path("f/g"))), "IO error: open $/f/g: Not a directory");
  EXPECT_EQ(Said(fs()->OpenWritable(Path("f/g"), OpenMode::kTruncate)),
            "IO error: open $/f/g: Not a directory");
  EXPECT_EQ(Said(fs()->ListDir(Path("f"))), "IO error: opendir $/f: Not a directory");
  EXPECT_EQ(Said(fs()->SyncDir(Path("f"))), "IO error: open $/f: Not a directory");
  EXPECT_EQ(Said(fs()->CreateDir(Path("f"))), "Already exists: mkdir $/f: File exists");
  EXPECT_EQ(Said(fs()->CreateDir(Path("f/d"))), "IO error: mkdir $/f/d: Not a directory");
  EXPECT_EQ(Said(fs()->RemoveDir(Path("f"))), "IO error: rmdir $/f: Not a directory");
  EXPECT_EQ(Said(fs()->Exists(Path("f/g"))), "IO error: stat $/f/g: Not a directory");
}

TEST_P(FileSystemContract, DirectoriesAreNotFiles) {
  ASSERT_TRUE(fs()->CreateDir(Path("d")).ok());
  EXPECT_EQ(Said(fs()->OpenRandomAccess(Path("d"))), "IO error: open $/d: Is a directory");
  EXPECT_EQ(Said(fs()->OpenWritable(Path("d"), OpenMode::kAppend)),
            "IO error: open $/d: Is a directory");
  EXPECT_EQ(Said(fs()->OpenWritable(Path("d"), OpenMode::kCreateNew)),
            "Already exists: open $/d: File exists");
  EXPECT_EQ(Said(fs()->Unlink(Path("d"))), "IO error: unlink $/d: Is a directory");
  EXPECT_EQ(Said(fs()->Truncate(Path("d"), 0)), "IO error: truncate $/d: Is a directory");
  EXPECT_EQ(Said(fs()->FileSize(Path("d"))), "IO error: stat $/d: Is a directory");
  EXPECT_EQ(Said(fs()->Link(Path("d"), Path("e"))),
            "IO error: link $/d to $/e: Operation not permitted");
  EXPECT_TRUE(fs()->Exists(Path("d")).ok());
}

TEST_P(FileSystemContract, ReadsAtAndPastTheEnd) {
  Put("f", "0123456789");
  auto file = fs()->OpenRandomAccess(Path("f"));
  ASSERT_TRUE(file.ok());
  char scratch[16];
  std::string_view result;
  ASSERT_TRUE((*file)->Read(3, 4, scratch, &result).ok());
  EXPECT_EQ(result, "3456");
  ASSERT_TRUE((*file)->Read(8, 10, scratch, &result).ok());
  EXPECT_EQ(result, "89");
  ASSERT_TRUE((*file)->Read(10, 5, scratch, &result).ok());
  EXPECT_EQ(result, "");
  ASSERT_TRUE((*file)->Read(1000000, 5, scratch, &result).ok());
  EXPECT_EQ(result, "");
  ASSERT_TRUE((*file)->Read(0, 0, scratch, &result).ok());
  EXPECT_EQ(result, "");
  EXPECT_EQ(*(*file)->Size(), 10u);
}

TEST_P(FileSystemContract, AReaderSeesLaterAppends) {
  auto writer = fs()->OpenWritable(Path("f"), OpenMode::kCreateNew);
  auto reader = fs()->OpenRandomAccess(Path("f"));
  ASSERT_TRUE(writer.ok() && reader.ok());
  ASSERT_TRUE((*writer)->Append("abc").ok());
  char scratch[8];
  std::string_view result;
  ASSERT_TRUE((*reader)->Read(0, 8, scratch, &result).ok());
  EXPECT_EQ(result, "abc");
  EXPECT_EQ(*(*reader)->Size(), 3u);
}

TEST_P(FileSystemContract, PreallocationExtendsWithZerosAndCloseCutsIt) {
  auto file = fs()->OpenWritable(Path("f"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append("abc").ok());
  const Status status = (*file)->Preallocate(10000);
  if (status.code() == StatusCode::kNotSupported) GTEST_SKIP() << status.ToString();
  ASSERT_TRUE(status.ok());
  EXPECT_EQ((*file)->Size(), 3u);
  EXPECT_EQ(*fs()->FileSize(Path("f")), 10000u);
  ASSERT_TRUE((*file)->Append("def").ok());
  EXPECT_EQ(Get("f"), "abcdef" + std::string(9994, '\0'));
  ASSERT_TRUE((*file)->Preallocate(2).ok()) << "smaller than what is there: nothing to do";
  EXPECT_EQ(*fs()->FileSize(Path("f")), 10000u);
  const std::string tail(9998, 'x');
  ASSERT_TRUE((*file)->Append(tail).ok());
  EXPECT_EQ(*fs()->FileSize(Path("f")), 10004u);
  ASSERT_TRUE((*file)->Preallocate(50000).ok());
  EXPECT_EQ(*fs()->FileSize(Path("f")), 50000u);
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(Get("f"), "abcdef" + tail);
}

TEST_P(FileSystemContract, DestructionClosesLikeClose) {
  {
    auto file = fs()->OpenWritable(Path("f"), OpenMode::kCreateNew);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append("abc").ok());
    const Status status = (*file)->Preallocate(5000);
    if (status.code() == StatusCode::kNotSupported) GTEST_SKIP() << status.ToString();
  }
  EXPECT_EQ(Get("f"), "abc");
}

TEST_P(FileSystemContract, TruncateCutsAndExtendsWithZeros) {
  Put("f", std::string(5000, 'x'));
  ASSERT_TRUE(fs()->Truncate(Path("f"), 4500).ok());
  EXPECT_EQ(Get("f"), std::string(4500, 'x'));
  ASSERT_TRUE(fs()->Truncate(Path("f"), 10).ok());
  ASSERT_TRUE(fs()->Truncate(Path("f"), 9000).ok());
  EXPECT_EQ(Get("f"), std::string(10, 'x') + std::string(8990, '\0'))
      << "what was cut off must not come back";
  ASSERT_TRUE(fs()->Truncate(Path("f"), 0).ok());
  EXPECT_EQ(Get("f"), "");
}

TEST_P(FileSystemContract, RenameReplacesAndKeepsOpenFiles) {
  Put("a", "new");
  Put("b", "old");
  auto reader = fs()->OpenRandomAccess(Path("b"));
  auto writer = fs()->OpenWritable(Path("a"), OpenMode::kAppend);
  ASSERT_TRUE(reader.ok() && writer.ok());
  ASSERT_TRUE(fs()->Rename(Path("a"), Path("b")).ok());
  EXPECT_TRUE(fs()->Exists(Path("a")).IsNotFound());
  EXPECT_EQ(Get("b"), "new");
  ASSERT_TRUE((*writer)->Append("er").ok());
  EXPECT_EQ(Get("b"), "newer") << "the open file follows its inode";
  char scratch[8];
  std::string_view result;
  ASSERT_TRUE((*reader)->Read(0, 8, scratch, &result).ok());
  EXPECT_EQ(result, "old") << "and so does the replaced one";
  ASSERT_TRUE(fs()->Rename(Path("b"), Path("b")).ok());
  EXPECT_EQ(Get("b"), "newer");
}

TEST_P(FileSystemContract, RenameOfDirectories) {
  ASSERT_TRUE(fs()->CreateDir(Path("d")).ok());
  ASSERT_TRUE(fs()->CreateDir(Path("e")).ok());
  ASSERT_TRUE(fs()->CreateDir(Path("d/sub")).ok());
  Put("d/f", "x");
  Put("g", "y");
  EXPECT_EQ(Said(fs()->Rename(Path("g"), Path("d"))),
            "IO error: rename $/g to $/d: Is a directory");
  EXPECT_EQ(Said(fs()->Rename(Path("d"), Path("g"))),
            "IO error: rename $/d to $/g: Not a directory");
  EXPECT_EQ(Said(fs()->Rename(Path("e"), Path("d"))),
            "IO error: rename $/e to $/d: Directory not empty");
  EXPECT_EQ(Said(fs()->Rename(Path("d"), Path("d/sub/d"))),
            "IO error: rename $/d to $/d/sub/d: Invalid argument");
  ASSERT_TRUE(fs()->Rename(Path("d"), Path("e")).ok()) << "over an empty one";
  EXPECT_EQ(Get("e/f"), "x");
  ASSERT_TRUE(fs()->Rename(Path("e/f"), Path("f")).ok()) << "between directories";
  EXPECT_EQ(Get("f"), "x");
}

TEST_P(FileSystemContract, LinksShareContent) {
  Put("a", "one");
  ASSERT_TRUE(fs()->Link(Path("a"), Path("b")).ok());
  EXPECT_EQ(Said(fs()->Link(Path("a"), Path("b"))), "Already exists: link $/a to $/b: File exists");
  {
    auto file = fs()->OpenWritable(Path("b"), OpenMode::kAppend);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(" two").ok());
  }
  EXPECT_EQ(Get("a"), "one two");
  ASSERT_TRUE(fs()->Rename(Path("a"), Path("b")).ok());
  EXPECT_TRUE(fs()->Exists(Path("a")).ok()) << "POSIX: two names of one file stay as they are";
  ASSERT_TRUE(fs()->Unlink(Path("a")).ok());
  EXPECT_EQ(Get("b"), "one two");
}

TEST_P(FileSystemContract, UnlinkedOpenFilesLive) {
  Put("f", "kept");
  auto reader = fs()->OpenRandomAccess(Path("f"));
  auto writer = fs()->OpenWritable(Path("f"), OpenMode::kAppend);
  ASSERT_TRUE(reader.ok() && writer.ok());
  ASSERT_TRUE(fs()->Unlink(Path("f")).ok());
  EXPECT_TRUE(fs()->Exists(Path("f")).IsNotFound());
  Put("f", "another");
  ASSERT_TRUE((*writer)->Append("!").ok());
  ASSERT_TRUE((*writer)->Sync().ok());
  char scratch[8];
  std::string_view result;
  ASSERT_TRUE((*reader)->Read(0, 8, scratch, &result).ok());
  EXPECT_EQ(result, "kept!");
  EXPECT_EQ(Get("f"), "another");
}

TEST_P(FileSystemContract, DirectoriesListSortedAndAreRemovedEmpty) {
  ASSERT_TRUE(fs()->CreateDir(Path("d")).ok());
  ASSERT_TRUE(fs()->CreateDir(Path("d")).ok()) << "there already";
  for (const char* name : {"d/b", "d/a", "d/10", "d/9", "d/B"}) Put(name, "");
  ASSERT_TRUE(fs()->CreateDir(Path("d/c")).ok());
  EXPECT_EQ(*fs()->ListDir(Path("d")), (std::vector<std::string>{"10", "9", "B", "a", "b", "c"}));
  EXPECT_EQ(Said(fs()->RemoveDir(Path("d"))), "IO error: rmdir $/d: Directory not empty");
  for (const char* name : {"d/b", "d/a", "d/10", "d/9", "d/B"}) {
    ASSERT_TRUE(fs()->Unlink(Path(name)).ok());
  }
  ASSERT_TRUE(fs()->RemoveDir(Path("d/c")).ok());
  ASSERT_TRUE(fs()->SyncDir(Path("d")).ok());
  ASSERT_TRUE(fs()->RemoveDir(Path("d")).ok());
  EXPECT_TRUE(fs()->Exists(Path("d")).IsNotFound());
  ASSERT_TRUE(fs()->SyncDir(machine_->root()).ok());
}

TEST_P(FileSystemContract, LocksExcludeUntilReleased) {
  auto first = fs()->LockFile(Path("LOCK"));
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(fs()->Exists(Path("LOCK")).ok());
  EXPECT_EQ(Said(fs()->LockFile(Path("LOCK"))),
            "Busy: lock $/LOCK: locked by another process, or by another holder in this one");
  auto other = fs()->LockFile(Path("OTHER"));
  EXPECT_TRUE(other.ok());
  { const std::unique_ptr<FileLock> released = *std::move(first); }
  auto again = fs()->LockFile(Path("LOCK"));
  EXPECT_TRUE(again.ok()) << Said(again);
}

TEST_P(FileSystemContract, RepeatedSlashesAndDots) {
  ASSERT_TRUE(fs()->CreateDir(Path("d")).ok());
  Put("d//f", "x");
  EXPECT_EQ(Get("./d/./f"), "x");
}

// One random operation, on names from a small set so that they collide.
struct Operation {
  int kind;
  int a;
  int b;
  int size;
};

std::ostream& operator<<(std::ostream& os, const Operation& op) {
  return os << "{" << op.kind << ", " << op.a << ", " << op.b << ", " << op.size << "}";
}

rc::Gen<std::vector<Operation>> Operations() {
  const auto size = rc::gen::weightedOneOf<int>(
      {{3, rc::gen::inRange(0, 300)}, {2, rc::gen::inRange(4000, 13000)}});
  return rc::gen::container<std::vector<Operation>>(rc::gen::construct<Operation>(
      rc::gen::inRange(0, 15), rc::gen::inRange(0, 8), rc::gen::inRange(0, 8), size));
}

// Applies operations and writes down everything that can be seen.
class Player {
 public:
  explicit Player(Machine* machine) : machine_(machine) {}

  void Play(const Operation& op, int serial) {
    FileSystem* const fs = machine_->fs();
    const std::string a = Name(op.a);
    const std::string b = Name(op.b);
    const auto size = static_cast<uint64_t>(op.size);
    switch (op.kind) {
      case 0:
      case 1:
      case 2: {
        auto file = fs->OpenWritable(a, static_cast<OpenMode>(op.kind));
        Note(file.status());
        if (file.ok()) writers_[op.b % 3] = *std::move(file);
        break;
      }
      case 3:
      case 4:
      case 5:
        if (auto& file = writers_[op.b % 3]) {
          Note(file->Append(std::string(size, static_cast<char>('a' + serial % 26))));
          Note(file->Size());
        }
        break;
      case 6:
        if (auto& file = writers_[op.b % 3]) Note(file->Preallocate(size));
        break;
      case 7:
        if (auto& file = writers_[op.b % 3]) Note(file->Sync());
        break;
      case 8:
        if (auto& file = writers_[op.b % 3]) Note(file->Close());
        writers_[op.b % 3].reset();
        break;
      case 9:
        Note(fs->Rename(a, b));
        break;
      case 10:
        Note(fs->Link(a, b));
        break;
      case 11:
        Note(fs->Unlink(a));
        break;
      case 12:
        Note(fs->Truncate(a, size));
        break;
      case 13:
        Note(op.size % 2 == 0 ? fs->CreateDir(a) : fs->RemoveDir(a));
        break;
      default:
        Note(op.size % 2 == 0 ? fs->Exists(a) : fs->SyncDir(a));
        break;
    }
  }

  void Finish() {
    writers_.clear();
    Dump(machine_->root());
  }

  const std::string& seen() const { return seen_; }

 private:
  std::string Name(int i) const {
    static const char* const kNames[] = {"a", "b", "c", "d", "d/x", "d/y", "e", "e/z"};
    return machine_->root() + "/" + kNames[i];
  }

  void Note(const Status& status) { NoteText(status.ToString()); }
  void Note(uint64_t number) { NoteText(std::to_string(number)); }
  void NoteText(std::string text) {
    const std::string root = machine_->root();
    for (size_t at; (at = text.find(root)) != std::string::npos;)
      text.replace(at, root.size(), "$");
    seen_ += text + "\n";
  }

  void Dump(const std::string& path) {
    const auto names = machine_->fs()->ListDir(path);
    if (!names.ok()) {
      std::string contents;
      Note(ReadFile(machine_->fs(), path, &contents));
      NoteText(path + " = " + contents);
      return;
    }
    NoteText(path + "/");
    for (const std::string& name : *names) Dump(path + "/" + name);
  }

  Machine* const machine_;
  std::map<int, std::unique_ptr<WritableFile>> writers_;
  std::string seen_;
};

class SideBySide : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Every, SideBySide, testing::ValuesIn(EverySimulated({"mem"})), TestName);

TEST_P(SideBySide, RandomSequencesLookLikePosix) {
  const std::string kind = GetParam();
  const bool passed = rc::check("agrees with PosixFileSystem", [&kind] {
    const std::vector<Operation> operations = *Operations();
    PosixMachine posix;
    const std::unique_ptr<Machine> other = MakeMachine(kind);
    Player real(&posix);
    Player simulated(other.get());
    int serial = 0;
    for (const Operation& op : operations) {
      real.Play(op, serial);
      simulated.Play(op, serial++);
      RC_ASSERT(real.seen() == simulated.seen());
    }
    real.Finish();
    simulated.Finish();
    RC_ASSERT(real.seen() == simulated.seen());
  });
  EXPECT_TRUE(passed);
}

}  // namespace
}  // namespace shearpin::faultfs
