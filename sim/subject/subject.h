// Subject: what is under test, as the simulator sees it: an ordered key-value store with sequence
// numbers, snapshots and three levels of durability, opened on a given machine.
//
// Shearpin is one subject (shearpin_subject.h); another engine, or a broken toy that proves the
// simulator can fail, is another. Statuses follow engine/status.h: errors that a fault-injecting
// file system made are injected(), failed writes that may be in the log are indeterminate().
//
// Thread safety: as DB: any thread of env.scheduler, except Close, which comes last.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/env/env.h"
#include "engine/event_listener.h"
#include "engine/iterator.h"
#include "engine/options.h"
#include "engine/snapshot.h"
#include "engine/status.h"

namespace shearpin::sim {

// Changes that the subject applies together. Copies what it is given.
class SubjectBatch {
 public:
  virtual ~SubjectBatch() = default;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  virtual void Delete(std::string_view key) = 0;
  // Of [begin, end); adds nothing if that range is empty.
  virtual void DeleteRange(std::string_view begin, std::string_view end) = 0;
  // Of the first change, from the moment it is assigned (a reader of another thread may see the
  // batch before Write returns), even if the write fails then; 0 before.
  virtual uint64_t first_sequence() const = 0;
};

// Reads at one snapshot, and writes that are applied together: it is its own batch. Aborted after
// Commit or Rollback. Its iterators go before it does.
class SubjectTransaction : public SubjectBatch {
 public:
  // Reads see the transaction's own writes.
  virtual Status Get(std::string_view key, std::string* value) = 0;
  virtual std::unique_ptr<Iterator> NewIterator(const Bound& lower, const Bound& upper) = 0;
  // Busy: a conflict, nothing was written.
  virtual Status Commit(shearpin::Durability durability) = 0;
  virtual Status Rollback() = 0;
  // Of the snapshot.
  virtual uint64_t sequence() const = 0;
};

class Subject {
 public:
  // Closes if Close was not called.
  virtual ~Subject() = default;

  virtual std::unique_ptr<SubjectBatch> NewBatch() = 0;
  // `batch` came from NewBatch of this subject. Change i has sequence first_sequence() + i.
  virtual Status Write(SubjectBatch* batch, shearpin::Durability durability) = 0;

  // A null snapshot reads the newest published state. NotFound: no such key.
  virtual Status Get(std::string_view key, const Snapshot* snapshot, std::string* value) = 0;
  virtual std::unique_ptr<Iterator> NewIterator(const Bound& lower, const Bound& upper,
                                                const Snapshot* snapshot) = 0;
  virtual std::unique_ptr<Snapshot> GetSnapshot() = 0;
  // Null if the subject has no transactions.
  virtual std::unique_ptr<SubjectTransaction> BeginTransaction(bool /*serializable*/) {
    return nullptr;
  }

  // A table that is built outside, in a new file, to be taken in. Its changes come in ascending
  // order of their keys, one for each, without ranges; errors come out of Ingest. Null if the
  // subject takes no tables in.
  virtual std::unique_ptr<SubjectBatch> NewTable(const std::string& /*path*/) { return nullptr; }
  // As a write of all its changes that is durable, and everything before it too, when OK. An error
  // with first_sequence() 0 leaves nothing behind and stops nobody. `table` came from NewTable.
  virtual Status Ingest(SubjectBatch* /*table*/) { return Status::NotSupported("no tables"); }

  virtual Status Sync() = 0;
  virtual Status Flush() = 0;
  // Until no background work runs or is due. An error if such work fails meanwhile.
  virtual Status WaitForBackground() { return {}; }
  // Flushes, then merges what is stored of the keys from *begin to *end, both included; null: all
  // keys on that side.
  virtual Status CompactRange(const std::string_view* begin, const std::string_view* end) = 0;
  // Makes a writer work again that an error has stopped, and tells the listener (kResumed) at that
  // moment. From then on everything acknowledged is durable and what failed never comes back.
  // NotSupported: it has to be reopened.
  virtual Status Resume() = 0;
  // Makes a store of its own in `directory` that holds everything up to the sequence returned.
  // NotSupported: it cannot.
  virtual StatusOr<uint64_t> Checkpoint(const std::string& directory) = 0;
  virtual Status VerifyChecksums() = 0;
  // NotFound for names it does not know.
  virtual StatusOr<std::string> Property(std::string_view name) = 0;
  virtual Status Close() = 0;
};

struct SubjectConfig {
  Env env;
  std::string directory;
  std::span<const std::pair<std::string, uint64_t>> options;  // by the names of sim/knobs.h
  EventListener* listener = nullptr;
  bool read_only = false;  // NotSupported by a subject that cannot; changes nothing on the disk
};

// Opens subjects of one sort. Holds no state of its own between two opens: a subject's state is
// what stands on the disk.
class SubjectFactory {
 public:
  virtual ~SubjectFactory() = default;

  virtual StatusOr<std::unique_ptr<Subject>> Open(const SubjectConfig& config) = 0;

  // Looks at the directory of an open subject that was just flushed and is at rest: OK, or a
  // Corruption that names a file which nothing needs any more. An error of `fs` is returned.
  virtual Status CheckNoOrphans(Subject* subject, FileSystem* fs, const std::string& directory) = 0;
};

}  // namespace shearpin::sim
