#include "sim/trace.h"

namespace shearpin::sim {

Trace::Trace() { XXH3_64bits_reset(&state_); }

void Trace::EncodeString(std::string_view text) {
  EncodeNumber(kString, text.size());
  if (text.empty()) return;
  if (used_ + text.size() > kBufferBytes) {
    Flush();
    if (text.size() > kBufferBytes) {
      XXH3_64bits_update(&state_, text.data(), text.size());
      return;
    }
  }
  std::memcpy(buffer_ + used_, text.data(), text.size());
  used_ += text.size();
}

// A line stays a line, and bytes stay readable: what is not printable ASCII is written \xNN.
void Trace::FormatString(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : text) {
    if (c == '\\') {
      line_.append("\\\\");
    } else if (c >= ' ' && c <= '~') {
      line_.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      line_.append({'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
}

void Trace::Flush() {
  XXH3_64bits_update(&state_, buffer_, used_);
  used_ = 0;
}

uint64_t Trace::Digest() const {
  XXH3_state_t copy;
  XXH3_copyState(&copy, &state_);
  XXH3_64bits_update(&copy, buffer_, used_);
  return XXH3_64bits_digest(&copy);
}

}  // namespace shearpin::sim
