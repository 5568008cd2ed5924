#include "engine/db/transaction_iterator.h"

#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/check.h"

namespace shearpin {
namespace {

using Key = std::string;
using End = std::optional<std::string>;  // none: behind the last key

std::string_view Least(const Bound& lower, Key* scratch) {
  if (lower.kind == Bound::Kind::kUnbounded) return {};
  if (lower.kind == Bound::Kind::kInclusive) return lower.key;
  *scratch = KeyAfter(lower.key);
  return *scratch;
}

End EndOf(const Bound& upper) {
  if (upper.kind == Bound::Kind::kUnbounded) return std::nullopt;
  if (upper.kind == Bound::Kind::kExclusive) return Key(upper.key);
  return KeyAfter(upper.key);
}

// Both directions look for the nearest key of two candidates: one of the transaction's points, and
// one of the snapshot's keys that the transaction has not changed. Where it stands is known by its
// key alone, so the transaction may write between two moves.
class TransactionIterator : public Iterator {
 public:
  TransactionIterator(std::unique_ptr<Iterator> base, const Bound& lower, const Bound& upper,
                      const TransactionWrites* writes, KeySet* reads)
      : base_(std::move(base)), end_(EndOf(upper)), writes_(writes), reads_(reads) {
    Key scratch;
    begin_ = Least(lower, &scratch);
  }

  bool Valid() const override { return valid_; }
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return value_; }
  Status status() const override { return valid_ ? Status::Ok() : base_->status(); }

  void SeekToFirst() override { Seek(begin_); }
  void Seek(std::string_view target) override {
    Key from(target < begin_ ? std::string_view(begin_) : target);
    base_->Seek(from);
    forward_ = true;
    FindNext(from);
  }
  void Next() override {
    SHEARPIN_CHECK(valid_);
    const Key from = KeyAfter(key_);
    if (!forward_) {
      base_->Seek(from);
      forward_ = true;
    } else if (base_->Valid() && base_->key() < from) {
      base_->Next();
    }
    FindNext(from);
  }

  void SeekToLast() override { SeekBefore(end_); }
  void SeekForPrev(std::string_view target) override {
    End before = KeyAfter(target);
    if (end_ && *end_ < *before) before = end_;
    SeekBefore(before);
  }
  void Prev() override {
    SHEARPIN_CHECK(valid_);
    const End before = key_;
    if (!forward_ && base_->Valid() && base_->key() == key_) {
      base_->Prev();
    } else if (forward_) {
      PlaceBaseBefore(before);
    }
    FindPrev(before);
  }

 private:
  void SeekBefore(const End& before) {
    PlaceBaseBefore(before);
    FindPrev(before);
  }

  void PlaceBaseBefore(const End& before) {
    forward_ = false;
    if (!before) return base_->SeekToLast();
    base_->SeekForPrev(*before);
    if (base_->Valid() && base_->key() == *before) base_->Prev();
  }

  // True if the transaction has changed the key that the base stands at.
  bool IsHidden() const { return writes_->points().count(base_->key()) != 0; }

  // The first key at or behind `from`; the base stands at the first of its own.
  void FindNext(const Key& from) {
    while (base_->Valid()) {
      if (const End* end = writes_->deleted_ranges().EndOfRange(base_->key())) {
        const Key behind = **end;
        base_->Seek(behind);
      } else if (IsHidden()) {
        base_->Next();
      } else {
        break;
      }
    }
    auto own = writes_->points().lower_bound(from);
    const auto last = writes_->points().end();
    while (own != last && own->second.deleted) ++own;
    Choose(own != last && (!end_ || own->first < *end_) ? &*own : nullptr, true);
    if (!valid_) {
      Observe(from, end_);
    } else {
      Observe(from, own_ ? key_ : KeyAfter(key_));
    }
  }

  // The last key before `before`; the base stands at the last of its own.
  void FindPrev(const End& before) {
    while (base_->Valid()) {
      if (const Key* begin = writes_->deleted_ranges().BeginOfRange(base_->key())) {
        PlaceBaseBefore(*begin);
      } else if (IsHidden()) {
        base_->Prev();
      } else {
        break;
      }
    }
    const auto& points = writes_->points();
    auto own = before ? points.lower_bound(*before) : points.end();
    const TransactionWrites::Points::value_type* found = nullptr;
    while (own != points.begin() && found == nullptr) {
      --own;
      if (own->first < begin_) break;
      if (!own->second.deleted) found = &*own;
    }
    Choose(found, false);
    if (!valid_) {
      Observe(begin_, before);
    } else {
      Observe(own_ ? KeyAfter(key_) : key_, before);
    }
  }

  // The nearer of the base's key and `own`, which may be null.
  void Choose(const TransactionWrites::Points::value_type* own, bool forward) {
    valid_ = false;
    if (!base_->Valid() && !base_->status().ok()) return;
    own_ = own != nullptr &&
           (!base_->Valid() || (forward ? own->first < base_->key() : own->first > base_->key()));
    if (own_) {
      key_ = own->first;
      value_ = writes_->ValueOf(own->second);
    } else if (base_->Valid()) {
      key_ = base_->key();
      value_ = base_->value();
    } else {
      return;
    }
    valid_ = true;
  }

  void Observe(std::string_view from, const End& to) {
    if (reads_ != nullptr) reads_->AddRange(from, to);
  }

  const std::unique_ptr<Iterator> base_;
  Key begin_;  // [begin_, end_) is what the bounds leave
  const End end_;
  const TransactionWrites* const writes_;
  KeySet* const reads_;

  bool valid_ = false;
  bool own_ = false;     // whether the key shown is one of the transaction's points
  bool forward_ = true;  // which way the base was moved last
  Key key_;
  std::string value_;
};

}  // namespace

std::unique_ptr<Iterator> NewTransactionIterator(std::unique_ptr<Iterator> base, const Bound& lower,
                                                 const Bound& upper,
                                                 const TransactionWrites* writes, KeySet* reads) {
  return std::make_unique<TransactionIterator>(std::move(base), lower, upper, writes, reads);
}

}  // namespace shearpin
