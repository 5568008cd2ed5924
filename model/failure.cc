#include "model/failure.h"

#include <cstdio>
#include <cstdlib>

#include "model/require.h"

namespace shearpin::model {

std::string_view FailureClassName(FailureClass failure_class) {
  switch (failure_class) {
    case FailureClass::kNone:
      return "none";
    case FailureClass::kDurableWriteLost:
      return "durable write lost";
    case FailureClass::kHoleBeforeDurable:
      return "hole before a durable write";
    case FailureClass::kHoleAfterDurable:
      return "hole after the last durable write";
    case FailureClass::kBatchTorn:
      return "batch torn";
    case FailureClass::kResurrectedDelete:
      return "resurrected delete";
    case FailureClass::kWrongData:
      return "wrong data";
    case FailureClass::kWillNotOpen:
      return "will not open";
    case FailureClass::kNoProgress:
      return "no progress";
    case FailureClass::kWrongRead:
      return "wrong read";
    case FailureClass::kOrderBroken:
      return "order broken";
  }
  return "unknown";
}

std::string Quoted(std::string_view bytes) {
  constexpr size_t kShown = 40;
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : bytes.substr(0, kShown)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  out += '"';
  if (bytes.size() > kShown) out += "... (" + std::to_string(bytes.size()) + " bytes)";
  return out;
}

void FailRequirement(std::string_view what) {
  std::fprintf(stderr, "model misused: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace shearpin::model
