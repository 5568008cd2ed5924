#include "model/cursor.h"

#include <iterator>
#include <utility>

#include "model/prefix.h"
#include "model/require.h"

namespace shearpin::model {

Cursor::Cursor(const KvModel* model, Range range, uint64_t at_sequence)
    : model_(model),
      range_(std::move(range)),
      sequence_(at_sequence),
      position_(model->log().keys().end()) {}

bool Cursor::Load(Position at) {
  const CommitLog& log = model_->log();
  if (!ValueOf(at->second, log.Visible(at->second, sequence_), &value_)) return false;
  position_ = at;
  return valid_ = true;
}

void Cursor::SettleForward(Position from) {
  valid_ = false;
  for (; from != model_->log().keys().end(); ++from) {
    if (!IsBelowUpper(from->first, range_.upper)) return;
    if (IsAboveLower(from->first, range_.lower) && Load(from)) return;
  }
}

void Cursor::SettleBackward(Position from) {
  valid_ = false;
  while (from != model_->log().keys().begin()) {
    --from;
    if (!IsAboveLower(from->first, range_.lower)) return;
    if (IsBelowUpper(from->first, range_.upper) && Load(from)) return;
  }
}

void Cursor::SeekToFirst() {
  const auto& keys = model_->log().keys();
  SettleForward(range_.lower.kind == Bound::Kind::kUnbounded ? keys.begin()
                                                             : keys.lower_bound(range_.lower.key));
}

void Cursor::SeekToLast() {
  const auto& keys = model_->log().keys();
  SettleBackward(range_.upper.kind == Bound::Kind::kUnbounded ? keys.end()
                                                              : keys.upper_bound(range_.upper.key));
}

void Cursor::Seek(std::string_view target) {
  // Below the range the first key of the range is the answer.
  if (!IsAboveLower(target, range_.lower)) return SeekToFirst();
  SettleForward(model_->log().keys().lower_bound(target));
}

void Cursor::SeekForPrev(std::string_view target) {
  if (!IsBelowUpper(target, range_.upper)) return SeekToLast();
  SettleBackward(model_->log().keys().upper_bound(target));
}

void Cursor::Next() {
  Require(valid_, "Next on an invalid cursor");
  SettleForward(std::next(position_));
}

void Cursor::Prev() {
  Require(valid_, "Prev on an invalid cursor");
  SettleBackward(position_);
}

}  // namespace shearpin::model
