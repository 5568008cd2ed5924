// Goal: the digest tells any two different lists of events apart, does not depend on whether text
// is made, and means the same for ever; the text is readable and one line an event.
// Method: properties over random lists of events, known answers, and cases at the buffer's edge.
#include "sim/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace shearpin::sim {
namespace {

using ::testing::ElementsAre;

enum class Colour : unsigned char { kRed = 1, kBlue = 2 };

using Event = std::pair<std::string, std::vector<uint64_t>>;

void Feed(const std::vector<Event>& events, Trace* trace) {
  for (const auto& [text, numbers] : events) {
    trace->Record("event", text);
    for (const uint64_t number : numbers) trace->Mix(number);
  }
}

RC_GTEST_PROP(TraceTest, DigestsAgreeExactlyIfTheEventsDo,
              (const std::vector<Event>& a, const std::vector<Event>& b)) {
  Trace first;
  Trace again;
  Trace other;
  Feed(a, &first);
  Feed(a, &again);
  Feed(b, &other);
  RC_ASSERT(first.Digest() == again.Digest());
  RC_ASSERT((first.Digest() == other.Digest()) == (a == b));
}

RC_GTEST_PROP(TraceTest, TextDoesNotChangeTheDigest, (const std::vector<Event>& events)) {
  Trace silent;
  Trace loud;
  size_t lines = 0;
  loud.SetSink([&](std::string_view line) {
    RC_ASSERT(line.find('\n') == line.npos);
    ++lines;
  });
  Feed(events, &silent);
  Feed(events, &loud);
  loud.Note("only text", "more");
  RC_ASSERT(silent.Digest() == loud.Digest());
  RC_ASSERT(lines == events.size() + 1);
  RC_ASSERT(loud.events() == events.size());
}

TEST(TraceTest, WhereAnArgumentEndsMatters) {
  std::set<uint64_t> digests;
  const auto add = [&](auto record) {
    Trace trace;
    record(&trace);
    EXPECT_TRUE(digests.insert(trace.Digest()).second) << digests.size();
  };
  add([](Trace*) {});
  add([](Trace* t) { t->Record("a"); });
  add([](Trace* t) { t->Record("a"), t->Record("b"); });
  add([](Trace* t) { t->Record("a", "b"); });
  add([](Trace* t) { t->Record("ab"); });
  add([](Trace* t) { t->Record("a", "b", ""); });
  add([](Trace* t) { t->Record("a", "bc", "d"); });
  add([](Trace* t) { t->Record("a", "b", "cd"); });
  add([](Trace* t) { t->Record("a", 1); });
  add([](Trace* t) { t->Record("a", -1); });
  add([](Trace* t) { t->Record("a", UINT64_MAX); });
  add([](Trace* t) { t->Record("a", "\x01"); });
  add([](Trace* t) { t->Record("a"), t->Mix(1); });
  add([](Trace* t) { t->Mix(1), t->Record("a"); });
  add([](Trace* t) { t->Mix(0); });
  add([](Trace* t) { t->Mix(0), t->Mix(0); });
}

TEST(TraceTest, AnIntegersWidthDoesNotMatter) {
  Trace narrow;
  Trace wide;
  narrow.Record("n", int8_t{-5}, uint16_t{7}, true, Colour::kBlue);
  wide.Record("n", int64_t{-5}, uint64_t{7}, 1, 2);
  EXPECT_EQ(narrow.Digest(), wide.Digest());
}

TEST(TraceTest, LongStringsAndManyEventsCrossTheBuffer) {
  std::set<uint64_t> digests;
  for (const size_t size : {4000, 4066, 4067, 4068, 4077, 4078, 4095, 4096, 4097, 4098, 20000}) {
    Trace trace;
    trace.Record("x", std::string(size, 'a'));
    trace.Record("y");
    const uint64_t digest = trace.Digest();
    EXPECT_TRUE(digests.insert(digest).second);
    EXPECT_EQ(trace.Digest(), digest) << "asking changed it";
    trace.Record("z");
    EXPECT_NE(trace.Digest(), digest);
  }
}

TEST(TraceTest, WhatADigestMeansIsFrozen) {
  Trace trace;
  trace.Record("append", "/db/000003.log", 4096u, -1, true);
  trace.Mix(3);
  for (int i = 0; i < 1000; ++i) trace.Record("fill", i);
  EXPECT_EQ(trace.Digest(), 13186381838303954884u);
}

TEST(TraceTest, TextIsReadable) {
  Trace trace;
  std::vector<std::string> lines;
  trace.SetSink([&](std::string_view line) { lines.emplace_back(line); });
  trace.Record("append", "/db/LOCK", 4096u, -1, Colour::kBlue);
  trace.Mix(5);
  trace.Record("put", std::string_view("k\0\n\\\xff", 5));
  trace.Note("note", 7);
  trace.SetSink(nullptr);
  trace.Record("silent");
  EXPECT_FALSE(trace.has_sink());
  EXPECT_THAT(lines,
              ElementsAre("append /db/LOCK 4096 -1 2", "put k\\x00\\x0a\\\\\\xff", "note 7"));
}

}  // namespace
}  // namespace shearpin::sim
