// ReadStateCell: the current ReadState, and who reads in it without a lock.
//
// A reader writes the state it is about to use into a slot of its own and then looks whether that
// is still the current one; a publisher makes another one current and then looks into all slots.
// All four are in one total order, so either the reader sees the new state, or the publisher sees
// the reader and keeps the old one. Source: Michael, "Hazard Pointers".
//
// A pin's sequence belongs to its state: it was the published one at a moment at which the state
// was current. An older sequence would miss versions that a flush or merge dropped since, a newer
// one would promise writes that the state does not hold.
//
// Thread safety: Acquire, Release and counts from any thread; Publish and Reclaim by one at a time.
// Ownership: shares the states; outlives its pins.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/internal_key.h"
#include "engine/base/lookup.h"
#include "engine/db/read_state.h"
#include "engine/env/scheduler.h"
#include "engine/manifest/version_edit.h"
#include "engine/sst/table.h"

namespace shearpin {

class ReadStateCell {
 public:
  // Of what Pin::Count was told.
  struct Totals {
    uint64_t gets = 0;
    uint64_t found = 0;          // a value
    uint64_t memtable_hits = 0;  // answered there, be it by a tombstone
    uint64_t level_hits[kNumLevels] = {};
    uint64_t filter_useful = 0;
    uint64_t filter_true_positive = 0;
    uint64_t filter_false_positive = 0;
  };
  class Pin;

  // `published` is the newest sequence that readers may see.
  ReadStateCell(Scheduler* scheduler, const std::atomic<SequenceNumber>* published);

  // Requires that a state was published.
  Pin Acquire();

  // False if a reader still uses an older state.
  bool Publish(std::shared_ptr<const ReadState> state);
  // Lets go of older states that nobody uses any more. False if some stay.
  bool Reclaim();

  Totals totals() const;

 private:
  struct alignas(64) Slot {
    std::atomic<const ReadState*> reading{nullptr};
    // Written by who holds the slot.
    std::atomic<uint64_t> gets{0};
    std::atomic<uint64_t> found{0};
    std::atomic<uint64_t> memtable_hits{0};
    std::atomic<uint64_t> filter_useful{0};
    std::atomic<uint64_t> filter_true_positive{0};
    std::atomic<uint64_t> filter_false_positive{0};
    std::atomic<uint64_t> level_hits[kNumLevels] = {};
  };
  // Threads of one processor start at one slot; so many readers in the middle of a read on one
  // processor find a free one nearby.
  static constexpr size_t kSlots = 64;
  static constexpr size_t kSlotsPerProcessor = 4;

  bool InUse(const ReadState* state) const;

  Scheduler* const scheduler_;
  const std::atomic<SequenceNumber>* const published_;
  std::atomic<const ReadState*> current_{nullptr};
  std::array<Slot, kSlots> slots_;

  // For the publishers, and for readers that find all slots taken.
  Mutex mutex_;
  std::shared_ptr<const ReadState> owned_;               // current_; guarded by mutex_
  std::vector<std::shared_ptr<const ReadState>> older_;  // in use, perhaps; guarded by mutex_
};

// The state and sequence of one read. The owner calls Release, or destroys it.
class ReadStateCell::Pin {
 public:
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  ~Pin() { Release(); }

  const ReadState& state() const { return *state_; }
  SequenceNumber sequence() const { return sequence_; }
  // For a reader that stays; does not end the pin.
  std::shared_ptr<const ReadState> Share() const { return state_->shared_from_this(); }

  // What one Get found, and what it met on the way.
  void Count(const Lookup& found, const FilterCounts& filters);

  // Ends the pin. True if the state was replaced meanwhile: then this may have been its last
  // reader, and Reclaim may find something.
  bool Release();

 private:
  friend class ReadStateCell;
  explicit Pin(ReadStateCell* cell);

  ReadStateCell* const cell_;
  Slot* slot_ = nullptr;
  const ReadState* state_ = nullptr;
  std::shared_ptr<const ReadState> owned_;  // without a slot
  SequenceNumber sequence_ = 0;
  bool passed_ = false;  // the slot named a state that was not current any more
};

}  // namespace shearpin
