// IngestTable: takes a table in that was built outside.
//
// It is rewritten under its sequence number: a copy costs what reading it for the checks costs, and
// no reader of tables has to know of keys whose number stands elsewhere.
#include <algorithm>
#include <string>
#include <utility>

#include "engine/compaction/compaction_iterator.h"
#include "engine/db/db_impl.h"
#include "engine/db/table_writer.h"
#include "engine/manifest/file_names.h"

namespace shearpin {
namespace {

// The entries of an external table under one sequence number. Forward only.
class Renumbered : public InternalIterator {
 public:
  Renumbered(std::unique_ptr<InternalIterator> input, SequenceNumber sequence)
      : input_(std::move(input)), sequence_(sequence) {}
  void SeekToFirst() override {
    input_->SeekToFirst();
    Show(false);
  }
  void Next() override {
    input_->Next();
    Show(true);
  }
  void SeekToLast() override { SetError(Status::NotSupported("forward only")); }
  void Seek(std::string_view) override { SetError(Status::NotSupported("forward only")); }
  void SeekForPrev(std::string_view) override { SetError(Status::NotSupported("forward only")); }
  void Prev() override { SetError(Status::NotSupported("forward only")); }

 private:
  void Show(bool follows) {
    if (!input_->Valid()) return input_->status().ok() ? SetEnd() : SetError(input_->status());
    const std::string_view user_key = UserKey(input_->key());
    if (SequenceOf(input_->key()) != 0 || (follows && user_key == UserKey(key_))) {
      return SetError(Status::InvalidArgument(
          "a key of the table has a sequence number, or stands there twice"));
    }
    std::string next;
    AppendInternalKey(&next, user_key, sequence_, TypeOf(input_->key()));
    key_.swap(next);
    SetEntry(key_, input_->value());
  }

  const std::unique_ptr<InternalIterator> input_;
  const SequenceNumber sequence_;
  std::string key_;
};

bool Overlaps(const FileMeta& a, const FileMeta& b) {
  return UserKey(a.smallest) <= UserKey(b.largest) && UserKey(b.smallest) <= UserKey(a.largest);
}

}  // namespace

StatusOr<uint64_t> DB::Impl::IngestTable(const std::string& path, std::atomic<uint64_t>* numbered) {
  std::atomic<uint64_t> unasked = 0;
  if (numbered == nullptr) numbered = &unasked;
  SHEARPIN_ASSIGN_OR_RETURN(const uint64_t size, fs_->FileSize(path));
  SHEARPIN_ASSIGN_OR_RETURN(auto table, Table::Open(fs_, path, {.file_id = 0, .file_size = size}));
  SHEARPIN_RETURN_IF_ERROR(table->VerifyAll(std::nullopt));
  if (table->properties().entries == 0) {
    return Status::InvalidArgument(path + ": a table without entries");
  }
  if (!table->range_tombstones().empty()) {
    return Status::NotSupported(path + ": a table with range tombstones");
  }
  Lock lock(mutex_);
  // Alone: numbers are taken and published in order.
  const Status status = LeadAlone(&lock, [&] {
    SHEARPIN_RETURN_IF_ERROR(EmptyMemtables(&lock));
    return Adopt(*table, numbered, &lock);
  });
  if (!status.ok()) return status.Prefixed(path);
  return numbered->load();
}

// Requires that the caller leads the queue. The MANIFEST says of one number that everything up to
// it is in tables; so everything older than the table has to be.
Status DB::Impl::EmptyMemtables(Lock* lock) {
  SHEARPIN_RETURN_IF_ERROR(write_error_);
  if (MemtablesFull()) SHEARPIN_RETURN_IF_ERROR(flush_retry_.error());
  if (!active_->empty()) SHEARPIN_RETURN_IF_ERROR(SwitchMemtable(lock));
  const uint64_t failures = flush_retry_.failures();
  flush_retry_.Hurry();
  flush_work_.NotifyOne();
  while (!frozen_.empty()) {
    SHEARPIN_RETURN_IF_ERROR(write_error_);
    if (flush_retry_.failures() != failures) return flush_retry_.error();
    progress_.Wait();
  }
  return write_error_;
}

// Takes as many numbers as a batch of the same changes would; every entry gets the last of them,
// since no reader may stand between.
Status DB::Impl::Adopt(const Table& table, std::atomic<uint64_t>* numbered, Lock* lock) {
  const uint64_t entries = table.properties().entries;
  if (last_sequence_ + entries > kMaxSequence) {
    return Status::NotSupported("sequence numbers are used up");
  }
  const uint64_t first_sequence = last_sequence_ + 1;
  last_sequence_ += entries;
  const SequenceNumber sequence = last_sequence_;
  const uint64_t number = NewFileNumber();
  lock->unlock();
  Renumbered renumbered(table.NewIterator(), sequence);
  CompactionIterator all(&renumbered, {.snapshots = {},
                                       .covered_below = [](std::string_view) { return true; },
                                       .filter = nullptr,
                                       .range_deletes = nullptr});
  all.SeekToFirst();
  RangeTombstoneCutter no_ranges(RangeTombstones(), {},
                                 [](std::string_view, std::string_view) { return true; });
  auto meta = all.Valid() ? WriteTable(fs_, directory_, database_id_, number, BuilderOptions(),
                                       &all, &no_ranges, nullptr)
                          : StatusOr<FileMeta>(all.status());
  if (!meta.ok()) {
    fs_->Unlink(JoinPath(directory_, TableName(number))).IgnoreError();
    lock->lock();
    return meta.status();
  }
  lock->lock();
  numbered->store(first_sequence);
  // No merge begins until the table is in the version: none could know of it.
  ingesting_ = true;
  const int level = IngestLevel(*meta);
  VersionEdit edit;
  edit.flushed_sequence = sequence;
  edit.added.emplace_back(level, *meta);
  Status status = ApplyEdit(
      std::move(edit), {.removed = {}, .added = {{level, NewTableFile(*meta)}}}, lock, [&] {
        published_.store(sequence, std::memory_order_release);
        history_.RecordRange(UserKey(meta->smallest), UserKey(meta->largest), sequence);
      });
  ingesting_ = false;
  compaction_work_.NotifyAll();
  progress_.NotifyAll();
  // The edit may be durable, and the table come back at the next recovery.
  if (!status.ok()) return status.MarkIndeterminate();
  Notify(EventKind::kTableIngested, number, meta->size);
  if (CompactionDue()) StartCompacting();
  return Status::Ok();
}

// Requires mutex_. The deepest level down to which nothing overlaps the table. Level 0 while a
// merge runs: the gaps between its inputs are not known to be gaps of its outputs.
int DB::Impl::IngestLevel(const FileMeta& meta) const {
  if (options_.compaction_style != CompactionStyle::kLeveled || !compacting_.empty()) return 0;
  int level = 0;
  for (int i = 0; i < kNumLevels; ++i) {
    const Version::Tables& tables = version_->level(i);
    const bool overlaps = std::any_of(tables.begin(), tables.end(), [&](const auto& table) {
      return Overlaps(table->meta(), meta);
    });
    if (overlaps) break;
    level = i;
  }
  return level;
}

}  // namespace shearpin
