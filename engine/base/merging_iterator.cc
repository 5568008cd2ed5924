#include "engine/base/merging_iterator.h"

#include <string>
#include <utility>

#include "engine/base/internal_key.h"

namespace shearpin {
namespace {

class EmptyIterator final : public InternalIterator {
 public:
  explicit EmptyIterator(Status status) { SetError(std::move(status)); }

  void SeekToFirst() override {}
  void SeekToLast() override {}
  void Seek(std::string_view) override {}
  void SeekForPrev(std::string_view) override {}
  void Next() override {}
  void Prev() override {}
};

class MergingIterator final : public InternalIterator {
 public:
  explicit MergingIterator(std::vector<std::unique_ptr<InternalIterator>> children)
      : children_(std::move(children)) {
    heap_.reserve(children_.size());
  }

  void SeekToFirst() override {
    PlaceAll(kForward, [](InternalIterator* child) { child->SeekToFirst(); });
  }
  void SeekToLast() override {
    PlaceAll(kBackward, [](InternalIterator* child) { child->SeekToLast(); });
  }
  void Seek(std::string_view target) override {
    PlaceAll(kForward, [target](InternalIterator* child) { child->Seek(target); });
  }
  void SeekForPrev(std::string_view target) override {
    PlaceAll(kBackward, [target](InternalIterator* child) { child->SeekForPrev(target); });
  }

  void Next() override {
    if (direction_ != kForward) return TurnTo(kForward);
    heap_[0].child->Next();
    SettleTop();
  }
  void Prev() override {
    if (direction_ != kBackward) return TurnTo(kBackward);
    heap_[0].child->Prev();
    SettleTop();
  }

 private:
  enum class Direction : bool { kForward, kBackward };
  using enum Direction;

  // A child and where it stands. Most keys are told apart by the prefixes of their user keys.
  struct Entry {
    Entry(InternalIterator* of, size_t at) : child(of), index(at) { Refresh(); }
    void Refresh() {
      key = child->key();
      prefix = KeyPrefix(UserKey(key));
    }

    std::string_view key;
    uint64_t prefix;
    InternalIterator* child;
    size_t index;
  };

  static constexpr size_t kNone = 0;  // the top is nobody's runner-up

  // Negative if a comes before b in the current direction.
  int CompareKeys(const Entry& a, const Entry& b) const {
    const bool forward = direction_ == kForward;
    if (a.prefix != b.prefix) return (a.prefix < b.prefix) == forward ? -1 : 1;
    return forward ? CompareInternalKeys(a.key, b.key) : CompareInternalKeys(b.key, a.key);
  }

  // Of equal keys the lower index comes first, in both directions.
  bool ComesFirst(const Entry& a, const Entry& b) const {
    const int order = CompareKeys(a, b);
    return order != 0 ? order < 0 : a.index < b.index;
  }

  template <typename Place>
  void PlaceAll(Direction direction, Place place) {
    ClearError();
    direction_ = direction;
    heap_.clear();
    for (size_t i = 0; i < children_.size(); ++i) {
      InternalIterator* child = children_[i].get();
      place(child);
      if (child->Valid()) {
        heap_.emplace_back(child, i);
      } else if (!child->status().ok()) {
        return Fail(child->status());
      }
    }
    for (size_t i = heap_.size() / 2; i-- > 0;) SiftDown(i);
    runner_up_ = kNone;
    Publish();
  }

  // Leaves the current key in the other direction. Children that do not hold it stand on the wrong
  // side of it, and so may those that ran out: all are placed anew.
  void TurnTo(Direction direction) {
    const std::string current(key());
    if (direction == kForward) {
      PlaceAll(kForward, [&current](InternalIterator* child) {
        child->Seek(current);
        if (child->Valid() && child->key() == current) child->Next();
      });
    } else {
      PlaceAll(kBackward, [&current](InternalIterator* child) {
        child->SeekForPrev(current);
        if (child->Valid() && child->key() == current) child->Prev();
      });
    }
  }

  // The top's child moved: restores the heap.
  void SettleTop() {
    Entry& top = heap_[0];
    if (top.child->Valid()) [[likely]] {
      top.Refresh();
      if (runner_up_ == kNone) runner_up_ = FindRunnerUp();
      if (runner_up_ == kNone) return SetEntry(top.key, top.child->value());
      const int order = CompareKeys(top, heap_[runner_up_]);
      if (order < 0) return SetEntry(top.key, top.child->value());
      SiftDown(0);
    } else {
      if (!top.child->status().ok()) return Fail(top.child->status());
      heap_[0] = heap_.back();
      heap_.pop_back();
      if (!heap_.empty()) SiftDown(0);
    }
    runner_up_ = kNone;
    Publish();
  }

  // Stands on the top, after the others that hold the same key have moved past it: equal keys are
  // emitted once.
  void Publish() {
    if (heap_.empty()) return SetEnd();
    for (;;) {
      if (runner_up_ == kNone) runner_up_ = FindRunnerUp();
      if (runner_up_ == kNone || !EqualBytes(heap_[runner_up_].key, heap_[0].key)) break;
      if (!PassDuplicate(runner_up_)) return;
      runner_up_ = kNone;
    }
    SetEntry(heap_[0].key, heap_[0].child->value());
  }

  bool PassDuplicate(size_t at) {
    Entry& entry = heap_[at];
    if (direction_ == kForward) {
      entry.child->Next();
    } else {
      entry.child->Prev();
    }
    if (entry.child->Valid()) {
      entry.Refresh();
      SiftDown(at);
      return true;
    }
    if (!entry.child->status().ok()) {
      Fail(entry.child->status());
      return false;
    }
    entry = heap_.back();
    heap_.pop_back();
    // What was last belongs below the top, and `at` is a child of the top.
    if (at < heap_.size()) SiftDown(at);
    return true;
  }

  size_t FindRunnerUp() const {
    if (heap_.size() < 2) return kNone;
    if (heap_.size() == 2) return 1;
    return ComesFirst(heap_[1], heap_[2]) ? 1 : 2;
  }

  void SiftDown(size_t at) {
    const Entry moving = heap_[at];
    for (;;) {
      size_t first = 2 * at + 1;
      if (first >= heap_.size()) break;
      if (first + 1 < heap_.size() && ComesFirst(heap_[first + 1], heap_[first])) ++first;
      if (ComesFirst(moving, heap_[first])) break;
      heap_[at] = heap_[first];
      at = first;
    }
    heap_[at] = moving;
  }

  void Fail(const Status& status) {
    heap_.clear();
    SetError(status);
  }

  const std::vector<std::unique_ptr<InternalIterator>> children_;
  Direction direction_ = kForward;
  // Valid children, the next to emit on top. Empty after an error.
  std::vector<Entry> heap_;
  // The child of the top that would follow it, or kNone if unknown.
  size_t runner_up_ = kNone;
};

}  // namespace

std::unique_ptr<InternalIterator> NewEmptyIterator(Status status) {
  return std::make_unique<EmptyIterator>(std::move(status));
}

std::unique_ptr<InternalIterator> NewMergingIterator(
    std::vector<std::unique_ptr<InternalIterator>> children) {
  if (children.empty()) return NewEmptyIterator(Status::Ok());
  if (children.size() == 1) return std::move(children[0]);
  return std::make_unique<MergingIterator>(std::move(children));
}

}  // namespace shearpin
