// Goal: of two traces one is told where they part, with what stood before and what each went on
// with, and which stream parted.
// Method: traces by hand.
#include "sim/trace_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shearpin::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kTrace = {
    "        0  main             phase: opening 0",
    "        5  main             spawn 1 client0",
    "        5  client0          step: client 0 step 0: put \"a\" \"b\" sync",
    "        9  client0          file: append /db/1.wal at 512, 72 bytes #0000abcd",
    "       12  client0          answer: client 0 step 0, put: OK at sequence 1",
    "       12  client0          run 0 main after client0 at end",
};

TEST(TraceDiffTest, EqualTracesDoNotPart) {
  EXPECT_FALSE(CompareTraces(kTrace, kTrace).has_value());
  EXPECT_FALSE(CompareTraces({}, {}).has_value());
}

TEST(TraceDiffTest, NamesTheStreamThatPartedFirst) {
  const struct {
    size_t line;
    const char* instead;
    const char* stream;
  } cases[] = {
      {2, "        5  client0          step: client 0 step 0: get \"a\"", "client step"},
      {3, "        9  client0          file: append /db/1.wal at 512, 72 bytes #0000abce",
       "file call"},
      {3, "        9  client0          fault: append /db/1.wal -> I/O error: injected",
       "file call"},
      {3, "        9  client0          run 2 flush after client0 at lock", "schedule"},
      {4, "       12  client0          answer: client 0 step 0, put: OK at sequence 2", "answer"},
      {5, "       12  client0          run 2 flush after client0 at end", "schedule"},
  };
  for (const auto& each : cases) {
    std::vector<std::string> other = kTrace;
    other[each.line] = each.instead;
    const auto divergence = CompareTraces(kTrace, other);
    ASSERT_TRUE(divergence.has_value()) << each.instead;
    EXPECT_EQ(divergence->line, each.line);
    EXPECT_EQ(divergence->stream, each.stream) << each.instead;
    EXPECT_THAT(divergence->text, HasSubstr("part at line " + std::to_string(each.line + 1)));
    EXPECT_THAT(divergence->text, HasSubstr("\n- " + kTrace[each.line] + "\n"));
    EXPECT_THAT(divergence->text, HasSubstr("\n+ " + std::string(each.instead) + "\n"));
    EXPECT_THAT(divergence->text, HasSubstr("\n  " + kTrace[each.line - 1] + "\n"));
    EXPECT_THAT(divergence->text, Not(HasSubstr("\n- " + kTrace[each.line - 1] + "\n")));
  }
}

TEST(TraceDiffTest, OneMayEndBeforeTheOther) {
  const std::vector<std::string> shorter(kTrace.begin(), kTrace.end() - 2);
  const auto divergence = CompareTraces(shorter, kTrace);
  ASSERT_TRUE(divergence.has_value());
  EXPECT_EQ(divergence->line, kTrace.size() - 2);
  EXPECT_THAT(divergence->text, HasSubstr("- (the trace ends here)\n"));
  EXPECT_EQ(divergence->stream, "answer");
}

TEST(TraceDiffTest, OnlyATracesOwnLinesCount) {
  const std::string text =
      "INFO: Running command line\n" + kTrace[0] + "\n" + kTrace[3] +
      "\nseed 3  ok  digest 1  operations 2\n{\"json\":1}\n12 apples and pears\n";
  EXPECT_EQ(TraceLines(text), (std::vector<std::string>{kTrace[0], kTrace[3]}));
}

}  // namespace
}  // namespace shearpin::sim
