// Goal: checksums stay what files on disk were written with, and the streamed one equals the whole.
// Method: known answers (xxHash's own for XXH3-64, SplitMix64's published sequence) and RapidCheck.
#include "engine/base/hash.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace shearpin {
namespace {

TEST(HashTest, KnownAnswers) {
  EXPECT_EQ(Checksum("", 0), 0x2d06800538d394c2u);
  // The first two outputs of SplitMix64 seeded with 0.
  EXPECT_EQ(Mix64(0), 0xe220a8397b1dcdafu);
  EXPECT_EQ(Mix64(0x9e3779b97f4a7c15), 0x6e789e6aa1b965f4u);
}

TEST(HashTest, SeedAndBytesBothMatter) {
  EXPECT_NE(Checksum("a", 0), Checksum("a", 1));
  EXPECT_NE(Checksum("a", 0), Checksum("b", 0));
}

RC_GTEST_PROP(HashTest, StreamEqualsWhole, (std::vector<std::string> pieces)) {
  std::string whole;
  ChecksumStream stream;
  for (const std::string& piece : pieces) {
    // Beyond XXH3's internal buffer too.
    std::string repeated;
    for (int i = 0; i < 20; ++i) repeated += piece;
    stream.Update(repeated);
    whole += repeated;
  }
  RC_ASSERT(stream.Digest() == Checksum(whole, 0));
}

}  // namespace
}  // namespace shearpin
