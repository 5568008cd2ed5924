#include "engine/db/read_state_cell.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace shearpin {

ReadStateCell::ReadStateCell(Scheduler* scheduler, const std::atomic<SequenceNumber>* published)
    : scheduler_(scheduler), published_(published), mutex_(scheduler) {}

ReadStateCell::Pin ReadStateCell::Acquire() { return Pin(this); }

ReadStateCell::Pin::Pin(ReadStateCell* cell) : cell_(cell) {
  Scheduler* const scheduler = cell->scheduler_;
  const size_t start = scheduler->ProcessorHint() * kSlotsPerProcessor;
  for (size_t i = 0; i < kSlots; ++i) {
    Slot& slot = cell->slots_[(start + i) % kSlots];
    if (slot.reading.load(std::memory_order_relaxed) != nullptr) continue;
    const ReadState* state = cell->current_.load();
    const ReadState* free = nullptr;
    // Until the check below says that it is current, `state` may be gone already: it is compared
    // only, never looked into.
    if (!slot.reading.compare_exchange_strong(free, state)) continue;
    for (;;) {
      scheduler->Yield("pin-read-state");
      if (cell->current_.load() == state) {
        // From here on no other state can have this address, so that the second check means what
        // it says: the sequence was read while the state was current.
        scheduler->Yield("read-sequence");
        sequence_ = cell->published_->load(std::memory_order_acquire);
        if (cell->current_.load() == state) break;
      }
      passed_ = true;
      state = cell->current_.load();
      slot.reading.store(state);
    }
    slot_ = &slot;
    state_ = state;
    return;
  }
  std::lock_guard lock(cell->mutex_);
  owned_ = cell->owned_;
  state_ = owned_.get();
  sequence_ = cell->published_->load(std::memory_order_acquire);
}

bool ReadStateCell::Pin::Release() {
  if (state_ == nullptr) return false;
  const ReadState* state = std::exchange(state_, nullptr);
  if (slot_ == nullptr) {
    owned_.reset();
  } else {
    slot_->reading.exchange(nullptr);
  }
  // No scheduling point before this: the state may be gone once the slot is free, and another one
  // have its address. That would be right as well (whoever freed it has looked after what it held),
  // but a simulation must not depend on addresses.
  return passed_ || cell_->current_.load() != state;
}

void ReadStateCell::Pin::Count(const Lookup& found, const FilterCounts& filters) {
  // Without a slot, nobody else's is taken for it: totals are a sample then, short of a few.
  if (slot_ == nullptr) return;
  const auto add = [](std::atomic<uint64_t>* total, uint32_t count) {
    if (count == 0) return;
    total->store(total->load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  };
  add(&slot_->gets, 1);
  add(&slot_->found, found.kind == Lookup::Kind::kValue ? 1 : 0);
  if (found.kind != Lookup::Kind::kAbsent) {
    add(found.level < 0 ? &slot_->memtable_hits : &slot_->level_hits[found.level], 1);
  }
  add(&slot_->filter_useful, filters.useful);
  add(&slot_->filter_true_positive, filters.true_positive);
  add(&slot_->filter_false_positive, filters.false_positive);
}

bool ReadStateCell::InUse(const ReadState* state) const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [&](const Slot& slot) { return slot.reading.load() == state; });
}

bool ReadStateCell::Publish(std::shared_ptr<const ReadState> state) {
  {
    std::lock_guard lock(mutex_);
    if (owned_ != nullptr) older_.push_back(std::move(owned_));
    owned_ = std::move(state);
    current_.store(owned_.get());
  }
  scheduler_->Yield("publish-read-state");
  return Reclaim();
}

bool ReadStateCell::Reclaim() {
  // Destroyed without the lock: files may be closed on the way.
  std::vector<std::shared_ptr<const ReadState>> unused;
  std::lock_guard lock(mutex_);
  std::erase_if(older_, [&](std::shared_ptr<const ReadState>& state) {
    if (InUse(state.get())) return false;
    unused.push_back(std::move(state));
    return true;
  });
  return older_.empty();
}

ReadStateCell::Totals ReadStateCell::totals() const {
  Totals totals;
  const auto add = [](uint64_t* total, const std::atomic<uint64_t>& count) {
    *total += count.load(std::memory_order_relaxed);
  };
  for (const Slot& slot : slots_) {
    add(&totals.gets, slot.gets);
    add(&totals.found, slot.found);
    add(&totals.memtable_hits, slot.memtable_hits);
    for (int level = 0; level < kNumLevels; ++level) {
      add(&totals.level_hits[level], slot.level_hits[level]);
    }
    add(&totals.filter_useful, slot.filter_useful);
    add(&totals.filter_true_positive, slot.filter_true_positive);
    add(&totals.filter_false_positive, slot.filter_false_positive);
  }
  return totals;
}

}  // namespace shearpin
