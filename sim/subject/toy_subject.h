// ToyFactory: a small, honest store that is not Shearpin, and the ways in which it can be broken.
// It stands behind the Subject interface to show that another engine can, and that the simulator
// catches each class of mistake. For tests of the simulator only.
//
// One append-only log; every opening writes the recovered state whole into a new, higher-numbered
// log before it removes the old one. Everything is kept in memory, all versions of it.
#pragma once

#include "sim/subject/subject.h"

namespace shearpin::sim {

enum class ToyBug : uint8_t {
  kNone,
  kNoSync,             // kSync writes are acknowledged unsynced
  kNoDirectorySync,    // a new log's name is not made durable
  kTornBatch,          // each change of a batch is a record of its own
  kForgetsDelete,      // recovery leaves deletes out
  kWrongValue,         // recovery returns a value that nobody wrote
  kSkipsDamage,        // recovery goes on after a damaged record: a hole
  kRefusesTornTail,    // recovery takes a torn tail for damage
  kStaleRead,          // Get does not see the newest write of its key
  kSwallowsSyncError,  // a failed sync is acknowledged
  kInventsError,       // a write fails now and then, for no reason
  kDeadlock,           // two locks in two orders
  kHangsOnClose,       // Close waits for what never comes
  kSpins,              // a synced write polls for what another never does
  kRearmsTimer,        // Close looks every hour whether something has come that never comes
  kLeavesFiles,        // old logs are not removed
  kTrustsCache,        // recovery goes on in a whole log, and does not ask whether it is durable
  kForgetsUnsynced,    // recovery leaves out what was written without a sync
  kCleansUp,           // a recovery that meets an error removes the old logs all the same
  kStuckOnDamage,      // once recovery has met damage, no opening takes writes
  kCopyNotSynced,      // a checkpoint is not made durable
  kAbortsOnDamage,     // recovery kills the process where a log is damaged
  kHangsOnDamage,      // recovery loops there, and never comes to the scheduler
};

class ToyFactory : public SubjectFactory {
 public:
  explicit ToyFactory(ToyBug bug) : bug_(bug) {}

  StatusOr<std::unique_ptr<Subject>> Open(const SubjectConfig& config) override;
  Status CheckNoOrphans(Subject* subject, FileSystem* fs, const std::string& directory) override;

 private:
  const ToyBug bug_;
};

}  // namespace shearpin::sim
