// Goal: the order of internal keys is the one that everything rests on: user keys ascending, newer
// first. Method: RapidCheck against a comparison of tuples.
#include "engine/base/internal_key.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <tuple>

#include "engine/base/lookup.h"

namespace shearpin {
namespace {

struct Parts {
  std::string user_key;
  SequenceNumber sequence;
  ValueType type;

  std::string Encode() const {
    std::string key;
    AppendInternalKey(&key, user_key, sequence, type);
    return key;
  }
};

Parts AnyParts() {
  const SequenceNumber near_zero = *rc::gen::inRange<uint64_t>(0, 4);
  return {*rc::gen::container<std::string>(rc::gen::element<char>('a', 'b', '\0', '\xff')),
          *rc::gen::element(near_zero, kMaxSequence - near_zero),
          *rc::gen::element(ValueType::kDelete, ValueType::kValue)};
}

int Sign(int order) { return (order > 0) - (order < 0); }

// Also where they share words, end within one, and are too long for the quick way.
RC_GTEST_PROP(InternalKeyTest, BytesCompareAsTheStandardSays, ()) {
  const std::string shared(*rc::gen::inRange<size_t>(0, 40), *rc::gen::element('k', '\xff'));
  const auto bytes =
      rc::gen::container<std::string>(rc::gen::element<char>('a', '\0', '\x7f', '\x80', '\xff'));
  const std::string a = shared + *bytes, b = shared + *bytes;
  RC_ASSERT(Sign(CompareBytes(a, b)) == Sign(a.compare(b)));
  RC_ASSERT(CompareBytes(a, a) == 0);
  RC_ASSERT(EqualBytes(a, b) == (a == b));
  if (KeyPrefix(a) != KeyPrefix(b)) RC_ASSERT((KeyPrefix(a) < KeyPrefix(b)) == (a < b));
  RC_ASSERT((a.substr(0, 8) != b.substr(0, 8) || KeyPrefix(a) == KeyPrefix(b)));
}

RC_GTEST_PROP(InternalKeyTest, PartsRoundTrip, ()) {
  const Parts parts = AnyParts();
  const std::string key = parts.Encode();
  RC_ASSERT(IsInternalKey(key));
  RC_ASSERT(UserKey(key) == parts.user_key);
  RC_ASSERT(SequenceOf(key) == parts.sequence);
  RC_ASSERT(TypeOf(key) == parts.type);
}

RC_GTEST_PROP(InternalKeyTest, OrderIsUserKeyThenNewestFirst, ()) {
  const Parts a = AnyParts(), b = AnyParts();
  const auto rank = [](const Parts& p) { return std::tuple(p.sequence, p.type); };
  int expected = Sign(a.user_key.compare(b.user_key));
  if (expected == 0) expected = rank(a) > rank(b) ? -1 : rank(a) < rank(b) ? 1 : 0;
  RC_ASSERT(Sign(CompareInternalKeys(a.Encode(), b.Encode())) == expected);
}

RC_GTEST_PROP(InternalKeyTest, SeekKeyStandsBeforeWhatItMaySeeAndAfterTheRest, ()) {
  const Parts entry = AnyParts();
  const SequenceNumber at = AnyParts().sequence;
  const std::string seek = Parts{entry.user_key, at, kSeekType}.Encode();
  RC_ASSERT((CompareInternalKeys(seek, entry.Encode()) <= 0) == (entry.sequence <= at));
}

TEST(InternalKeyTest, ShortOrUnknownBytesAreNoInternalKey) {
  EXPECT_FALSE(IsInternalKey(""));
  EXPECT_FALSE(IsInternalKey(std::string(7, '\0')));
  EXPECT_TRUE(IsInternalKey(std::string(8, '\0')));
  EXPECT_FALSE(IsInternalKey(std::string("\x02\0\0\0\0\0\0\0", 8)));
  EXPECT_FALSE(IsInternalKey(std::string("\xff\0\0\0\0\0\0\0", 8)));
}

TEST(LookupTest, TombstonesHaveNoValue) {
  const std::string deleted = Parts{"k", 7, ValueType::kDelete}.Encode();
  const std::string value = Parts{"k", 8, ValueType::kValue}.Encode();
  EXPECT_EQ(Lookup::Of(deleted, "x").kind, Lookup::Kind::kDeleted);
  EXPECT_EQ(Lookup::Of(deleted, "x").value, "");
  EXPECT_EQ(Lookup::Of(deleted, "x").sequence, 7u);
  EXPECT_EQ(Lookup::Of(value, "x").kind, Lookup::Kind::kValue);
  EXPECT_EQ(Lookup::Of(value, "x").value, "x");
  EXPECT_EQ(Lookup::Of(value, "x").sequence, 8u);
}

}  // namespace
}  // namespace shearpin
