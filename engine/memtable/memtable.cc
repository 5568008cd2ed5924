#include "engine/memtable/memtable.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace shearpin {
namespace {

class MemTableIterator final : public InternalIterator {
 public:
  explicit MemTableIterator(const SkipList* list) : list_(list) {}

  void SeekToFirst() override { Stand(list_->First()); }
  void SeekToLast() override { Stand(list_->Last()); }
  void Seek(std::string_view target) override {
    Stand(list_->FindGreaterOrEqual(UserKey(target), Trailer(target)));
  }
  void SeekForPrev(std::string_view target) override {
    const SkipList::Node* node = list_->FindGreaterOrEqual(UserKey(target), Trailer(target));
    if (node == nullptr || node->key() != target) {
      node = list_->FindLess(UserKey(target), Trailer(target));
    }
    Stand(node);
  }
  void Next() override { Stand(node_->Next()); }
  void Prev() override { Stand(list_->FindLess(node_->user_key(), node_->trailer())); }

 private:
  void Stand(const SkipList::Node* node) {
    node_ = node;
    if (node == nullptr) {
      SetEnd();
    } else {
      SetEntry(node->key(), node->value());
    }
  }

  const SkipList* const list_;
  const SkipList::Node* node_ = nullptr;
};

}  // namespace

bool MemTable::Add(SequenceNumber sequence, ValueType type, std::string_view key,
                   std::string_view value, Hint* hint) {
  // First, so that nobody who may see the entry is told that it is not there.
  filter_.Add(key);
  if (!list_.Insert(key, PackTrailer(sequence, type), value, hint)) return false;
  num_entries_.fetch_add(1, std::memory_order_relaxed);
  NoteSequence(sequence);
  return true;
}

void MemTable::NoteSequence(SequenceNumber sequence) {
  SequenceNumber smallest = smallest_sequence();
  while (sequence < smallest &&
         !smallest_sequence_.compare_exchange_weak(smallest, sequence, std::memory_order_relaxed)) {
  }
  SequenceNumber largest = largest_sequence();
  while (sequence > largest &&
         !largest_sequence_.compare_exchange_weak(largest, sequence, std::memory_order_relaxed)) {
  }
}

void MemTable::AddRange(SequenceNumber sequence, std::string_view begin, std::string_view end) {
  SHEARPIN_CHECK(begin < end, "an empty range in a memtable");
  const auto& [stored_begin, stored_end] = range_ends_.emplace_back(begin, end);
  all_ranges_.push_back({stored_begin, stored_end, sequence});
  NoteSequence(sequence);
  const Runs* const before = ranges_.load(std::memory_order_relaxed);
  auto runs = std::make_unique<Runs>(before == nullptr ? Runs() : *before);
  size_t count = 1;
  for (; !runs->empty() && runs->back().count <= count; runs->pop_back()) {
    count += runs->back().count;
  }
  auto merged = std::make_unique<RangeTombstones>(std::vector<RangeTombstone>(
      all_ranges_.end() - static_cast<std::ptrdiff_t>(count), all_ranges_.end()));
  runs->push_back({merged.get(), count});
  range_bytes_.fetch_add(begin.size() + end.size() + sizeof(RangeTombstone) +
                             merged->MemoryUsage() + runs->size() * sizeof(Run),
                         std::memory_order_relaxed);
  ranges_.store(runs.get(), std::memory_order_release);
  run_storage_.push_back(std::move(merged));
  runs_storage_.push_back(std::move(runs));
}

SequenceNumber MemTable::CoverOf(std::string_view key, SequenceNumber sequence,
                                 KeySpan* span) const {
  const Runs* const runs = ranges_.load(std::memory_order_acquire);
  if (runs == nullptr) return 0;
  SequenceNumber cover = 0;
  for (const Run& run : *runs) {
    cover = std::max(cover, run.tombstones->CoverOf(key, sequence, span));
  }
  return cover;
}

std::vector<RangeTombstone> MemTable::AllRanges() const {
  std::vector<RangeTombstone> all;
  if (const Runs* const runs = ranges_.load(std::memory_order_acquire)) {
    for (const Run& run : *runs) run.tombstones->AppendTo(&all);
  }
  return all;
}

Lookup MemTable::Get(std::string_view user_key, KeyHash hash, SequenceNumber sequence) const {
  Lookup found;
  if (filter_.MayContain(hash)) {
    const SkipList::Node* node =
        list_.FindGreaterOrEqual(user_key, PackTrailer(sequence, kSeekType));
    if (node != nullptr && EqualBytes(node->user_key(), user_key)) {
      found = Lookup::Of(node->trailer(), node->value());
    }
  }
  if (has_ranges()) {
    KeySpan span;
    found.HideBehind(CoverOf(user_key, sequence, &span));
  }
  return found;
}

std::unique_ptr<InternalIterator> MemTable::NewIterator() const {
  return std::make_unique<MemTableIterator>(&list_);
}

}  // namespace shearpin
