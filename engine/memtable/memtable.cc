#include "engine/memtable/memtable.h"

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
  if (!list_.Insert(key, PackTrailer(sequence, type), value, hint)) return false;
  num_entries_.fetch_add(1, std::memory_order_relaxed);
  SequenceNumber smallest = smallest_sequence();
  while (sequence < smallest &&
         !smallest_sequence_.compare_exchange_weak(smallest, sequence, std::memory_order_relaxed)) {
  }
  SequenceNumber largest = largest_sequence();
  while (sequence > largest &&
         !largest_sequence_.compare_exchange_weak(largest, sequence, std::memory_order_relaxed)) {
  }
  return true;
}

Lookup MemTable::Get(std::string_view user_key, SequenceNumber sequence) const {
  const SkipList::Node* node = list_.FindGreaterOrEqual(user_key, PackTrailer(sequence, kSeekType));
  if (node == nullptr || node->user_key() != user_key) return {};
  return Lookup::Of(node->trailer(), node->value());
}

std::unique_ptr<InternalIterator> MemTable::NewIterator() const {
  return std::make_unique<MemTableIterator>(&list_);
}

}  // namespace shearpin
