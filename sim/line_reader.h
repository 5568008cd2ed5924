// LineReader: takes the words of one line of a plan from its front and remembers the first
// mistake. Every Take returns false once there was one, so that callers chain them with &&.
//
// Thread safety: one thread at a time. Ownership: the line outlives the reader.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/bytes.h"

namespace shearpin::sim {

class LineReader {
 public:
  explicit LineReader(std::string_view line) : rest_(line) {}

  // True if nothing but blanks and a comment is left. False also after a mistake.
  bool AtEnd();
  // What is left, without leading blanks and a comment; for texts of other packages.
  std::string_view Rest();

  bool TakeWord(std::string_view expected, std::string_view* word);  // up to a blank or '='
  bool TakeNumber(std::string_view expected, uint64_t highest, uint64_t* number);
  bool TakeQuoted(std::string* bytes);
  bool TakeBytes(Bytes* bytes);
  // Consumes `token` where the line goes on with exactly it; no mistake if it does not.
  bool TryToken(std::string_view token);
  bool ExpectToken(std::string_view token);
  bool ExpectEnd();

  bool Fail(std::string reason);
  bool failed() const { return !reason_.empty(); }
  const std::string& reason() const { return reason_; }

 private:
  void SkipBlanks();
  std::string Found() const;

  std::string_view rest_;
  std::string reason_;
};

}  // namespace shearpin::sim
