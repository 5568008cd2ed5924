// Goal: the tool's command line: what each command prints, its exit status, and that no command
// but load makes a database where there was none.
// Method: runs the binary itself, through a shell, in a fresh directory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "engine/env/env.h"

namespace shearpin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Result {
  int exit_status = -1;
  std::string output;  // both streams
};

class ToolTest : public ::testing::Test {
 protected:
  ToolTest() {
    static int counter = 0;
    directory_ = std::string(::testing::TempDir()) + "/tool_test_" + std::to_string(++counter);
    EXPECT_TRUE(PosixFileSystem()->CreateDir(directory_).ok());
    char cwd[4096];
    EXPECT_NE(::getcwd(cwd, sizeof cwd), nullptr);
    tool_ = std::string(cwd) + "/engine/tool/tool";
  }

  // Paths in `arguments` are relative to the test's directory, as they are under `bazel run`.
  Result Run(const std::string& arguments) {
    const std::string command =
        "BUILD_WORKING_DIRECTORY='" + directory_ + "' '" + tool_ + "' " + arguments + " 2>&1";
    Result result;
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    char buffer[4096];
    for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
      result.output.append(buffer, n);
    }
    const int status = ::pclose(pipe);
    if (WIFEXITED(status)) result.exit_status = WEXITSTATUS(status);
    return result;
  }

  void WriteFile(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name, std::ios::binary | std::ios::trunc) << text;
  }

  // Name of the one file in db/ that ends so.
  std::string DatabaseFile(const std::string& suffix) {
    const auto names = PosixFileSystem()->ListDir(directory_ + "/db");
    EXPECT_TRUE(names.ok());
    for (const std::string& name : *names) {
      if (name.ends_with(suffix)) return "db/" + name;
    }
    ADD_FAILURE() << "no file ends with " << suffix;
    return "";
  }

  std::string directory_;
  std::string tool_;
};

TEST_F(ToolTest, LoadsAndReadsBack) {
  WriteFile("in.tsv", "b\ttwo\\nlines\na\t1\nc\\td\t3\n");
  const Result load = Run("load db in.tsv --acknowledge --batch 2 --sync-every 1");
  EXPECT_EQ(load.exit_status, 0) << load.output;
  EXPECT_THAT(load.output, HasSubstr("acknowledged 2\nsynced 2\nacknowledged 3\nsynced 3\n"));
  EXPECT_THAT(load.output, HasSubstr("loaded 3 records"));

  EXPECT_EQ(Run("get db b").output, "two\nlines\n");
  EXPECT_EQ(Run("scan db").output, "a\t1\nb\ttwo\\nlines\nc\\td\t3\n");
  EXPECT_EQ(Run("scan db --keys-only --reverse --limit 2").output, "c\\td\nb\n");
  EXPECT_EQ(Run("scan db --from a --to b --keys-only").output, "a\nb\n");
  EXPECT_EQ(Run("scan db --from a --exclude-from --to b --keys-only").output, "b\n");
  EXPECT_EQ(Run("scan db --from a --to b --exclude-to --keys-only").output, "a\n");
  EXPECT_EQ(Run("scan db --limit 0").output, "");
  const Result verify = Run("verify db");
  EXPECT_EQ(verify.exit_status, 0);
  EXPECT_THAT(verify.output, HasSubstr("ok: 3 keys"));

  const Result missing = Run("get db nothing");
  EXPECT_EQ(missing.exit_status, 1);
  EXPECT_THAT(missing.output, HasSubstr("Not found: db: no key \"nothing\""));
}

TEST_F(ToolTest, WhatScanPrintsLoadsAgain) {
  WriteFile("in.tsv", "a\t\\\\\\t\\n\n\\\\\tx\n\tempty key\n");
  ASSERT_EQ(Run("load db in.tsv").exit_status, 0);
  ASSERT_EQ(Run("scan db > '" + directory_ + "/out.tsv'").exit_status, 0);
  ASSERT_EQ(Run("load again out.tsv").exit_status, 0);
  EXPECT_EQ(Run("scan db").output, Run("scan again").output);
}

TEST_F(ToolTest, EveryDurabilityKeepsWhatWasLoaded) {
  WriteFile("in.tsv", "a\t1\nb\t2\nc\t3\n");
  for (const std::string durability : {"none", "process", "sync"}) {
    ASSERT_EQ(Run("load " + durability + " in.tsv --skip 1 --durability " + durability).exit_status,
              0);
    EXPECT_EQ(Run("scan " + durability).output, "b\t2\nc\t3\n") << durability;
  }
}

TEST_F(ToolTest, DumpsEachKindOfFile) {
  WriteFile("in.tsv", "key\tvalue\n");
  ASSERT_EQ(Run("load db in.tsv").exit_status, 0);
  Result wal = Run("dump " + DatabaseFile(".wal"));
  EXPECT_EQ(wal.exit_status, 0);
  EXPECT_THAT(wal.output, HasSubstr("@1 put \"key\" = \"value\""));
  EXPECT_THAT(wal.output, HasSubstr("whole records end at "));

  // Opening for writing moves the record into a table.
  WriteFile("empty.tsv", "");
  ASSERT_EQ(Run("load db empty.tsv").exit_status, 0);
  Result table = Run("dump " + DatabaseFile(".sst"));
  EXPECT_EQ(table.exit_status, 0);
  EXPECT_THAT(table.output, HasSubstr("entries 1, deletions 0"));
  EXPECT_THAT(table.output, HasSubstr("\"key\" @1 put = \"value\""));
  const auto names = PosixFileSystem()->ListDir(directory_ + "/db");
  ASSERT_TRUE(names.ok());
  EXPECT_THAT(Run("dump db/" + names->back()).output, HasSubstr("add L0 "));
  EXPECT_THAT(Run("dump db/CURRENT").output, HasSubstr("\"MANIFEST-"));
  const Result whole = Run("dump db");
  EXPECT_EQ(whole.exit_status, 0);
  EXPECT_THAT(whole.output, HasSubstr("1 entries, sequences 1..1, keys \"key\" to \"key\""));
}

TEST_F(ToolTest, DumpTellsDamage) {
  WriteFile("in.tsv", "key\tvalue\n");
  ASSERT_EQ(Run("load db in.tsv").exit_status, 0);
  ASSERT_EQ(Run("load db in.tsv").exit_status, 0);  // moves the record into a table
  const std::string table = DatabaseFile(".sst");
  {
    std::fstream file(directory_ + "/" + table, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(3).put('!');
  }
  const Result dump = Run("dump " + table);
  EXPECT_EQ(dump.exit_status, 1);
  EXPECT_THAT(dump.output, HasSubstr("Corruption: " + table + ": data block at offset 0"));
  const Result verify = Run("verify db");
  EXPECT_EQ(verify.exit_status, 1);
  EXPECT_THAT(verify.output, HasSubstr("`repair DIR NEWDIR` writes what can be read"));
  EXPECT_EQ(Run("get db key").exit_status, 0);  // the newer value stands in the log
  WriteFile("text", "just text");
  const Result text = Run("dump text");
  EXPECT_EQ(text.exit_status, 1);
  EXPECT_THAT(text.output, HasSubstr("text: neither a table"));
}

TEST_F(ToolTest, PropertiesArePrintedAndUnknownOnesAnsweredWithTheNames) {
  WriteFile("in.tsv", "a\t1\nb\t2\n");
  ASSERT_EQ(Run("load db in.tsv").exit_status, 0);
  EXPECT_EQ(Run("property db last-sequence").output, "2\n");
  const Result unknown = Run("property db size");
  EXPECT_EQ(unknown.exit_status, 1);
  EXPECT_THAT(unknown.output, HasSubstr("no property named size; there are levels, "));
  EXPECT_EQ(Run("property db").exit_status, 2);
}

TEST_F(ToolTest, RepairTellsByItsStatusWhetherAllIsThere) {
  WriteFile("in.tsv", "a\t1\nb\t2\n");
  ASSERT_EQ(Run("load db in.tsv --batch 1").exit_status, 0);
  const Result whole = Run("repair db whole");
  EXPECT_EQ(whole.exit_status, 0) << whole.output;
  EXPECT_THAT(whole.output, HasSubstr("whole: 2 keys in 1 tables"));
  EXPECT_THAT(whole.output, HasSubstr("everything was salvaged"));
  EXPECT_EQ(Run("scan whole").output, "a\t1\nb\t2\n");

  const std::string log = DatabaseFile(".wal");
  {
    std::fstream file(directory_ + "/" + log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(512 + 40).put('!');
  }
  const Result lossy = Run("repair db lossy");
  EXPECT_EQ(lossy.exit_status, 1) << lossy.output;
  EXPECT_THAT(lossy.output, HasSubstr(log.substr(3) + " at offset 512, "));
  EXPECT_THAT(lossy.output, HasSubstr("any key: may be missing, or show an older"));
  EXPECT_EQ(Run("scan lossy").output, "b\t2\n");
  const Result json = Run("repair db json --json");
  EXPECT_EQ(json.exit_status, 1);
  EXPECT_THAT(json.output, HasSubstr("\"complete\":false"));
  EXPECT_THAT(json.output, HasSubstr("\"lost\":\"unknown\",\"offset\":512"));

  for (const std::string arguments : {"none new", "db lossy", "db"}) {
    EXPECT_EQ(Run("repair " + arguments).exit_status, 2) << arguments;
  }
  EXPECT_THAT(Run("repair none new").output, HasSubstr("none: no such directory"));
  EXPECT_TRUE(PosixFileSystem()->Exists(directory_ + "/new").IsNotFound());
}

TEST_F(ToolTest, MakesNoDatabaseUnlessItLoads) {
  for (const std::string command : {"get db key", "scan db", "verify db", "dump db"}) {
    const Result result = Run(command);
    EXPECT_EQ(result.exit_status, 1) << command;
    EXPECT_THAT(result.output, HasSubstr("db: no such")) << command;
    EXPECT_TRUE(PosixFileSystem()->Exists(directory_ + "/db").IsNotFound()) << command;
  }
  ASSERT_TRUE(PosixFileSystem()->CreateDir(directory_ + "/db").ok());
  WriteFile("db/notes.txt", "not a database");
  for (const std::string command : {"get db key", "scan db", "verify db", "dump db"}) {
    const Result result = Run(command);
    EXPECT_EQ(result.exit_status, 1) << command;
    EXPECT_THAT(result.output, HasSubstr("db: not a database")) << command;
    EXPECT_EQ(PosixFileSystem()->ListDir(directory_ + "/db")->size(), 1u) << command;
  }
  const Result load = Run("load other missing.tsv");
  EXPECT_EQ(load.exit_status, 1);
  EXPECT_THAT(load.output, HasSubstr("missing.tsv: No such file"));
  EXPECT_TRUE(PosixFileSystem()->Exists(directory_ + "/other").IsNotFound());
}

TEST_F(ToolTest, MalformedLinesAreTold) {
  WriteFile("in.tsv", "a\t1\nb\n");
  const Result load = Run("load db in.tsv --batch 1");
  EXPECT_EQ(load.exit_status, 1);
  EXPECT_THAT(load.output, HasSubstr("in.tsv:2: expected a key, a tab and a value"));
  EXPECT_EQ(Run("scan db").output, "a\t1\n") << "what was acknowledged before stays";
}

TEST_F(ToolTest, WrongCommandLinesExitWithTwo) {
  for (const std::string arguments :
       {"", "frobnicate", "load db", "load db f --batch 0", "load db f --durability perhaps",
        "load db f --write-buffer 1", "get db", "scan", "scan db --exclude-to",
        "scan db --limit -1", "dump", "verify", "verify db --fast"}) {
    const Result result = Run(arguments);
    EXPECT_EQ(result.exit_status, 2) << arguments;
    EXPECT_THAT(result.output, Not(HasSubstr("CHECK"))) << arguments;
    EXPECT_FALSE(result.output.empty()) << arguments;
  }
  for (const std::string command :
       {"", "load", "get", "scan", "dump", "verify", "repair", "property"}) {
    const Result result = Run(command + " --help");
    EXPECT_EQ(result.exit_status, 0) << command;
    EXPECT_THAT(result.output, HasSubstr("Usage: tool " + command)) << command;
  }
}

TEST_F(ToolTest, ShapePrintsWhatEachPolicyCosts) {
  const Result all = Run("shape --gigabytes 2");
  EXPECT_EQ(all.exit_status, 0) << all.output;
  for (const char* policy : {"leveled\n", "tiered\n", "simple\n"}) {
    EXPECT_THAT(all.output, HasSubstr(policy));
  }
  const Result one = Run("shape --gigabytes 1 --policy tiered --json --update-fraction 0");
  EXPECT_EQ(one.exit_status, 0) << one.output;
  EXPECT_THAT(one.output, HasSubstr("\"policy\":\"tiered\""));
  EXPECT_THAT(one.output, HasSubstr("\"write_amplification\":"));
  EXPECT_THAT(one.output, Not(HasSubstr("leveled")));
  EXPECT_EQ(Run("shape --policy none").exit_status, 2);
  EXPECT_EQ(Run("shape --update-fraction 1.5").exit_status, 2);
  const Result wrong = Run("shape --multiplier 1");
  EXPECT_EQ(wrong.exit_status, 1);
  EXPECT_THAT(wrong.output, HasSubstr("level_size_multiplier"));
}

}  // namespace
}  // namespace shearpin
