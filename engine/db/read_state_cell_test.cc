// Goal: a pin's state is whole, is not taken away while it is pinned, and fits its sequence.
// Method: one publisher and several readers on real threads; each state says from which sequence
// on it was current, so that a reader can check the law by itself; and a scheduler that publishes
// at each of a reader's scheduling points, in windows that threads seldom hit. Run it under
// ThreadSanitizer and AddressSanitizer.
#include "engine/db/read_state_cell.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engine/env/env.h"

namespace shearpin {
namespace {

// A state whose memtable holds one entry, with the sequence at which the state became current.
std::shared_ptr<const ReadState> StateFrom(SequenceNumber sequence) {
  auto memtable = std::make_shared<MemTable>();
  EXPECT_TRUE(memtable->Add(sequence, ValueType::kValue, "key", "value"));
  auto state = std::make_shared<ReadState>();
  state->active = std::move(memtable);
  state->version = std::make_shared<Version>();
  return state;
}

// The real one, but for what happens at one scheduling point.
class InterruptingScheduler final : public Scheduler {
 public:
  void Yield(const char* tag) override {
    if (at != tag) return;
    at = {};
    std::exchange(interruption, nullptr)();
  }
  std::unique_ptr<ThreadHandle> Spawn(std::string_view name, std::function<void()> body) override {
    return real_->Spawn(name, std::move(body));
  }
  void SleepUntil(uint64_t deadline) override { real_->SleepUntil(deadline); }
  uint64_t NowMicros() override { return real_->NowMicros(); }
  void MutexInit(LockRep* mutex) override { real_->MutexInit(mutex); }
  void MutexDestroy(LockRep* mutex) override { real_->MutexDestroy(mutex); }
  void MutexLock(LockRep* mutex) override { real_->MutexLock(mutex); }
  bool MutexTryLock(LockRep* mutex) override { return real_->MutexTryLock(mutex); }
  void MutexUnlock(LockRep* mutex) override { real_->MutexUnlock(mutex); }
  void CondInit(LockRep* cond) override { real_->CondInit(cond); }
  void CondDestroy(LockRep* cond) override { real_->CondDestroy(cond); }
  void CondWait(LockRep* cond, LockRep* mutex) override { real_->CondWait(cond, mutex); }
  bool CondWaitUntil(LockRep* cond, LockRep* mutex, uint64_t deadline) override {
    return real_->CondWaitUntil(cond, mutex, deadline);
  }
  void CondNotifyOne(LockRep* cond) override { real_->CondNotifyOne(cond); }
  void CondNotifyAll(LockRep* cond) override { real_->CondNotifyAll(cond); }

  std::string_view at;
  std::function<void()> interruption;

 private:
  Scheduler* const real_ = RealScheduler();
};

TEST(ReadStateCellTest, AStateThatIsReplacedWhileItIsPinnedIsGivenUp) {
  for (const std::string_view point : {"pin-read-state", "read-sequence"}) {
    InterruptingScheduler scheduler;
    std::atomic<SequenceNumber> published{5};
    ReadStateCell cell(&scheduler, &published);
    EXPECT_TRUE(cell.Publish(StateFrom(5)));
    scheduler.at = point;
    scheduler.interruption = [&] {
      cell.Publish(StateFrom(6));
      published = 9;
    };
    ReadStateCell::Pin pin = cell.Acquire();
    EXPECT_EQ(pin.sequence(), 9u) << point;
    EXPECT_EQ(pin.state().active->largest_sequence(), 6u) << point;
    // The slot named the older state for a while, so it may have been kept for this reader.
    EXPECT_TRUE(pin.Release()) << point;
    EXPECT_TRUE(cell.Reclaim()) << point;
  }
}

TEST(ReadStateCellTest, AnOlderStateStaysWhileItIsPinned) {
  std::atomic<SequenceNumber> published{5};
  ReadStateCell cell(RealScheduler(), &published);
  std::weak_ptr<const ReadState> first;
  {
    auto state = StateFrom(5);
    first = state;
    EXPECT_TRUE(cell.Publish(std::move(state)));
  }
  {
    ReadStateCell::Pin pin = cell.Acquire();
    EXPECT_EQ(pin.sequence(), 5u);
    published = 6;
    EXPECT_FALSE(cell.Publish(StateFrom(6)));
    EXPECT_FALSE(first.expired());
    EXPECT_EQ(pin.state().active->largest_sequence(), 5u);
    EXPECT_EQ(cell.Acquire().sequence(), 6u);
    EXPECT_FALSE(cell.Reclaim());
    EXPECT_TRUE(pin.Release());
    EXPECT_FALSE(pin.Release());
  }
  EXPECT_TRUE(cell.Reclaim());
  EXPECT_TRUE(first.expired());
  ReadStateCell::Pin pin = cell.Acquire();
  EXPECT_FALSE(pin.Release());
}

TEST(ReadStateCellTest, MoreReadersThanSlotsReadAllTheSame) {
  std::atomic<SequenceNumber> published{1};
  ReadStateCell cell(RealScheduler(), &published);
  EXPECT_TRUE(cell.Publish(StateFrom(1)));
  struct Reader {
    explicit Reader(ReadStateCell* cell) : pin(cell->Acquire()) {}
    ReadStateCell::Pin pin;
  };
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 200; ++i) readers.push_back(std::make_unique<Reader>(&cell));
  std::shared_ptr<const ReadState> shared = readers.back()->pin.Share();
  for (const auto& reader : readers) {
    EXPECT_EQ(&reader->pin.state(), shared.get());
    EXPECT_EQ(reader->pin.sequence(), 1u);
    reader->pin.Count({Lookup::Kind::kValue, 1, {}, 3},
                      {.useful = 1, .true_positive = 2, .false_positive = 0});
  }
  const ReadStateCell::Totals totals = cell.totals();
  EXPECT_GE(totals.filter_useful, 60u);
  EXPECT_EQ(totals.filter_true_positive, 2 * totals.filter_useful);
  EXPECT_EQ(totals.gets, totals.filter_useful);
  EXPECT_EQ(totals.found, totals.gets);
  EXPECT_EQ(totals.level_hits[3], totals.gets);
  EXPECT_EQ(totals.memtable_hits, 0u);
  std::weak_ptr<const ReadState> first = shared;
  shared.reset();
  EXPECT_FALSE(cell.Publish(StateFrom(2)));
  readers.clear();
  EXPECT_TRUE(cell.Reclaim());
  EXPECT_TRUE(first.expired());
}

TEST(ReadStateCellTest, RealReadersSeeStatesThatFitTheirSequences) {
  constexpr int kReaders = 3;
  constexpr SequenceNumber kLast = 4000;
  std::atomic<SequenceNumber> published{2};
  ReadStateCell cell(RealScheduler(), &published);
  cell.Publish(StateFrom(2));
  std::atomic<int> errors{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < kReaders; ++r) {
    readers.emplace_back([&, r] {
      SequenceNumber last = 0;
      while (last < kLast) {
        ReadStateCell::Pin pin = cell.Acquire();
        // State s is current while the sequence is s or s + 1.
        const SequenceNumber from = pin.state().active->largest_sequence();
        if (pin.sequence() != from && pin.sequence() != from + 1) errors.fetch_add(1);
        if (pin.sequence() < last) errors.fetch_add(1);
        last = pin.sequence();
        pin.Count({}, {.useful = 1, .true_positive = 0, .false_positive = 0});
        if (r == 0) {
          const auto shared = pin.Share();
          if (pin.Release()) std::this_thread::yield();
          if (shared->active->Get("key", from).kind != Lookup::Kind::kValue) errors.fetch_add(1);
        }
      }
    });
  }
  // As the database does it: the state that holds sequence s comes before s is published.
  for (SequenceNumber s = 4; s <= kLast; s += 2) {
    published = s - 1;
    cell.Publish(StateFrom(s - 1));
    published = s;
    cell.Publish(StateFrom(s));
    if (s % 64 == 0) std::this_thread::yield();
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(errors.load(), 0);
  EXPECT_TRUE(cell.Reclaim());
  EXPECT_GT(cell.totals().filter_useful, 0u);
}

}  // namespace
}  // namespace shearpin
