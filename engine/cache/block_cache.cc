#include "engine/cache/block_cache.h"

#include <algorithm>
#include <mutex>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/block_cache.h"

namespace shearpin {
namespace {

// A shard smaller than this holds too few blocks for its own luck to even out.
constexpr size_t kLeastShard = size_t{512} << 10;
constexpr size_t kMostShards = 16;

size_t ShardsFor(size_t capacity) {
  size_t shards = 1;
  while (shards < kMostShards && capacity / (shards * 2) >= kLeastShard) shards *= 2;
  return shards;
}

uint64_t HashOf(const BlockCache::Key& key) { return Mix64(key.table ^ Mix64(key.offset)); }

}  // namespace

// What a hit touches stands in one cache line, the rest behind it.
struct alignas(64) BlockCache::Entry {
  enum class State : uint8_t { kLoading, kReady, kFailed };

  Key key;
  Entry* next_in_bucket = nullptr;
  std::string_view contents;  // of kReady: bytes.contents
  // Taken with the shard's lock held, given back without it: at 0 under the lock it stays 0.
  std::atomic<uint32_t> pins{0};
  State state = State::kLoading;
  bool used = false;  // since the hand passed

  uint64_t hash = 0;
  Entry* ring_next = nullptr;  // among the ready ones
  Entry* ring_prev = nullptr;
  size_t charge = 0;
  BlockBytes bytes;
  Status status;  // of kFailed
};

class BlockCache::Shard {
 public:
  Shard(Scheduler* scheduler, size_t capacity)
      : mutex_(scheduler), loaded_(&mutex_), capacity_(capacity), buckets_(kFirstBuckets) {}

  ~Shard() {
    SHEARPIN_CHECK(PinnedUsage() == 0 && loading_ == 0, "a block outlives its cache");
    while (hand_ != nullptr) Remove(hand_);
  }

  Status FindOrLoad(const Key& key, uint64_t hash, const Loader& load, Entry** pinned) {
    std::unique_lock lock(mutex_);
    if (Entry* entry = Find(key, hash); entry != nullptr) {
      entry->pins.fetch_add(1, std::memory_order_relaxed);
      ++counters_.hits;
      while (entry->state == Entry::State::kLoading) loaded_.Wait();
      if (entry->state == Entry::State::kFailed) return Leave(entry);
      entry->used = true;
      *pinned = entry;
      return Status::Ok();
    }
    Entry* entry = Insert(key, hash);
    lock.unlock();
    Status status = load(&entry->bytes);
    lock.lock();
    --loading_;
    if (!status.ok()) {
      // Out of the table first: who comes from now on tries again.
      Unlink(entry);
      entry->state = Entry::State::kFailed;
      entry->status = std::move(status);
      loaded_.NotifyAll();
      return Leave(entry);
    }
    entry->state = Entry::State::kReady;
    entry->contents = entry->bytes.contents;
    entry->charge = sizeof(Entry) + entry->bytes.capacity;
    AddToRing(entry);
    AddUsage(entry->charge);
    loaded_.NotifyAll();
    Evict();
    *pinned = entry;
    return Status::Ok();
  }

  void Unpin(Entry* entry) {
    // From here on the entry may be gone; only the shard is safe to look at. In one total order
    // with Evict, which makes the usage known and then looks at the pins: one of the two sees what
    // is too much.
    if (entry->pins.fetch_sub(1) != 1 || usage_.load() <= capacity_.load()) return;
    std::lock_guard lock(mutex_);
    Evict();
  }

  void SetCapacity(size_t capacity) {
    std::lock_guard lock(mutex_);
    capacity_.store(capacity);
    Evict();
  }

  size_t Usage() const { return usage_.load(std::memory_order_relaxed); }

  size_t PinnedUsage() {
    std::lock_guard lock(mutex_);
    size_t pinned = 0;
    const Entry* entry = hand_;
    if (entry == nullptr) return 0;
    do {
      if (entry->pins.load(std::memory_order_relaxed) != 0) pinned += entry->charge;
      entry = entry->ring_next;
    } while (entry != hand_);
    return pinned;
  }

  Counters counters() {
    std::lock_guard lock(mutex_);
    return counters_;
  }

 private:
  static constexpr size_t kFirstBuckets = 16;

  Entry** Bucket(uint64_t hash) { return &buckets_[hash & (buckets_.size() - 1)]; }

  Entry* Find(const Key& key, uint64_t hash) {
    Entry* entry = *Bucket(hash);
    while (entry != nullptr && entry->key != key) entry = entry->next_in_bucket;
    return entry;
  }

  Entry* Insert(const Key& key, uint64_t hash) {
    // Half full at most: each entry that stands in the way is one more miss of the processor's
    // cache.
    if (2 * size_ >= buckets_.size()) Grow();
    auto* entry = new Entry;
    entry->key = key;
    entry->hash = hash;
    entry->pins.store(1, std::memory_order_relaxed);
    Entry** bucket = Bucket(hash);
    entry->next_in_bucket = *bucket;
    *bucket = entry;
    ++size_;
    ++loading_;
    ++counters_.misses;
    return entry;
  }

  void Grow() {
    std::vector<Entry*> old(buckets_.size() * 2);
    old.swap(buckets_);
    for (Entry* entry : old) {
      while (entry != nullptr) {
        Entry* next = entry->next_in_bucket;
        Entry** bucket = Bucket(entry->hash);
        entry->next_in_bucket = *bucket;
        *bucket = entry;
        entry = next;
      }
    }
  }

  void Unlink(Entry* entry) {
    Entry** link = Bucket(entry->hash);
    while (*link != entry) link = &(*link)->next_in_bucket;
    *link = entry->next_in_bucket;
    --size_;
  }

  // Behind the hand: the last place that it will come to.
  void AddToRing(Entry* entry) {
    if (hand_ == nullptr) {
      entry->ring_next = entry->ring_prev = hand_ = entry;
      return;
    }
    entry->ring_next = hand_;
    entry->ring_prev = hand_->ring_prev;
    entry->ring_prev->ring_next = entry;
    hand_->ring_prev = entry;
  }

  // Written under the lock only; read without it by Unpin.
  void AddUsage(size_t bytes) { usage_.store(usage_.load(std::memory_order_relaxed) + bytes); }

  // Takes a ready entry without pins away.
  void Remove(Entry* entry) {
    if (hand_ == entry) hand_ = entry->ring_next == entry ? nullptr : entry->ring_next;
    entry->ring_prev->ring_next = entry->ring_next;
    entry->ring_next->ring_prev = entry->ring_prev;
    AddUsage(0 - entry->charge);
    Unlink(entry);
    delete entry;
  }

  // C1. One round clears every mark, the second finds whatever can go.
  void Evict() {
    const size_t capacity = capacity_.load(std::memory_order_relaxed);
    for (size_t steps = 2 * size_; Usage() > capacity && hand_ != nullptr && steps > 0; --steps) {
      Entry* entry = hand_;
      if (entry->pins.load() != 0) {
        hand_ = entry->ring_next;
      } else if (entry->used) {
        entry->used = false;
        hand_ = entry->ring_next;
      } else {
        Remove(entry);
        ++counters_.evictions;
      }
    }
  }

  // Gives back the pin of a failed entry, which is in no list: the last one deletes it.
  static Status Leave(Entry* entry) {
    Status status = entry->status;
    if (entry->pins.fetch_sub(1, std::memory_order_relaxed) == 1) delete entry;
    return status;
  }

  Mutex mutex_;
  CondVar loaded_;  // some load ended
  std::atomic<size_t> capacity_;
  std::atomic<size_t> usage_{0};
  // The rest is guarded by mutex_.
  std::vector<Entry*> buckets_;  // a power of two
  size_t size_ = 0;              // entries in buckets_
  size_t loading_ = 0;           // of these, not ready
  Entry* hand_ = nullptr;        // of the clock
  Counters counters_;
};

std::shared_ptr<BlockCache> NewBlockCache(size_t capacity, Scheduler* scheduler) {
  return std::make_shared<BlockCache>(scheduler, capacity);
}

BlockCache::BlockCache(Scheduler* scheduler, size_t capacity) : capacity_(capacity) {
  const size_t shards = ShardsFor(capacity);
  for (size_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(scheduler, capacity / shards));
  }
}

BlockCache::~BlockCache() = default;

// By the upper bits; the shard's table goes by the lower ones.
BlockCache::Shard* BlockCache::ShardOf(uint64_t hash) const {
  return shards_[(hash >> 32) & (shards_.size() - 1)].get();
}

Status BlockCache::FindOrLoad(const Key& key, const Loader& load, Pin* pin) {
  pin->Release();
  const uint64_t hash = HashOf(key);
  Shard* shard = ShardOf(hash);
  SHEARPIN_RETURN_IF_ERROR(shard->FindOrLoad(key, hash, load, &pin->entry_));
  pin->shard_ = shard;
  return Status::Ok();
}

void BlockCache::SetCapacity(size_t capacity) {
  capacity_.store(capacity, std::memory_order_relaxed);
  for (const auto& shard : shards_) shard->SetCapacity(capacity / shards_.size());
}

size_t BlockCache::Usage() const {
  size_t usage = 0;
  for (const auto& shard : shards_) usage += shard->Usage();
  return usage;
}

size_t BlockCache::PinnedUsage() const {
  size_t pinned = 0;
  for (const auto& shard : shards_) pinned += shard->PinnedUsage();
  return pinned;
}

BlockCache::Counters BlockCache::counters() const {
  Counters sum;
  for (const auto& shard : shards_) {
    const Counters counters = shard->counters();
    sum.hits += counters.hits;
    sum.misses += counters.misses;
    sum.evictions += counters.evictions;
  }
  return sum;
}

void BlockCache::Pin::Release() {
  if (entry_ == nullptr) return;
  shard_->Unpin(std::exchange(entry_, nullptr));
  shard_ = nullptr;
}

std::string_view BlockCache::Pin::contents() const { return entry_->contents; }

}  // namespace shearpin
