// Goal: what was compressed comes back, and no bytes, whatever they claim, do more than fail.
// Method: round trips of random and repetitive blocks; flips, cuts and forged sizes of compressed
// ones, with the destination exactly as large as was claimed (AddressSanitizer sees its bounds).
#include "engine/sst/block_compression.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/base/coding.h"

namespace shearpin {
namespace {

Compression AnyCompression() { return *rc::gen::element(Compression::kLz4, Compression::kZstd); }

std::string AnyRepetitive() {
  const auto piece = *rc::gen::nonEmpty<std::string>();
  std::string raw;
  for (int i = *rc::gen::inRange(20, 200); i > 0; --i) {
    raw += piece;
    raw += std::to_string(i % 7);
  }
  return raw;
}

// Empty if it does not decompress.
StatusOr<std::string> Unpack(Compression compression, std::string_view stored) {
  SHEARPIN_ASSIGN_OR_RETURN(const size_t raw_size, ClaimedRawSize(compression, stored));
  const auto raw = std::make_unique<char[]>(raw_size);
  SHEARPIN_RETURN_IF_ERROR(Decompress(compression, stored, raw_size, raw.get()));
  return std::string(raw.get(), raw_size);
}

RC_GTEST_PROP(BlockCompressionTest, WhatWasCompressedComesBack, ()) {
  const Compression compression = AnyCompression();
  BlockCompressor compressor(compression);
  std::string stored;
  for (int i = 0; i < 3; ++i) {  // the compressor is used again and again
    const std::string raw =
        *rc::gen::arbitrary<bool>() ? AnyRepetitive() : *rc::gen::arbitrary<std::string>();
    if (!compressor.Compress(raw, &stored)) continue;
    RC_ASSERT(stored.size() <= raw.size() - raw.size() / 8);
    const auto unpacked = Unpack(compression, stored);
    RC_ASSERT(unpacked.ok());
    RC_ASSERT(*unpacked == raw);
  }
}

TEST(BlockCompressionTest, CompressesOnlyWhereItPays) {
  std::string noise(4096, '\0');
  uint64_t x = 1;
  for (char& c : noise) {
    x = x * 6364136223846793005 + 1442695040888963407;
    c = static_cast<char>(x >> 56);
  }
  for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
    BlockCompressor compressor(compression);
    std::string stored;
    EXPECT_FALSE(compressor.Compress(noise, &stored));
    EXPECT_FALSE(compressor.Compress("", &stored));
    EXPECT_FALSE(compressor.Compress("a", &stored));
    EXPECT_TRUE(compressor.Compress(std::string(4096, 'a'), &stored));
    EXPECT_LT(stored.size(), 100u);
    EXPECT_FALSE(compressor.Compress(std::string(kMaxCompressibleBlock + 1, 'a'), &stored));
  }
  std::string stored;
  EXPECT_FALSE(BlockCompressor(Compression::kNone).Compress(std::string(4096, 'a'), &stored));
}

RC_GTEST_PROP(BlockCompressionTest, DamageFailsOrGivesAsManyBytesAsClaimed, ()) {
  const Compression compression = AnyCompression();
  std::string stored;
  if (!BlockCompressor(compression).Compress(AnyRepetitive(), &stored)) RC_DISCARD();
  for (int flips = *rc::gen::inRange(0, 4); flips > 0; --flips) {
    const auto bit = *rc::gen::inRange<size_t>(0, stored.size() * 8);
    stored[bit / 8] = static_cast<char>(stored[bit / 8] ^ 1 << bit % 8);
  }
  if (*rc::gen::arbitrary<bool>()) stored.resize(*rc::gen::inRange<size_t>(0, stored.size()));
  const auto unpacked = Unpack(compression, stored);
  RC_ASSERT(unpacked.ok() || unpacked.status().IsCorruption());
}

TEST(BlockCompressionTest, ClaimsBeyondWhatIsPossibleAreRefused) {
  for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
    std::string stored;
    AppendVarint32(&stored, static_cast<uint32_t>(kMaxCompressibleBlock));
    EXPECT_TRUE(ClaimedRawSize(compression, stored + "abc").status().IsCorruption());
    EXPECT_TRUE(ClaimedRawSize(compression, stored).status().IsCorruption());
    std::string beyond;
    AppendVarint32(&beyond, static_cast<uint32_t>(kMaxCompressibleBlock + 1));
    beyond.resize(1 << 20);
    EXPECT_TRUE(ClaimedRawSize(compression, beyond).status().IsCorruption());
    EXPECT_TRUE(ClaimedRawSize(compression, "\xff\xff\xff\xff\xff\xff").status().IsCorruption());
  }
}

TEST(BlockCompressionTest, AWrongRawSizeIsCorruptionEitherWay) {
  for (const Compression compression : {Compression::kLz4, Compression::kZstd}) {
    std::string stored;
    ASSERT_TRUE(BlockCompressor(compression).Compress(std::string(1000, 'a'), &stored));
    std::string_view payload = stored;
    uint32_t raw_size;
    ASSERT_TRUE(ConsumeVarint32(&payload, &raw_size));
    ASSERT_EQ(raw_size, 1000u);
    for (const uint32_t claim : {999u, 1001u, 0u}) {
      std::string forged;
      AppendVarint32(&forged, claim);
      forged += payload;
      EXPECT_TRUE(Unpack(compression, forged).status().IsCorruption()) << claim;
    }
  }
}

}  // namespace
}  // namespace shearpin
