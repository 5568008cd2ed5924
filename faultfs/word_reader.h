// WordReader: cuts a line or a list into words, and words into numbers, with errors that say what
// was expected. For the one-line texts of crash plans and fault rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/status.h"

namespace shearpin::faultfs {

// Hands out the parts of `text` between separators. With ' ' runs of separators count once; with
// any other one an empty part is handed out as such.
class WordReader {
 public:
  WordReader(std::string_view text, char separator) : rest_(text), separator_(separator) {}
  bool Next(std::string_view* word);

 private:
  std::string_view rest_;
  const char separator_;
  bool ended_ = false;
};

// InvalidArgument: "where: 'word': expected what".
Status Unexpected(std::string_view where, std::string_view word, std::string_view expected);

// The whole word as a decimal number up to `limit`. False if it is none.
bool ParseNumber(std::string_view word, uint64_t limit, uint64_t* number);
// "0x" and one or two hexadecimal digits.
bool ParseMask(std::string_view word, uint8_t* mask);
std::string FormatMask(uint8_t mask);

// Takes "head" + `separator` off the front of *word if it contains the separator, else all of it.
std::string_view TakeHead(std::string_view* word, char separator);

}  // namespace shearpin::faultfs
