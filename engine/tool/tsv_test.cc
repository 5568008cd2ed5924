// Goal: any bytes survive a line of TSV, and a malformed line is told by file, line and reason.
// Method: RapidCheck over arbitrary pairs through a real file; examples for each error.
#include "engine/tool/tsv.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/tsv_field.h"

namespace shearpin::tool {
namespace {

std::string FileWith(const std::string& text) {
  const std::string path = std::string(::testing::TempDir()) + "/tsv_test.tsv";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  return path;
}

// The error of the first line that has one; OK if all are well.
Status ReadAll(const std::string& path, std::vector<std::pair<std::string, std::string>>* pairs) {
  auto reader = TsvReader::Open(path);
  if (!reader.ok()) return reader.status();
  for (;;) {
    std::string key, value;
    auto more = (*reader)->Next(&key, &value);
    if (!more.ok()) return more.status();
    if (!*more) return Status::Ok();
    pairs->emplace_back(key, value);
  }
}

RC_GTEST_PROP(Tsv, RoundTripsAnyBytes, ()) {
  // Often the bytes that matter.
  const auto byte =
      rc::gen::oneOf(rc::gen::element('\t', '\n', '\\', 't', 'n'), rc::gen::arbitrary<char>());
  const auto field = rc::gen::container<std::string>(byte);
  const auto pairs = *rc::gen::container<std::vector<std::pair<std::string, std::string>>>(
      rc::gen::pair(field, field));
  std::string text;
  for (const auto& [key, value] : pairs) {
    text += EscapeField(key) + '\t' + EscapeField(value) + '\n';
  }
  std::vector<std::pair<std::string, std::string>> read;
  RC_ASSERT(ReadAll(FileWith(text), &read).ok());
  RC_ASSERT(read == pairs);
}

TEST(Tsv, TellsFileLineAndReason) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string path = FileWith("a\t1\n\nno tab here\n");
  Status status = ReadAll(path, &pairs);
  EXPECT_TRUE(status.IsInvalidArgument());
  EXPECT_EQ(status.message(), path + ":3: expected a key, a tab and a value, found no tab");
  EXPECT_EQ(pairs.size(), 1u) << "what stands before the error is read";

  for (const char* escape : {"a\\x\t1\n", "a\t1\\\n", "a\t\\r"}) {
    status = ReadAll(FileWith(escape), &pairs);
    EXPECT_TRUE(status.IsInvalidArgument()) << escape;
    EXPECT_NE(status.message().find(":1: unknown escape"), std::string_view::npos)
        << status.ToString();
  }
}

TEST(Tsv, TheLastLineNeedsNoNewlineAndLaterTabsBelongToTheValue) {
  std::vector<std::pair<std::string, std::string>> pairs;
  ASSERT_TRUE(ReadAll(FileWith("k\tv\tw\nlast\t"), &pairs).ok());
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].second, "v\tw");
  EXPECT_EQ(pairs[1], (std::pair<std::string, std::string>("last", "")));
}

TEST(Tsv, MissingFilesAndDirectoriesAreNamed) {
  const std::string missing = std::string(::testing::TempDir()) + "/there_is_none";
  const Status status = TsvReader::Open(missing).status();
  EXPECT_TRUE(status.IsNotFound());
  EXPECT_NE(status.message().find(missing), std::string_view::npos);
  EXPECT_TRUE(TsvReader::Open(::testing::TempDir()).status().IsIoError());
}

}  // namespace
}  // namespace shearpin::tool
