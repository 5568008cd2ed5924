// Bytes: a key or a value as a plan writes it, either literally or as fill(length, seed), so that
// plans with large values stay small. And the quoting of literals.
//
// Thread safety: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shearpin::sim {

class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string_view literal) : literal_(literal) {}

  // `length` letters from 'a' to 'p'. Frozen: letter i is nibble i % 16 (lowest first) of output
  // i / 16 of SplitMix64 started at `seed`. Plans of all ages depend on it.
  static Bytes Fill(uint32_t length, uint64_t seed) {
    Bytes bytes;
    bytes.filled_ = true;
    bytes.length_ = length;
    bytes.seed_ = seed;
    return bytes;
  }

  bool filled() const { return filled_; }
  size_t size() const { return filled_ ? length_ : literal_.size(); }
  const std::string& literal() const { return literal_; }
  uint32_t fill_length() const { return length_; }
  uint64_t fill_seed() const { return seed_; }

  // The bytes: the literal itself, or the filling written into `*scratch`.
  std::string_view View(std::string* scratch) const;
  std::string Materialise() const;

  // `"literal"` with escapes, or `fill(length,seed)`.
  void AppendText(std::string* text) const;

  bool operator==(const Bytes&) const = default;

 private:
  bool filled_ = false;
  uint32_t length_ = 0;
  uint64_t seed_ = 0;
  std::string literal_;
};

// `"..."`: printable ASCII as it is, \" \\ \n \t, and \xHH for the rest.
void AppendQuoted(std::string_view bytes, std::string* text);
std::string Quoted(std::string_view bytes);

// Takes a quoted string from the front of `*text`. On a mistake returns false and says in
// `*reason` what was expected.
bool ConsumeQuoted(std::string_view* text, std::string* bytes, std::string* reason);

// A short printable form for reports: quoted, the middle left out where it is long.
std::string Abbreviated(std::string_view bytes);

}  // namespace shearpin::sim
