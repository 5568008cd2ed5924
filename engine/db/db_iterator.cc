#include "engine/db/db_iterator.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/merging_iterator.h"
#include "engine/db/range_delete_filter.h"

namespace shearpin {
namespace {

std::unique_ptr<InternalIterator> NewInternalIterator(const ReadState& state,
                                                      RangeDeletes* deletes) {
  std::vector<Version::Source> sources;
  const auto append = [&sources](const MemTable& memtable) {
    // Nothing that comes into an empty one from now on is visible here. One source alone, as in a
    // database that is only read, needs no merge.
    if (memtable.num_entries() == 0) return;
    sources.push_back({memtable.NewIterator(), memtable.largest_sequence()});
  };
  append(*state.active);
  for (const auto& memtable : state.frozen) append(*memtable);
  state.version->AppendSources(&sources);
  // A range that is deleted after this moment is not seen, so it is settled now for good.
  const bool filter = deletes->any();
  std::vector<std::unique_ptr<InternalIterator>> children;
  children.reserve(sources.size());
  for (Version::Source& source : sources) {
    children.push_back(
        filter ? NewRangeDeleteFilter(std::move(source.iterator), source.largest_sequence, deletes)
               : std::move(source.iterator));
  }
  return NewMergingIterator(std::move(children));
}

// Going forward, the merge stands at the entry that is shown. Going backward, it stands before
// every version of the key that is shown, which therefore is kept in saved_key_ and saved_value_:
// the newest visible version comes last in that direction.
class DbIterator : public Iterator {
 public:
  DbIterator(std::shared_ptr<const ReadState> state, SequenceNumber sequence,
             const ReadOptions& options, Statistics* statistics, std::function<void()> released)
      : statistics_(statistics),
        released_(std::move(released)),
        state_(std::move(state)),
        sequence_(sequence),
        lower_kind_(options.lower.kind),
        upper_kind_(options.upper.kind),
        lower_(options.lower.key),
        upper_(options.upper.key),
        deletes_(state_.get(), sequence_),
        merge_(NewInternalIterator(*state_, &deletes_)) {}
  ~DbIterator() override {
    statistics_->Add(Counter::kIterators);
    if (steps_ != 0) statistics_->Add(Counter::kIteratorSteps, steps_);
    merge_.reset();  // it looks into the state
    state_.reset();
    released_();
  }

  bool Valid() const override { return valid_; }
  std::string_view key() const override {
    return forward_ ? UserKey(merge_->key()) : std::string_view(saved_key_);
  }
  std::string_view value() const override {
    return forward_ ? merge_->value() : std::string_view(saved_value_);
  }
  Status status() const override { return valid_ ? Status::Ok() : merge_->status(); }

  void SeekToFirst() override {
    if (lower_kind_ == Bound::Kind::kUnbounded) {
      const Stopwatch stopwatch = BeginSeek();
      forward_ = true;
      merge_->SeekToFirst();
      FindNext(false);
    } else {
      SeekForward(lower_);
    }
  }

  void SeekToLast() override {
    if (upper_kind_ == Bound::Kind::kUnbounded) {
      const Stopwatch stopwatch = BeginSeek();
      forward_ = false;
      merge_->SeekToLast();
      FindPrev();
    } else {
      SeekBackward(upper_);
    }
  }

  void Seek(std::string_view target) override {
    SeekForward(lower_kind_ != Bound::Kind::kUnbounded && target < lower_ ? lower_ : target);
  }

  void SeekForPrev(std::string_view target) override {
    SeekBackward(upper_kind_ != Bound::Kind::kUnbounded && target > upper_ ? upper_ : target);
  }

  void Next() override {
    SHEARPIN_CHECK(valid_);
    ++steps_;
    if (forward_) {
      saved_key_.assign(UserKey(merge_->key()));
      merge_->Next();
    } else {
      forward_ = true;
      SeekMerge(saved_key_, 0, ValueType::kDelete);
    }
    FindNext(true);
  }

  void Prev() override {
    SHEARPIN_CHECK(valid_);
    ++steps_;
    if (forward_) {
      forward_ = false;
      saved_key_.assign(UserKey(merge_->key()));
      SeekMergeBefore(saved_key_);
    }
    FindPrev();
  }

 private:
  bool BeforeLower(std::string_view key) const {
    return (lower_kind_ == Bound::Kind::kInclusive && key < lower_) ||
           (lower_kind_ == Bound::Kind::kExclusive && key <= lower_);
  }
  bool AfterUpper(std::string_view key) const {
    return (upper_kind_ == Bound::Kind::kInclusive && key > upper_) ||
           (upper_kind_ == Bound::Kind::kExclusive && key >= upper_);
  }

  // To the first entry of `key` at or below the sequence, or what follows.
  void SeekMerge(std::string_view key, SequenceNumber sequence, ValueType type) {
    seek_key_.clear();
    AppendInternalKey(&seek_key_, key, sequence, type);
    merge_->Seek(seek_key_);
  }

  // To the last entry before every version of `key`.
  void SeekMergeBefore(std::string_view key) {
    SeekMerge(key, kMaxSequence, kSeekType);
    if (merge_->Valid()) {
      merge_->Prev();
    } else if (merge_->status().ok()) {
      merge_->SeekToLast();
    }
  }

  Stopwatch BeginSeek() {
    statistics_->Add(Counter::kSeeks);
    return Stopwatch(statistics_, Latency::kSeek);
  }

  void SeekForward(std::string_view target) {
    const Stopwatch stopwatch = BeginSeek();
    forward_ = true;
    SeekMerge(target, sequence_, kSeekType);
    FindNext(false);
  }

  void SeekBackward(std::string_view target) {
    const Stopwatch stopwatch = BeginSeek();
    forward_ = false;
    // The oldest possible version of target, or what stands before it.
    seek_key_.clear();
    AppendInternalKey(&seek_key_, target, 0, ValueType::kDelete);
    merge_->SeekForPrev(seek_key_);
    FindPrev();
  }

  // From the merge's position on, the first visible key; not saved_key_, if `skipping`.
  void FindNext(bool skipping) {
    valid_ = false;
    for (; merge_->Valid(); merge_->Next()) {
      const std::string_view internal = merge_->key();
      const std::string_view user_key = UserKey(internal);
      if (AfterUpper(user_key)) return;
      if (SequenceOf(internal) > sequence_) continue;
      if (skipping && EqualBytes(user_key, saved_key_)) continue;
      // Keys ascend, so one that is too low can only be an exclusive lower bound itself.
      if (TypeOf(internal) == ValueType::kDelete || BeforeLower(user_key)) {
        saved_key_.assign(user_key);
        skipping = true;
        continue;
      }
      valid_ = true;
      return;
    }
  }

  // From the merge's position back, the first key with a visible version. All its versions are
  // passed, older ones first, so the last visible one counts.
  void FindPrev() {
    valid_ = false;
    bool found = false;
    while (merge_->Valid()) {
      const std::string_view internal = merge_->key();
      const std::string_view user_key = UserKey(internal);
      if (found && !EqualBytes(user_key, saved_key_)) break;
      if (!found && BeforeLower(user_key)) return;
      if (SequenceOf(internal) <= sequence_ && !AfterUpper(user_key)) {
        found = TypeOf(internal) != ValueType::kDelete;
        if (found) {
          saved_key_.assign(user_key);
          saved_value_.assign(merge_->value());
        }
      }
      merge_->Prev();
    }
    // An error ends the walk before every version was seen: what was found may be too old.
    valid_ = found && merge_->status().ok();
  }

  Statistics* const statistics_;
  const std::function<void()> released_;
  std::shared_ptr<const ReadState> state_;
  const SequenceNumber sequence_;
  const Bound::Kind lower_kind_;
  const Bound::Kind upper_kind_;
  const std::string lower_;
  const std::string upper_;
  RangeDeletes deletes_;
  std::unique_ptr<InternalIterator> merge_;

  uint64_t steps_ = 0;
  bool valid_ = false;
  bool forward_ = true;
  std::string saved_key_;
  std::string saved_value_;
  std::string seek_key_;
};

}  // namespace

std::unique_ptr<Iterator> NewDbIterator(std::shared_ptr<const ReadState> state,
                                        SequenceNumber sequence, const ReadOptions& options,
                                        Statistics* statistics, std::function<void()> released) {
  return std::make_unique<DbIterator>(std::move(state), sequence, options, statistics,
                                      std::move(released));
}

}  // namespace shearpin
