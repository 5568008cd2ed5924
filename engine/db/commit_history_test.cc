// Goal: KeySet is a set of keys, CommitHistory finds every conflict that is remembered, invents
// none, and forgets what nobody needs.
// Method: RapidCheck against plain lists of ranges and of changes.
#include "engine/db/commit_history.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "engine/db/write_queue.h"
#include "engine/env/env.h"

namespace shearpin {
namespace {

std::string AnyKey() {
  std::string key;
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) key += "ab"[*rc::gen::inRange(0, 3)];
  return key;
}

struct Range {
  std::string begin;
  std::optional<std::string> end;
  bool Contains(const std::string& key) const { return key >= begin && (!end || key < *end); }
};

RC_GTEST_PROP(KeySet, HoldsWhatWasAdded, ()) {
  KeySet set;
  std::vector<Range> added;
  const int count = *rc::gen::inRange(0, 10);
  for (int i = 0; i < count; ++i) {
    Range range{AnyKey(), std::nullopt};
    if (*rc::gen::inRange(0, 8) != 0) range.end = AnyKey();
    if (*rc::gen::inRange(0, 2) != 0) range.end = KeyAfter(range.begin);
    set.AddRange(range.begin, range.end);
    added.push_back(range);
  }
  const std::string* last_end = nullptr;
  for (const auto& [begin, end] : set.ranges()) {
    RC_ASSERT((last_end == nullptr || *last_end < begin));
    RC_ASSERT((!end || begin < *end));
    if (end) last_end = &*end;
  }
  for (int i = 0; i < 20; ++i) {
    const std::string key = AnyKey();
    const bool expected =
        std::any_of(added.begin(), added.end(), [&](const Range& r) { return r.Contains(key); });
    RC_ASSERT(set.Contains(key) == expected);
    RC_ASSERT((set.EndOfRange(key) != nullptr) == expected);
    const std::string end = AnyKey();
    const bool intersects = std::any_of(added.begin(), added.end(), [&](const Range& r) {
      const std::string& low = std::max(r.begin, key);
      return key < end && low < end && (!r.end || low < *r.end);
    });
    RC_ASSERT(set.Intersects(key, end) == intersects);
  }
}

// Batches get their numbers as the leader gives them.
void Number(WriteBatch* batch, SequenceNumber first) {
  Mutex mutex(Env().scheduler);
  WriteQueue queue;
  WriteQueue::Writer writer(&mutex, batch, Durability::kNone);
  std::unique_lock lock(mutex);
  Status status;
  ASSERT_TRUE(queue.Join(&writer, &status));
  queue.TakeGroup(first);
  queue.Finish(Status::Ok());
}

RC_GTEST_PROP(CommitHistory, FindsExactlyWhatChangedSince, ()) {
  CommitHistory history(uint64_t{1} << 30);
  struct Change {
    Range range;
    SequenceNumber sequence;
  };
  std::vector<Change> changes;
  std::vector<SequenceNumber> unfinished;
  SequenceNumber sequence = 0;
  const int steps = *rc::gen::inRange(0, 40);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::inRange(0, 5)) {
      case 0:
        history.Begin(sequence);
        unfinished.push_back(sequence);
        break;
      case 1: {
        if (unfinished.empty()) break;
        const auto at = *rc::gen::inRange<size_t>(0, unfinished.size());
        history.End(unfinished[at]);
        unfinished.erase(unfinished.begin() + static_cast<ptrdiff_t>(at));
        if (unfinished.empty()) RC_ASSERT(history.bytes() == 0u);
        break;
      }
      case 2:
      case 3: {
        WriteBatch batch;
        const SequenceNumber first = sequence + 1;
        const int count = *rc::gen::inRange(1, 4);
        for (int j = 0; j < count; ++j) {
          const std::string key = AnyKey(), end = AnyKey();
          if (key < end && *rc::gen::inRange(0, 3) == 0) {
            batch.DeleteRange(key, end);
            changes.push_back({{key, end}, ++sequence});
          } else {
            batch.Put(key, end);
            changes.push_back({{key, KeyAfter(key)}, ++sequence});
          }
        }
        Number(&batch, first);
        history.Record(batch);
        break;
      }
      case 4: {
        if (unfinished.empty()) break;
        const SequenceNumber snapshot = *rc::gen::elementOf(unfinished);
        KeySet keys;
        keys.AddRange(AnyKey(), AnyKey());
        keys.AddKey(AnyKey());
        const bool expected =
            std::any_of(changes.begin(), changes.end(), [&](const Change& change) {
              return change.sequence > snapshot &&
                     keys.Intersects(change.range.begin, *change.range.end);
            });
        RC_ASSERT(history.Check(keys, snapshot).IsBusy() == expected);
        break;
      }
    }
  }
}

RC_GTEST_PROP(CommitHistory, StaysWithinItsBudget, ()) {
  const auto budget = static_cast<uint64_t>(*rc::gen::inRange(1, 2000));
  CommitHistory history(budget);
  history.Begin(0);
  KeySet keys;
  keys.AddKey("read");
  for (SequenceNumber i = 1; i < 60; ++i) {
    WriteBatch batch;
    if (i % 5 == 0) {
      batch.DeleteRange(std::to_string(i), "x");
    } else {
      batch.Put(std::to_string(i % 7), "v");
    }
    Number(&batch, i);
    history.Record(batch);
    RC_ASSERT(history.bytes() <= budget);
  }
  // It may not say that all is well when it does not know.
  if (budget < 1000) RC_ASSERT(history.Check(keys, 0).IsBusy());
  history.Begin(59);
  RC_ASSERT(history.Check(keys, 59).ok());
}

}  // namespace
}  // namespace shearpin
