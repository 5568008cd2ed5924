// The hash of a state: the sum, modulo 2^64, of the hashes of its pairs.
//
// A sum does not depend on order and can be kept up to date: a put adds the new pair's hash and
// takes off the old one's. It finds candidates; equality is always confirmed by comparison, so
// only speed rests on its quality.
#pragma once

#include <cstdint>
#include <string_view>

namespace shearpin::model {

// Never 0, which stands for "no value".
uint64_t PairHash(std::string_view key, std::string_view value);

}  // namespace shearpin::model
