#include "engine/base/coding.h"

namespace shearpin {

char* StoreVarint64(char* to, uint64_t v) {
  auto* p = reinterpret_cast<unsigned char*>(to);
  while (v >= 128) {
    *p++ = static_cast<unsigned char>(v | 128);
    v >>= 7;
  }
  *p++ = static_cast<unsigned char>(v);
  return reinterpret_cast<char*>(p);
}

char* StoreVarint32(char* to, uint32_t v) { return StoreVarint64(to, v); }

void AppendVarint64(std::string* to, uint64_t v) {
  char buffer[kMaxVarint64Bytes];
  to->append(buffer, StoreVarint64(buffer, v) - buffer);
}

void AppendVarint32(std::string* to, uint32_t v) { AppendVarint64(to, v); }

void AppendLengthPrefixed(std::string* to, std::string_view bytes) {
  AppendVarint32(to, static_cast<uint32_t>(bytes.size()));
  to->append(bytes);
}

int VarintLength(uint64_t v) {
  int length = 1;
  for (; v >= 128; v >>= 7) ++length;
  return length;
}

bool ConsumeFixed32(std::string_view* from, uint32_t* v) {
  if (from->size() < sizeof *v) return false;
  *v = LoadFixed32(from->data());
  from->remove_prefix(sizeof *v);
  return true;
}

bool ConsumeFixed64(std::string_view* from, uint64_t* v) {
  if (from->size() < sizeof *v) return false;
  *v = LoadFixed64(from->data());
  from->remove_prefix(sizeof *v);
  return true;
}

bool ConsumeVarint64Slow(std::string_view* from, uint64_t* v) {
  uint64_t result = 0;
  for (size_t i = 0; i < from->size() && i < kMaxVarint64Bytes; ++i) {
    const auto byte = static_cast<unsigned char>((*from)[i]);
    // The tenth byte holds only the topmost bit of 64.
    if (i == kMaxVarint64Bytes - 1 && byte > 1) return false;
    result |= uint64_t{byte & 127u} << (7 * i);
    if (byte < 128) {
      *v = result;
      from->remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool ConsumeVarint32(std::string_view* from, uint32_t* v) {
  const char* end = ParseVarint32(from->data(), from->data() + from->size(), v);
  if (end == nullptr) return false;
  from->remove_prefix(end - from->data());
  return true;
}

bool ConsumeLengthPrefixed(std::string_view* from, std::string_view* bytes) {
  std::string_view rest = *from;
  uint32_t length;
  if (!ConsumeVarint32(&rest, &length) || rest.size() < length) return false;
  *bytes = rest.substr(0, length);
  rest.remove_prefix(length);
  *from = rest;
  return true;
}

const char* ParseVarint32Slow(const char* p, const char* limit, uint32_t* v) {
  uint32_t result = 0;
  for (int shift = 0; shift <= 28 && p < limit; shift += 7) {
    const auto byte = static_cast<unsigned char>(*p++);
    // The fifth byte holds the topmost four bits of 32.
    if (shift == 28 && byte > 15) return nullptr;
    result |= uint32_t{byte & 127u} << shift;
    if (byte < 128) {
      *v = result;
      return p;
    }
  }
  return nullptr;
}

}  // namespace shearpin
