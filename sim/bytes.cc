#include "sim/bytes.h"

namespace shearpin::sim {
namespace {

uint64_t SplitMix(uint64_t* state) {
  uint64_t x = (*state += 0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

constexpr char kHexDigits[] = "0123456789abcdef";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view Bytes::View(std::string* scratch) const {
  if (!filled_) return literal_;
  scratch->resize(length_);
  uint64_t state = seed_;
  uint64_t nibbles = 0;
  for (uint32_t i = 0; i < length_; ++i) {
    if (i % 16 == 0) nibbles = SplitMix(&state);
    (*scratch)[i] = static_cast<char>('a' + (nibbles & 15));
    nibbles >>= 4;
  }
  return *scratch;
}

std::string Bytes::Materialise() const {
  std::string scratch;
  return std::string(View(&scratch));
}

void Bytes::AppendText(std::string* text) const {
  if (!filled_) {
    AppendQuoted(literal_, text);
    return;
  }
  *text += "fill(" + std::to_string(length_) + "," + std::to_string(seed_) + ")";
}

void AppendQuoted(std::string_view bytes, std::string* text) {
  *text += '"';
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      *text += '\\';
      *text += c;
    } else if (c == '\n') {
      *text += "\\n";
    } else if (c == '\t') {
      *text += "\\t";
    } else if (byte >= 0x20 && byte < 0x7f) {
      *text += c;
    } else {
      *text += "\\x";
      *text += kHexDigits[byte >> 4];
      *text += kHexDigits[byte & 15];
    }
  }
  *text += '"';
}

std::string Quoted(std::string_view bytes) {
  std::string text;
  AppendQuoted(bytes, &text);
  return text;
}

bool ConsumeQuoted(std::string_view* text, std::string* bytes, std::string* reason) {
  bytes->clear();
  if (text->empty() || text->front() != '"') {
    *reason = "expected a quoted string";
    return false;
  }
  size_t i = 1;
  while (i < text->size() && (*text)[i] != '"') {
    if ((*text)[i] != '\\') {
      *bytes += (*text)[i++];
      continue;
    }
    const char escape = i + 1 < text->size() ? (*text)[i + 1] : '\0';
    if (escape == '"' || escape == '\\') {
      *bytes += escape;
    } else if (escape == 'n') {
      *bytes += '\n';
    } else if (escape == 't') {
      *bytes += '\t';
    } else if (escape == 'x') {
      const int high = i + 2 < text->size() ? HexValue((*text)[i + 2]) : -1;
      const int low = i + 3 < text->size() ? HexValue((*text)[i + 3]) : -1;
      if (high < 0 || low < 0) {
        *reason = "expected two hexadecimal digits after \\x";
        return false;
      }
      *bytes += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      *reason = "unknown escape in a quoted string (expected \\\" \\\\ \\n \\t or \\xHH)";
      return false;
    }
    i += 2;
  }
  if (i >= text->size()) {
    *reason = "a quoted string is not closed";
    return false;
  }
  text->remove_prefix(i + 1);
  return true;
}

std::string Abbreviated(std::string_view bytes) {
  constexpr size_t kShown = 40;
  if (bytes.size() <= kShown) return Quoted(bytes);
  return Quoted(bytes.substr(0, kShown - 10)) + ".." + Quoted(bytes.substr(bytes.size() - 10)) +
         "(" + std::to_string(bytes.size()) + " bytes)";
}

}  // namespace shearpin::sim
