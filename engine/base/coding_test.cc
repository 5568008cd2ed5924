// Goal: integers and strings survive the way to bytes and back, and no decoder accepts malformed
// bytes or reads past its view. Method: RapidCheck round trips, decoding of every prefix, decoding
// of arbitrary bytes held in exact-sized heap memory (AddressSanitizer sees any step outside).
#include "engine/base/coding.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <vector>

namespace shearpin {
namespace {

// Small and large numbers alike: `bits` low bits of noise.
rc::Gen<uint64_t> Numbers() {
  return rc::gen::apply(
      [](uint64_t noise, int bits) {
        return bits == 64 ? noise : noise & ((uint64_t{1} << bits) - 1);
      },
      rc::gen::arbitrary<uint64_t>(), rc::gen::inRange(0, 65));
}

RC_GTEST_PROP(CodingTest, Varint64RoundTrips, ()) {
  const uint64_t v = *Numbers();
  std::string bytes;
  AppendVarint64(&bytes, v);
  RC_ASSERT(bytes.size() == static_cast<size_t>(VarintLength(v)));
  std::string_view from = bytes;
  uint64_t back = ~v;
  RC_ASSERT(ConsumeVarint64(&from, &back));
  RC_ASSERT(back == v);
  RC_ASSERT(from.empty());
  for (size_t n = 0; n < bytes.size(); ++n) {
    from = std::string_view(bytes).substr(0, n);
    RC_ASSERT(!ConsumeVarint64(&from, &back));
  }
}

RC_GTEST_PROP(CodingTest, Varint32RoundTripsAndRefusesWiderNumbers, ()) {
  const uint64_t v = *Numbers();
  std::string bytes;
  AppendVarint64(&bytes, v);
  std::string_view from = bytes;
  uint32_t back = 0;
  RC_ASSERT(ConsumeVarint32(&from, &back) == (v <= 0xffffffff));
  if (v <= 0xffffffff) RC_ASSERT(back == v);
}

TEST(CodingTest, OverlongVarintsAreRefused) {
  uint64_t v64;
  uint32_t v32;
  std::string_view too_wide = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
  EXPECT_FALSE(ConsumeVarint64(&too_wide, &v64));
  std::string_view endless = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
  EXPECT_FALSE(ConsumeVarint64(&endless, &v64));
  EXPECT_FALSE(ConsumeVarint32(&endless, &v32));
  std::string_view beyond_32_bits = "\xff\xff\xff\xff\x10";
  EXPECT_FALSE(ConsumeVarint32(&beyond_32_bits, &v32));
}

RC_GTEST_PROP(CodingTest, FixedWidthRoundTrips, (uint32_t a, uint64_t b)) {
  std::string bytes;
  AppendFixed32(&bytes, a);
  AppendFixed64(&bytes, b);
  RC_ASSERT(bytes.size() == 12u);
  RC_ASSERT(static_cast<unsigned char>(bytes[0]) == (a & 0xff));
  std::string_view from = bytes;
  uint32_t a2;
  uint64_t b2;
  RC_ASSERT(ConsumeFixed32(&from, &a2));
  RC_ASSERT(ConsumeFixed64(&from, &b2));
  RC_ASSERT(a == a2 && b == b2 && from.empty());
  RC_ASSERT(!ConsumeFixed32(&from, &a2));
  RC_ASSERT(!ConsumeFixed64(&from, &b2));
}

RC_GTEST_PROP(CodingTest, LengthPrefixedStringsRoundTrip, (std::vector<std::string> strings)) {
  std::string bytes;
  for (const std::string& s : strings) AppendLengthPrefixed(&bytes, s);
  std::string_view from = bytes;
  for (const std::string& s : strings) {
    std::string_view back;
    RC_ASSERT(ConsumeLengthPrefixed(&from, &back));
    RC_ASSERT(back == s);
  }
  RC_ASSERT(from.empty());
}

RC_GTEST_PROP(CodingTest, ArbitraryBytesAreNeverReadPastTheirEnd, ()) {
  const auto noise = *rc::gen::container<std::vector<char>>(
      rc::gen::element<char>('\xff', '\x80', '\x7f', '\x05', '\0', 'a'));
  const auto memory = std::make_unique<char[]>(noise.size());
  std::copy(noise.begin(), noise.end(), memory.get());
  const std::string_view bytes(memory.get(), noise.size());
  std::string_view from = bytes, string;
  uint64_t v64;
  uint32_t v32;
  while (ConsumeVarint64(&from, &v64)) {
  }
  from = bytes;
  while (ConsumeVarint32(&from, &v32)) {
  }
  from = bytes;
  while (ConsumeLengthPrefixed(&from, &string)) {
    RC_ASSERT(string.data() >= bytes.data());
    RC_ASSERT(string.data() + string.size() <= bytes.data() + bytes.size());
  }
}

}  // namespace
}  // namespace shearpin
