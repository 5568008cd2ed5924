#include "engine/tool/quoted.h"

#include <cstdint>

namespace shearpin::tool {

std::string Quoted(std::string_view bytes, size_t limit) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : bytes.substr(0, limit)) {
    const auto byte = static_cast<unsigned char>(c);
    const size_t escape = std::string_view("\n\t\\\"").find(c);
    if (escape != std::string_view::npos) {
      text.append({'\\', "nt\\\""[escape]});
    } else if (byte < 0x20 || byte >= 0x7f) {
      text.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 15]});
    } else {
      text += c;
    }
  }
  text += '"';
  if (bytes.size() > limit) text += "... (" + std::to_string(bytes.size()) + " bytes)";
  return text;
}

std::string QuotedKey(std::string_view key) { return Quoted(key, SIZE_MAX); }

}  // namespace shearpin::tool
