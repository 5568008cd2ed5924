#include "faultfs/word_reader.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace shearpin::faultfs {

bool WordReader::Next(std::string_view* word) {
  if (separator_ == ' ') {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    if (rest_.empty()) return false;
  } else if (ended_) {
    return false;
  }
  const size_t end = rest_.find(separator_);
  *word = rest_.substr(0, end);
  ended_ = end == std::string_view::npos;
  rest_ = ended_ ? std::string_view() : rest_.substr(end + 1);
  return true;
}

Status Unexpected(std::string_view where, std::string_view word, std::string_view expected) {
  std::string message(where);
  message.append(": '").append(word).append("': expected ").append(expected);
  return Status::InvalidArgument(message);
}

bool ParseNumber(std::string_view word, uint64_t limit, uint64_t* number) {
  const char* const end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(word.data(), end, *number);
  return error == std::errc() && stopped == end && *number <= limit;
}

bool ParseMask(std::string_view word, uint8_t* mask) {
  if (!word.starts_with("0x")) return false;
  word.remove_prefix(2);
  const char* const end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(word.data(), end, *mask, 16);
  return error == std::errc() && stopped == end;
}

std::string FormatMask(uint8_t mask) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[mask >> 4], kDigits[mask & 15]};
}

std::string_view TakeHead(std::string_view* word, char separator) {
  const size_t end = word->find(separator);
  const std::string_view head = word->substr(0, end);
  *word = end == std::string_view::npos ? std::string_view() : word->substr(end + 1);
  return head;
}

}  // namespace shearpin::faultfs
