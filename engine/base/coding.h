// Coding: integers and strings as bytes. Little endian; varints are LEB128, as in LevelDB and
// Protocol Buffers.
//
// Decoders take a view, consume what they read from its front and return false, consuming
// nothing that matters, where the bytes run out or are malformed: they never read past the view.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace shearpin {

static_assert(std::endian::native == std::endian::little, "formats are written by memcpy");

inline void StoreFixed32(char* to, uint32_t v) { std::memcpy(to, &v, sizeof v); }
inline void StoreFixed64(char* to, uint64_t v) { std::memcpy(to, &v, sizeof v); }
inline uint32_t LoadFixed32(const char* from) {
  uint32_t v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
inline uint64_t LoadFixed64(const char* from) {
  uint64_t v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

inline void AppendFixed32(std::string* to, uint32_t v) {
  to->append(reinterpret_cast<const char*>(&v), sizeof v);
}
inline void AppendFixed64(std::string* to, uint64_t v) {
  to->append(reinterpret_cast<const char*>(&v), sizeof v);
}

constexpr int kMaxVarint32Bytes = 5;
constexpr int kMaxVarint64Bytes = 10;

// Write at `to`, which has room for the maximum above; return the end.
char* StoreVarint32(char* to, uint32_t v);
char* StoreVarint64(char* to, uint64_t v);
void AppendVarint32(std::string* to, uint32_t v);
void AppendVarint64(std::string* to, uint64_t v);
// varint32 length, then the bytes.
void AppendLengthPrefixed(std::string* to, std::string_view bytes);
int VarintLength(uint64_t v);

bool ConsumeFixed32(std::string_view* from, uint32_t* v);
bool ConsumeFixed64(std::string_view* from, uint64_t* v);
bool ConsumeVarint32(std::string_view* from, uint32_t* v);
bool ConsumeVarint64Slow(std::string_view* from, uint64_t* v);
// Most numbers are small: the one-byte case is inline.
inline bool ConsumeVarint64(std::string_view* from, uint64_t* v) {
  if (!from->empty() && static_cast<unsigned char>(from->front()) < 128) [[likely]] {
    *v = static_cast<unsigned char>(from->front());
    from->remove_prefix(1);
    return true;
  }
  return ConsumeVarint64Slow(from, v);
}
bool ConsumeLengthPrefixed(std::string_view* from, std::string_view* bytes);

// Parses a varint32 within [p, limit); returns the end, or null. The one-byte case is inline
// because block iterators spend their time here.
const char* ParseVarint32Slow(const char* p, const char* limit, uint32_t* v);
inline const char* ParseVarint32(const char* p, const char* limit, uint32_t* v) {
  if (p < limit) [[likely]] {
    const auto byte = static_cast<unsigned char>(*p);
    if (byte < 128) [[likely]] {
      *v = byte;
      return p + 1;
    }
  }
  return ParseVarint32Slow(p, limit, v);
}

}  // namespace shearpin
