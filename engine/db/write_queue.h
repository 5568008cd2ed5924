// WriteQueue: who writes next, and which waiting batches one writer takes along (group commit).
//
// Writers stand in a queue; the front one leads. The leader alone may append to the log, insert
// into the memtable and switch both, with the database mutex released; it takes along batches that
// wait behind it, so that one append and one sync serve them all.
//
// Thread safety: every method requires the database mutex. Ownership: of nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <vector>

#include "engine/base/internal_key.h"
#include "engine/env/scheduler.h"
#include "engine/options.h"
#include "engine/status.h"
#include "engine/write_batch.h"

namespace shearpin {

class WriteQueue {
 public:
  // Whether a batch may still be written, with the database mutex held. Nothing is written between
  // this and the batch but what is `ahead` of it in its group.
  using Validate = std::function<Status(const std::vector<WriteBatch*>& ahead)>;

  // Stands in the queue on its caller's stack. `batch` null: a task that only wants to lead alone.
  class Writer {
   public:
    // The leader calls `validate` (may be null) for those that it takes along, and must do so for
    // itself.
    Writer(Mutex* mutex, WriteBatch* batch, Durability durability,
           const Validate* validate = nullptr)
        : batch_(batch), durability_(durability), validate_(validate), turn_(mutex) {}

   private:
    friend class WriteQueue;
    WriteBatch* const batch_;
    const Durability durability_;
    const Validate* const validate_;
    bool done_ = false;
    Status status_;
    CondVar turn_;
  };

  // The batches of one commit, in order, under one first sequence number.
  struct Group {
    std::vector<WriteBatch*> batches;
    Durability durability = Durability::kNone;  // the strongest that a member asks for
    uint32_t count = 0;                         // changes in all batches
    SequenceNumber first_sequence = 0;
  };

  // Waits for its turn or for its result. True: the caller leads, and must call Finish. False: a
  // leader took it along, and `*result` is its status.
  bool Join(Writer* writer, Status* result);

  // The leader's batch and those behind it that can go with it. A leader without a batch gets an
  // empty group. Sequence numbers from first_sequence on are assigned to the batches.
  Group TakeGroup(SequenceNumber first_sequence);

  // Ends the leader's turn: it and the members of its group get `status`, the next leads.
  void Finish(const Status& status);

 private:
  std::deque<Writer*> writers_;
  size_t group_size_ = 1;  // how many of the front writers the current turn covers
};

// The changes of a group as one WAL payload: `parts` views `count_bytes` and the batches.
void GroupPayload(const WriteQueue::Group& group, char (&count_bytes)[4],
                  std::vector<std::string_view>* parts);

}  // namespace shearpin
