#include "engine/status.h"

namespace shearpin {

std::string_view StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "OK";
    case StatusCode::kNotFound:
      return "Not found";
    case StatusCode::kCorruption:
      return "Corruption";
    case StatusCode::kIoError:
      return "IO error";
    case StatusCode::kNoSpace:
      return "No space";
    case StatusCode::kInvalidArgument:
      return "Invalid argument";
    case StatusCode::kNotSupported:
      return "Not supported";
    case StatusCode::kBusy:
      return "Busy";
    case StatusCode::kAlreadyExists:
      return "Already exists";
    case StatusCode::kAborted:
      return "Aborted";
  }
  return "Unknown";
}

Status::Status(StatusCode code, std::string_view message) {
  if (code == StatusCode::kOk) return;
  rep_ = std::make_unique<Rep>();
  rep_->code = code;
  rep_->message = message;
}

Status& Status::MarkIndeterminate() {
  if (rep_) rep_->indeterminate = true;
  return *this;
}

Status& Status::MarkInjected() {
  if (rep_) rep_->injected = true;
  return *this;
}

Status Status::Prefixed(std::string_view context) const {
  Status prefixed = *this;
  if (prefixed.rep_) prefixed.rep_->message.insert(0, ": ").insert(0, context);
  return prefixed;
}

std::string Status::ToString() const {
  if (ok()) return "OK";
  std::string text(StatusCodeName(rep_->code));
  text += ": ";
  text += rep_->message;
  if (rep_->indeterminate) text += " [fate indeterminate until the next recovery]";
  if (rep_->injected) text += " [injected]";
  return text;
}

}  // namespace shearpin
