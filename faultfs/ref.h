// Ref<T>: a counted reference to a T with a public `uint32_t refs` that starts at 0.
//
// The count is not atomic: every holder of one object stays on one OS thread. A T that is held
// more than once is immutable by agreement; exclusive() says whether it may be changed in place.
#pragma once

#include <cstdint>
#include <utility>

namespace shearpin::faultfs {

template <typename T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) : object_(object) {
    if (object_ != nullptr) ++object_->refs;
  }
  Ref(const Ref& other) : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr && --object_->refs == 0) delete object_;
  }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  bool operator==(const Ref& other) const = default;
  bool exclusive() const { return object_->refs == 1; }

 private:
  T* object_ = nullptr;
};

}  // namespace shearpin::faultfs
