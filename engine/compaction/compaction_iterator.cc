#include "engine/compaction/compaction_iterator.h"

#include <algorithm>
#include <utility>

namespace shearpin {

CompactionIterator::CompactionIterator(InternalIterator* input, Context context)
    : input_(input), context_(std::move(context)) {}

SequenceNumber CompactionIterator::StripeOf(SequenceNumber sequence) const {
  const auto& snapshots = context_.snapshots;
  const auto oldest = std::lower_bound(snapshots.begin(), snapshots.end(), sequence);
  return oldest == snapshots.end() ? kMaxSequence : *oldest;
}

void CompactionIterator::SeekToFirst() {
  has_last_ = false;
  fragment_ = 0;
  input_->SeekToFirst();
  FindNext();
}

void CompactionIterator::Next() {
  input_->Next();
  FindNext();
}

bool CompactionIterator::IsCovered(std::string_view user_key, SequenceNumber sequence,
                                   SequenceNumber stripe) {
  if (context_.range_deletes == nullptr) return false;
  const auto& fragments = context_.range_deletes->fragments();
  while (fragment_ < fragments.size() && fragments[fragment_].end <= user_key) ++fragment_;
  return fragment_ < fragments.size() && fragments[fragment_].begin <= user_key &&
         fragments[fragment_].NewestAt(stripe) > sequence;
}

void CompactionIterator::FindNext() {
  valid_ = false;
  for (; input_->Valid(); input_->Next()) {
    const std::string_view internal = input_->key();
    const std::string_view user_key = UserKey(internal);
    const SequenceNumber sequence = SequenceOf(internal);
    const SequenceNumber stripe = StripeOf(sequence);
    if (has_last_ && user_key == last_user_key_ && stripe == last_stripe_) {
      ++dropped_versions_;  // C2: whoever sees this one sees the newer one before it
      continue;
    }
    if (IsCovered(user_key, sequence, stripe)) {
      ++covered_;
      continue;
    }
    has_last_ = true;
    last_user_key_.assign(user_key);
    last_stripe_ = stripe;

    // No snapshot is older than this version, so nothing older of the key survives this merge.
    const bool oldest_stripe = context_.snapshots.empty() || sequence <= context_.snapshots.front();
    // Every snapshot is older than this version: the filter takes it from none of them.
    const bool newest_stripe = stripe == kMaxSequence;
    ValueType type = TypeOf(internal);
    value_ = input_->value();
    if (type == ValueType::kValue && newest_stripe && context_.filter != nullptr &&
        context_.filter->Drop(user_key, value_)) {
      ++filtered_;
      // A tombstone in its place, or older versions in deeper levels would come back.
      type = ValueType::kDelete;
      value_ = {};
    }
    if (type == ValueType::kDelete && oldest_stripe && !context_.covered_below(user_key)) {
      ++dropped_tombstones_;  // C3
      continue;
    }
    key_.clear();
    AppendInternalKey(&key_, user_key, sequence, type);
    valid_ = true;
    return;
  }
}

}  // namespace shearpin
