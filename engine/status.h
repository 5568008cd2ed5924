// Status and StatusOr<T>: what the world did wrong. What we did wrong is a CHECK (base/check.h).
//
// Thread safety: a Status is a value; distinct objects may be used from distinct threads.
// Cost: an OK status is one null pointer; an error is one allocation.
#pragma once

#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace shearpin {

enum class StatusCode : unsigned char {
  kOk = 0,
  kNotFound = 1,         // the key, file or property is not there
  kCorruption = 2,       // stored bytes are damaged or missing; the message names file and offset
  kIoError = 3,          // the operating system refused; the message names call and path
  kNoSpace = 4,          // the disk is full
  kInvalidArgument = 5,  // the caller's options or arguments contradict each other or the database
  kNotSupported = 6,     // a format or feature this build does not know
  kBusy = 7,             // somebody else holds it: a lock file, a conflicting transaction
  kAlreadyExists = 8,    // exclusive creation found something there
  kAborted = 9,          // stopped on purpose: the database is closing
};

// "Corruption", "IO error", ...
std::string_view StatusCodeName(StatusCode code);

class [[nodiscard]] Status {
 public:
  Status() noexcept = default;
  Status(StatusCode code, std::string_view message);
  Status(const Status& other) : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}
  Status& operator=(const Status& other) {
    if (this != &other) rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
    return *this;
  }
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;

  static Status Ok() { return Status(); }
  static Status NotFound(std::string_view m) { return {StatusCode::kNotFound, m}; }
  static Status Corruption(std::string_view m) { return {StatusCode::kCorruption, m}; }
  static Status IoError(std::string_view m) { return {StatusCode::kIoError, m}; }
  static Status NoSpace(std::string_view m) { return {StatusCode::kNoSpace, m}; }
  static Status InvalidArgument(std::string_view m) { return {StatusCode::kInvalidArgument, m}; }
  static Status NotSupported(std::string_view m) { return {StatusCode::kNotSupported, m}; }
  static Status Busy(std::string_view m) { return {StatusCode::kBusy, m}; }
  static Status AlreadyExists(std::string_view m) { return {StatusCode::kAlreadyExists, m}; }
  static Status Aborted(std::string_view m) { return {StatusCode::kAborted, m}; }

  bool ok() const { return rep_ == nullptr; }
  StatusCode code() const { return rep_ ? rep_->code : StatusCode::kOk; }
  bool IsNotFound() const { return code() == StatusCode::kNotFound; }
  bool IsCorruption() const { return code() == StatusCode::kCorruption; }
  bool IsIoError() const { return code() == StatusCode::kIoError; }
  bool IsNoSpace() const { return code() == StatusCode::kNoSpace; }
  bool IsInvalidArgument() const { return code() == StatusCode::kInvalidArgument; }
  bool IsNotSupported() const { return code() == StatusCode::kNotSupported; }
  bool IsBusy() const { return code() == StatusCode::kBusy; }
  bool IsAlreadyExists() const { return code() == StatusCode::kAlreadyExists; }
  bool IsAborted() const { return code() == StatusCode::kAborted; }

  // True for a failed write whose batch may or may not be there after the next recovery: it may
  // have reached the log before the error. Nobody sees it before then.
  bool indeterminate() const { return rep_ && rep_->indeterminate; }
  Status& MarkIndeterminate();

  // True for an error that a fault-injecting FileSystem made; the mark survives Prefixed(), so a
  // harness can tell its own faults from what the engine found by itself.
  bool injected() const { return rep_ && rep_->injected; }
  Status& MarkInjected();

  std::string_view message() const { return rep_ ? std::string_view(rep_->message) : ""; }

  // This error with "context: " put before its message; OK stays OK.
  Status Prefixed(std::string_view context) const;

  // "OK" or "Corruption: message".
  std::string ToString() const;

  // Says at the call that an error here loses nothing; a comment beside it says why.
  void IgnoreError() const {}

  // The first error wins: keeps this error if there is one, else takes `other`.
  void Update(const Status& other) {
    if (ok()) *this = other;
  }

 private:
  struct Rep {
    StatusCode code;
    bool indeterminate = false;
    bool injected = false;
    std::string message;
  };
  std::unique_ptr<Rep> rep_;
};

// Either a value or the error that stands in its place.
template <typename T>
class [[nodiscard]] StatusOr {
 public:
  StatusOr(Status status)
      : status_(std::move(status)) {}  // NOLINT: `return status;` must read well
  StatusOr(T value) : has_value_(true) { new (&value_) T(std::move(value)); }  // NOLINT: likewise
  StatusOr(StatusOr&& other) noexcept
      : status_(std::move(other.status_)), has_value_(other.has_value_) {
    if (has_value_) new (&value_) T(std::move(other.value_));
  }
  StatusOr& operator=(StatusOr&& other) noexcept {
    if (this != &other) {
      this->~StatusOr();
      new (this) StatusOr(std::move(other));
    }
    return *this;
  }
  ~StatusOr() {
    if (has_value_) value_.~T();
  }

  bool ok() const { return has_value_; }
  const Status& status() const { return status_; }
  T& operator*() & { return value_; }
  const T& operator*() const& { return value_; }
  // By value, so that a loop over *Call() does not outlive what it loops over.
  T operator*() && { return std::move(value_); }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }

 private:
  Status status_;
  bool has_value_ = false;
  union {
    T value_;
  };
};

}  // namespace shearpin

// Returns the error of `expression` from the enclosing function, if there is one.
#define SHEARPIN_RETURN_IF_ERROR(expression)            \
  do {                                                  \
    ::shearpin::Status shearpin_status_ = (expression); \
    if (!shearpin_status_.ok()) [[unlikely]]            \
      return shearpin_status_;                          \
  } while (false)

#define SHEARPIN_CONCAT_(a, b) a##b
#define SHEARPIN_CONCAT(a, b) SHEARPIN_CONCAT_(a, b)

// SHEARPIN_ASSIGN_OR_RETURN(auto file, fs->Open(path)): the value, or return its error.
#define SHEARPIN_ASSIGN_OR_RETURN(lhs, expression) \
  SHEARPIN_ASSIGN_OR_RETURN_(SHEARPIN_CONCAT(shearpin_or_, __LINE__), lhs, expression)
#define SHEARPIN_ASSIGN_OR_RETURN_(tmp, lhs, expression) \
  auto tmp = (expression);                               \
  if (!tmp.ok()) [[unlikely]]                            \
    return tmp.status();                                 \
  lhs = *std::move(tmp)
