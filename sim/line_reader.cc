#include "sim/line_reader.h"

namespace shearpin::sim {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

}  // namespace

void LineReader::SkipBlanks() {
  while (!rest_.empty() && IsBlank(rest_.front())) rest_.remove_prefix(1);
  if (!rest_.empty() && rest_.front() == '#') rest_ = {};
}

std::string LineReader::Found() const {
  if (rest_.empty()) return "found the end of the line";
  return "found '" + std::string(rest_.substr(0, rest_.find_first_of(" \t\r"))) + "'";
}

bool LineReader::Fail(std::string reason) {
  if (reason_.empty()) reason_ = std::move(reason);
  return false;
}

bool LineReader::AtEnd() {
  SkipBlanks();
  return !failed() && rest_.empty();
}

std::string_view LineReader::Rest() {
  SkipBlanks();
  std::string_view rest = rest_.substr(0, rest_.find(" #"));
  while (!rest.empty() && IsBlank(rest.back())) rest.remove_suffix(1);
  rest_ = {};
  return rest;
}

bool LineReader::TakeWord(std::string_view expected, std::string_view* word) {
  if (failed()) return false;
  SkipBlanks();
  size_t length = 0;
  while (length < rest_.size() && IsWordCharacter(rest_[length])) ++length;
  if (length == 0) return Fail("expected " + std::string(expected) + ", " + Found());
  *word = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return true;
}

bool LineReader::TakeNumber(std::string_view expected, uint64_t highest, uint64_t* number) {
  if (failed()) return false;
  SkipBlanks();
  uint64_t value = 0;
  size_t length = 0;
  while (length < rest_.size() && rest_[length] >= '0' && rest_[length] <= '9') {
    const uint64_t digit = static_cast<uint64_t>(rest_[length] - '0');
    if (value > (UINT64_MAX - digit) / 10) {
      return Fail(std::string(expected) + " does not fit in 64 bits");
    }
    value = value * 10 + digit;
    ++length;
  }
  if (length == 0) return Fail("expected " + std::string(expected) + " (a number), " + Found());
  if (value > highest) {
    return Fail(std::string(expected) + " is " + std::to_string(value) + ", at most " +
                std::to_string(highest) + " is allowed");
  }
  rest_.remove_prefix(length);
  *number = value;
  return true;
}

bool LineReader::TakeQuoted(std::string* bytes) {
  if (failed()) return false;
  SkipBlanks();
  std::string reason;
  if (!ConsumeQuoted(&rest_, bytes, &reason)) return Fail(reason + ", " + Found());
  return true;
}

bool LineReader::TakeBytes(Bytes* bytes) {
  if (failed()) return false;
  SkipBlanks();
  if (TryToken("fill(")) {
    constexpr uint64_t kLongestFill = uint64_t{64} << 20;
    uint64_t length = 0;
    uint64_t seed = 0;
    if (!TakeNumber("the length of the filling", kLongestFill, &length) || !ExpectToken(",") ||
        !TakeNumber("the seed of the filling", UINT64_MAX, &seed) || !ExpectToken(")")) {
      return false;
    }
    *bytes = Bytes::Fill(static_cast<uint32_t>(length), seed);
    return true;
  }
  if (rest_.empty() || rest_.front() != '"') {
    return Fail("expected \"bytes\" or fill(length,seed), " + Found());
  }
  std::string literal;
  if (!TakeQuoted(&literal)) return false;
  *bytes = Bytes(literal);
  return true;
}

bool LineReader::TryToken(std::string_view token) {
  if (failed()) return false;
  SkipBlanks();
  if (!rest_.starts_with(token)) return false;
  rest_.remove_prefix(token.size());
  return true;
}

bool LineReader::ExpectToken(std::string_view token) {
  if (failed()) return false;
  if (TryToken(token)) return true;
  return Fail("expected '" + std::string(token) + "', " + Found());
}

bool LineReader::ExpectEnd() {
  if (AtEnd()) return true;
  return Fail("expected the end of the line, " + Found());
}

}  // namespace shearpin::sim
