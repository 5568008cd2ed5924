#include "engine/db/range_delete_filter.h"

#include <algorithm>
#include <string>
#include <utility>

namespace shearpin {
namespace {

class RangeDeleteFilter final : public InternalIterator {
 public:
  RangeDeleteFilter(std::unique_ptr<InternalIterator> input, SequenceNumber largest_sequence,
                    RangeDeletes* deletes)
      : input_(std::move(input)), largest_sequence_(largest_sequence), deletes_(deletes) {}

  void SeekToFirst() override {
    input_->SeekToFirst();
    SettleForward();
  }
  void SeekToLast() override {
    input_->SeekToLast();
    SettleBackward();
  }
  void Seek(std::string_view target) override {
    input_->Seek(target);
    SettleForward();
  }
  void SeekForPrev(std::string_view target) override {
    input_->SeekForPrev(target);
    SettleBackward();
  }
  void Next() override {
    input_->Next();
    SettleForward();
  }
  void Prev() override {
    input_->Prev();
    SettleBackward();
  }

 private:
  // Makes cover_ that of the input's key. False on an error, which is set.
  bool FindCover() {
    const std::string_view key = UserKey(input_->key());
    if (known_ && cover_.span.Contains(key)) [[likely]]
      return true;
    return AskForCover(key);
  }

  [[gnu::noinline]] bool AskForCover(std::string_view key) {
    Status status = deletes_->CoverOf(key, &cover_);
    known_ = status.ok();
    if (!known_) SetError(std::move(status));
    return known_;
  }

  bool IsCovered() const { return cover_.newest > SequenceOf(input_->key()); }
  // Everything of the input in the span is covered, or not seen by the reader anyway.
  bool IsSpanCovered() const { return cover_.newest > largest_sequence_; }

  void SettleForward() {
    ClearError();
    while (input_->Valid()) {
      if (!FindCover()) return;
      if (!IsCovered()) return SetEntry(input_->key(), input_->value());
      if (IsSpanCovered()) {
        seek_key_.clear();
        AppendInternalKey(&seek_key_, *cover_.span.end, kMaxSequence, kSeekType);
        input_->Seek(seek_key_);
      } else {
        input_->Next();
      }
    }
    SettleAtEnd();
  }

  void SettleBackward() {
    ClearError();
    while (input_->Valid()) {
      if (!FindCover()) return;
      if (!IsCovered()) return SetEntry(input_->key(), input_->value());
      if (IsSpanCovered()) {
        // Nothing has that sequence number, so this lands before every version of the first key.
        seek_key_.clear();
        AppendInternalKey(&seek_key_, cover_.span.begin, kMaxSequence, kSeekType);
        input_->SeekForPrev(seek_key_);
      } else {
        input_->Prev();
      }
    }
    SettleAtEnd();
  }

  void SettleAtEnd() {
    if (input_->status().ok()) {
      SetEnd();
    } else {
      SetError(input_->status());
    }
  }

  const std::unique_ptr<InternalIterator> input_;
  const SequenceNumber largest_sequence_;
  RangeDeletes* const deletes_;
  bool known_ = false;  // whether cover_ is
  RangeDeletes::Cover cover_;
  std::string seek_key_;
};

}  // namespace

bool RangeDeletes::any() const {
  return state_->active->has_ranges() || state_->version->has_range_deletes() ||
         std::any_of(state_->frozen.begin(), state_->frozen.end(),
                     [](const auto& memtable) { return memtable->has_ranges(); });
}

Status RangeDeletes::CoverOf(std::string_view key, Cover* cover) {
  if (!known_ || !latest_.span.Contains(key)) {
    known_ = false;
    latest_ = Cover();
    KeySpan* const span = &latest_.span;
    SHEARPIN_RETURN_IF_ERROR(state_->version->CoverOf(key, sequence_, span, &latest_.newest));
    latest_.newest = std::max(latest_.newest, state_->active->CoverOf(key, sequence_, span));
    for (const auto& memtable : state_->frozen) {
      latest_.newest = std::max(latest_.newest, memtable->CoverOf(key, sequence_, span));
    }
    known_ = true;
  }
  *cover = latest_;
  return Status::Ok();
}

std::unique_ptr<InternalIterator> NewRangeDeleteFilter(std::unique_ptr<InternalIterator> input,
                                                       SequenceNumber largest_sequence,
                                                       RangeDeletes* deletes) {
  return std::make_unique<RangeDeleteFilter>(std::move(input), largest_sequence, deletes);
}

}  // namespace shearpin
