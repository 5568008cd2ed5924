// Trace: what happened in a run, as a digest always and as text on request.
//
// Two runs of one plan agree exactly if their digests do. The digest is XXH3-64 over every event's
// kind and arguments, encoded with their types and lengths, so that no two different lists of
// events encode alike. Text is made only while a sink is set, and does not change the digest.
//
//   trace.Record("append", path, offset, data_hash, status.ToString());
//
// Arguments are integers, enums, bools and strings. Never a pointer, a wall-clock time or anything
// else that differs from run to run.
//
// Cost: a few nanoseconds for an event of numbers; strings at the speed of memcpy.
// Thread safety: none of its own; the scheduler lets one fiber run at a time.
#pragma once

#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace shearpin::sim {

class Trace {
 public:
  // Gets one line without its newline: "append /db/000003.log 4096 71834 OK".
  using Sink = std::function<void(std::string_view line)>;

  Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  // An empty sink turns text off.
  void SetSink(Sink sink) { sink_ = std::move(sink); }
  bool has_sink() const { return sink_ != nullptr; }

  // An event: into the digest, and to the sink as text. `kind` is a string literal.
  template <typename... Args>
  void Record(std::string_view kind, const Args&... args) {
    RecordUntold(kind, args...);
    if (sink_) [[unlikely]]
      Note(kind, args...);
  }

  // An event into the digest alone; the caller tells it in words of its own (Note).
  template <typename... Args>
  void RecordUntold(std::string_view kind, const Args&... args) {
    ++events_;
    Encode(kind);
    (Encode(args), ...);
    EncodeEnd();
  }

  // A number into the digest alone, for what happens too often to be read.
  void Mix(uint64_t number) { EncodeNumber(kMixed, number); }

  // Text alone, for what the digest has already in another form.
  template <typename... Args>
  void Note(std::string_view kind, const Args&... args) {
    if (!sink_) return;
    line_.assign(kind);
    (Format(args), ...);
    sink_(line_);
  }

  // Over everything so far; more may follow.
  uint64_t Digest() const;
  uint64_t events() const { return events_; }

 private:
  // Encoded events gather here, so that the hash is fed in long pieces.
  static constexpr size_t kBufferBytes = 4096;
  enum Tag : char { kEnd = 'e', kMixed = 'm', kNumber = 'n', kNegative = '-', kString = 's' };

  template <typename T>
  void Encode(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      Encode(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_integral_v<T>) {
      EncodeNumber(IsNegative(value) ? kNegative : kNumber, static_cast<uint64_t>(value));
    } else {
      EncodeString(std::string_view(value));
    }
  }

  template <typename T>
  void Format(const T& value) {
    line_.push_back(' ');
    if constexpr (std::is_enum_v<T>) {
      line_.append(std::to_string(static_cast<int64_t>(value)));
    } else if constexpr (std::is_integral_v<T>) {
      line_.append(std::to_string(value));
    } else {
      FormatString(std::string_view(value));
    }
  }

  template <typename T>
  static bool IsNegative(T value) {
    if constexpr (std::is_signed_v<T>) {
      return value < 0;
    } else {
      return false;
    }
  }

  void EncodeNumber(Tag tag, uint64_t number) {
    if (used_ + 1 + sizeof(number) > kBufferBytes) Flush();
    buffer_[used_] = tag;
    std::memcpy(buffer_ + used_ + 1, &number, sizeof(number));
    used_ += 1 + sizeof(number);
  }
  void EncodeEnd() {
    if (used_ == kBufferBytes) Flush();
    buffer_[used_++] = kEnd;
  }
  void EncodeString(std::string_view text);
  void FormatString(std::string_view text);
  void Flush();

  Sink sink_;
  std::string line_;
  uint64_t events_ = 0;
  size_t used_ = 0;
  XXH3_state_t state_;
  char buffer_[kBufferBytes];
};

}  // namespace shearpin::sim
