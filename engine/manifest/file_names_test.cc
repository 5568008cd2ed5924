// Goal: each kind of name is recognised with its number, and nothing else is taken for ours: an
// unknown file is never deleted.
// Method: RapidCheck round trips; a list of near misses.
#include "engine/manifest/file_names.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace shearpin {
namespace {

RC_GTEST_PROP(FileNames, NumberedNamesRoundTrip, (uint64_t number)) {
  uint64_t parsed = 0;
  RC_ASSERT(ParseFileName(ManifestName(number), &parsed) == FileKind::kManifest);
  RC_ASSERT(parsed == number);
  RC_ASSERT(ParseFileName(WalName(number), &parsed) == FileKind::kWal);
  RC_ASSERT(parsed == number);
  RC_ASSERT(ParseFileName(TableName(number), &parsed) == FileKind::kTable);
  RC_ASSERT(parsed == number);
}

TEST(FileNames, FixedNames) {
  uint64_t number;
  EXPECT_EQ(ParseFileName(CurrentName(), &number), FileKind::kCurrent);
  EXPECT_EQ(ParseFileName(CurrentTempName(), &number), FileKind::kCurrentTemp);
  EXPECT_EQ(ParseFileName(LockName(), &number), FileKind::kLock);
  EXPECT_EQ(ParseFileName(InfoLogName(), &number), FileKind::kInfoLog);
  EXPECT_EQ(ParseFileName(OldInfoLogName(), &number), FileKind::kInfoLog);
}

TEST(FileNames, NearMissesAreNotOurs) {
  for (const char* name : {"",
                           ".",
                           "current",
                           "CURRENT.bak",
                           "LOCK2",
                           "LOG2",
                           "LOG.old.old",
                           "MANIFEST",
                           "MANIFEST-",
                           "MANIFEST-x",
                           "MANIFEST-+1",
                           "MANIFEST--1",
                           "MANIFEST-1 ",
                           "MANIFEST-99999999999999999999",
                           ".wal",
                           "000001.wal.bak",
                           "x.wal",
                           "-1.wal",
                           "+1.sst",
                           "0x1.sst",
                           "1.SST",
                           "000001.log",
                           "000001",
                           "1 .sst",
                           "99999999999999999999.sst",
                           "a000001.sst"}) {
    uint64_t number;
    EXPECT_EQ(ParseFileName(name, &number), FileKind::kUnknown) << name;
  }
}

TEST(FileNames, Paths) {
  EXPECT_EQ(JoinPath("a/b", "c"), "a/b/c");
  EXPECT_EQ(JoinPath("/", "c"), "/c");
  EXPECT_EQ(ParentDirectory("a/b"), "a");
  EXPECT_EQ(ParentDirectory("a/b///"), "a");
  EXPECT_EQ(ParentDirectory("/a"), "/");
  EXPECT_EQ(ParentDirectory("a"), ".");
}

}  // namespace
}  // namespace shearpin
