#include "engine/base/tsv_field.h"

#include <algorithm>

namespace shearpin {

std::string EscapeField(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    switch (c) {
      case '\t':
        text += "\\t";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\\':
        text += "\\\\";
        break;
      default:
        text += c;
    }
  }
  return text;
}

bool UnescapeField(std::string_view text, std::string* bytes) {
  bytes->clear();
  while (!text.empty()) {
    const size_t plain = std::min(text.find('\\'), text.size());
    bytes->append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return true;
    if (text.size() < 2) return false;
    const size_t escape = std::string_view("tn\\").find(text[1]);
    if (escape == std::string_view::npos) return false;
    bytes->push_back("\t\n\\"[escape]);
    text.remove_prefix(2);
  }
  return true;
}

}  // namespace shearpin
