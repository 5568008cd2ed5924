// Goal: handles, trailers, footer and separators keep their laws. Method: RapidCheck; every
// single-bit flip of a footer; trailers read at another place or as another kind.
#include "engine/sst/format.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "engine/base/coding.h"
#include "engine/base/hash.h"
#include "engine/sst/table_fixture.h"

namespace shearpin {
namespace {

RC_GTEST_PROP(FormatTest, HandlesRoundTrip, (uint64_t offset, uint64_t size)) {
  std::string bytes;
  AppendBlockHandle(&bytes, {offset, size});
  std::string_view from = bytes;
  BlockHandle back;
  RC_ASSERT(ConsumeBlockHandle(&from, &back));
  RC_ASSERT((back == BlockHandle{offset, size}));
  RC_ASSERT(from.empty());
  from = std::string_view(bytes).substr(0, bytes.size() - 1);
  RC_ASSERT(!ConsumeBlockHandle(&from, &back));
}

RC_GTEST_PROP(FormatTest, SeparatorLiesBetweenAndIsNoLonger, ()) {
  const std::string a = AnyInternalKey(), b = AnyInternalKey();
  RC_PRE(a != b);
  const std::string& last = CompareInternalKeys(a, b) < 0 ? a : b;
  const std::string& next = CompareInternalKeys(a, b) < 0 ? b : a;
  std::string separator;
  AppendSeparator(&separator, last, next);
  RC_ASSERT(IsInternalKey(separator));
  RC_ASSERT(separator.size() <= last.size());
  RC_ASSERT(CompareInternalKeys(last, separator) <= 0);
  RC_ASSERT(CompareInternalKeys(separator, next) < 0);
  // What Table::Get rests on: a separator is the last key, or of a user key between the two.
  if (separator != last) {
    RC_ASSERT(UserKey(last) < UserKey(separator));
    RC_ASSERT(UserKey(separator) < UserKey(next));
  }
}

TEST(FormatTest, SeparatorIsShort) {
  const auto separator = [](std::string_view last, std::string_view next) {
    std::string key;
    AppendSeparator(&key, InternalKey(last, 5), InternalKey(next, 9));
    return std::string(UserKey(key));
  };
  EXPECT_EQ(separator("abcdef", "abzzzz"), "abz");
  EXPECT_EQ(separator("abcdef", "abe"), "abd");
  EXPECT_EQ(separator("abcdef", "abd"), "abcdef");
  EXPECT_EQ(separator("abc", "abcd"), "abc");
  EXPECT_EQ(separator("abc", "abc"), "abc");
}

TEST(FormatTest, ABlockValidatesOnlyInItsFileAtItsPlaceAsItsKind) {
  std::string stored = "contents";
  AppendBlockTrailer(&stored, BlockKind::kData, Compression::kNone, 7, 4096);
  EXPECT_EQ(stored.size(), 8 + kBlockTrailerSize);
  Compression compression;
  EXPECT_TRUE(CheckStoredBlock(stored, BlockKind::kData, 7, 4096, &compression).ok());
  EXPECT_EQ(compression, Compression::kNone);
  EXPECT_TRUE(CheckStoredBlock(stored, BlockKind::kIndex, 7, 4096, &compression).IsCorruption());
  EXPECT_TRUE(CheckStoredBlock(stored, BlockKind::kData, 8, 4096, &compression).IsCorruption());
  EXPECT_TRUE(CheckStoredBlock(stored, BlockKind::kData, 7, 4097, &compression).IsCorruption());
  EXPECT_TRUE(CheckStoredBlock("short", BlockKind::kData, 7, 0, &compression).IsCorruption());
  // File id and offset do not cancel each other out.
  EXPECT_TRUE(CheckStoredBlock(stored, BlockKind::kData, 4096, 7, &compression).IsCorruption());
}

TEST(FormatTest, AnUnknownCompressionIsNotSupported) {
  std::string stored = "contents";
  AppendBlockTrailer(&stored, BlockKind::kData, static_cast<Compression>(9), 7, 0);
  Compression compression;
  EXPECT_EQ(CheckStoredBlock(stored, BlockKind::kData, 7, 0, &compression).code(),
            StatusCode::kNotSupported);
}

Footer SomeFooter() {
  Footer footer;
  footer.metaindex = {1000, 40};
  footer.index = {1049, 400};
  footer.file_id = 42;
  footer.file_size = 1458 + Footer::kSize;
  return footer;
}

TEST(FormatTest, FooterRoundTrips) {
  std::string bytes;
  SomeFooter().AppendTo(&bytes);
  ASSERT_EQ(bytes.size(), Footer::kSize);
  Footer back;
  ASSERT_TRUE(back.DecodeFrom(bytes, SomeFooter().file_size).ok());
  EXPECT_EQ(back.metaindex, SomeFooter().metaindex);
  EXPECT_EQ(back.index, SomeFooter().index);
  EXPECT_EQ(back.file_id, 42u);
  EXPECT_EQ(back.file_size, SomeFooter().file_size);
  EXPECT_TRUE(back.DecodeFrom(bytes, SomeFooter().file_size + 1).IsCorruption());
  EXPECT_TRUE(back.DecodeFrom(bytes.substr(1), SomeFooter().file_size).IsCorruption());
}

TEST(FormatTest, EveryFlippedBitOfAFooterIsCorruption) {
  std::string bytes;
  SomeFooter().AppendTo(&bytes);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    Footer back;
    EXPECT_TRUE(back.DecodeFrom(damaged, SomeFooter().file_size).IsCorruption()) << bit;
  }
}

// The footer with other bytes at `at`, its checksum right.
std::string Forged(size_t at, uint32_t word) {
  std::string bytes;
  SomeFooter().AppendTo(&bytes);
  StoreFixed32(bytes.data() + at, word);
  StoreFixed64(bytes.data() + 56, Checksum(std::string_view(bytes).substr(0, 56), Footer::kMagic));
  return bytes;
}

TEST(FormatTest, AnotherVersionOrFlagIsNotSupportedAndNamed) {
  Footer back;
  const Status version = back.DecodeFrom(Forged(48, 2), SomeFooter().file_size);
  EXPECT_EQ(version.code(), StatusCode::kNotSupported);
  EXPECT_NE(version.message().find("version 2"), std::string_view::npos);
  EXPECT_EQ(back.DecodeFrom(Forged(52, 1), SomeFooter().file_size).code(),
            StatusCode::kNotSupported);
}

TEST(FormatTest, HandlesThatLeaveTheFileAreCorruption) {
  for (size_t at : {0, 4, 8, 12, 16, 20, 24, 28}) {
    Footer back;
    EXPECT_TRUE(back.DecodeFrom(Forged(at, 0xffffffff), SomeFooter().file_size).IsCorruption())
        << at;
  }
}

}  // namespace
}  // namespace shearpin
