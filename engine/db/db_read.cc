// Reading, and what the database says of itself.
#include <string>
#include <utility>

#include "engine/base/seek_key.h"
#include "engine/db/db_impl.h"
#include "engine/db/db_iterator.h"
#include "engine/manifest/file_names.h"
#include "engine/wal/log_reader.h"

namespace shearpin {

std::shared_ptr<const ReadState> DB::Impl::AcquireReadState(const Snapshot* snapshot,
                                                            SequenceNumber* sequence) {
  ReadStateCell::Pin pin = read_state_.Acquire();
  *sequence = snapshot != nullptr ? snapshot->sequence() : pin.sequence();
  // If the state was replaced since, whoever lets go of what is returned finds out.
  return pin.Share();
}

void DB::Impl::RebuildReadState() {
  ApplyMemoryBudget();
  auto state = std::make_shared<ReadState>();
  state->active = active_;
  for (auto it = frozen_.rbegin(); it != frozen_.rend(); ++it) {
    state->frozen.push_back(it->memtable);
  }
  state->version = version_;
  // First, so that a reader which is seen to use the older state, and lets go of it after that,
  // comes to look for what it held.
  any_obsolete_.store(true);
  const bool reclaimed = read_state_.Publish(std::move(state));
  any_obsolete_.store(!reclaimed || !obsolete_.empty());
}

Status DB::Impl::Get(std::string_view key, std::string* value, const ReadOptions& options) {
  const Stopwatch stopwatch(&statistics_, Latency::kGet);
  ReadStateCell::Pin pin = read_state_.Acquire();
  LoadedBlock block;
  Lookup found;
  FilterCounts counts;
  const SequenceNumber sequence =
      options.snapshot != nullptr ? options.snapshot->sequence() : pin.sequence();
  const Status status = Find(pin.state(), key, sequence, &block, &found, &counts);
  if (status.ok() && found.kind == Lookup::Kind::kValue) value->assign(found.value);
  pin.Count(found, counts);
  // The lock is for the last reader of an older state only.
  if (pin.Release()) ReleaseReader();
  if (!status.ok()) return status;
  return found.kind == Lookup::Kind::kValue ? Status::Ok() : Status::NotFound("no such key");
}

// The newest version at or below `sequence`; its value points into `state` or `*block`.
Status DB::Impl::Find(const ReadState& state, std::string_view key, SequenceNumber sequence,
                      LoadedBlock* block, Lookup* found, FilterCounts* counts) const {
  const KeyHash hash(key);
  *found = state.active->Get(key, hash, sequence);
  if (found->kind != Lookup::Kind::kAbsent) return Status::Ok();
  for (const auto& memtable : state.frozen) {
    *found = memtable->Get(key, hash, sequence);
    if (found->kind != Lookup::Kind::kAbsent) return Status::Ok();
  }
  return state.version->Get(SeekKey(key, sequence).view(), hash, block, found, counts);
}

std::unique_ptr<Iterator> DB::Impl::NewIterator(const ReadOptions& options) {
  SequenceNumber sequence;
  std::shared_ptr<const ReadState> state = AcquireReadState(options.snapshot, &sequence);
  return NewDbIterator(std::move(state), sequence, options, &statistics_,
                       [this] { ReleaseReader(); });
}

// Registered while it lives, so that no compaction drops what it sees.
class DB::Impl::PinnedSequence : public Snapshot {
 public:
  PinnedSequence(Impl* db, SequenceNumber sequence) : db_(db), sequence_(sequence) {}
  ~PinnedSequence() override { db_->ReleaseSnapshot(sequence_); }
  uint64_t sequence() const override { return sequence_; }

 private:
  Impl* const db_;
  const SequenceNumber sequence_;
};

std::unique_ptr<Snapshot> DB::Impl::GetSnapshot() {
  Lock lock(mutex_);
  return PinLatest();
}

// Requires mutex_.
std::unique_ptr<Snapshot> DB::Impl::PinLatest() {
  // Under the lock: a compaction takes its list of snapshots under it too, so one that does not
  // know of this snapshot has only inputs that are older.
  const SequenceNumber sequence = LatestSequence();
  snapshots_.insert(sequence);
  return std::make_unique<PinnedSequence>(this, sequence);
}

void DB::Impl::ReleaseSnapshot(SequenceNumber sequence) {
  Lock lock(mutex_);
  snapshots_.erase(snapshots_.find(sequence));
}

Status DB::Impl::VerifyTable(const TableFile& file) {
  SHEARPIN_ASSIGN_OR_RETURN(const Table* table, file.Open());
  SHEARPIN_RETURN_IF_ERROR(table->VerifyAll(file.meta().checksum));
  const TableProperties& properties = table->properties();
  const RangeTombstones& ranges = table->range_tombstones();
  std::string smallest = properties.smallest_key;
  std::string largest = properties.largest_key;
  WidenBounds(ranges.fragments(), &smallest, &largest);
  const FileMeta& meta = file.meta();
  if (properties.entries != meta.entries || ranges.count() != meta.range_deletes ||
      smallest != meta.smallest || largest != meta.largest) {
    return Status::Corruption(file.path() + ": its properties are not what the MANIFEST says");
  }
  return Status::Ok();
}

Status DB::Impl::VerifyTables(const Version& version) {
  for (const auto& file : version.AllTables()) SHEARPIN_RETURN_IF_ERROR(VerifyTable(*file));
  return Status::Ok();
}

Status DB::Impl::VerifyChecksums() {
  std::shared_ptr<const Version> version;
  std::vector<std::shared_ptr<LogWriter>> logs;
  std::vector<uint64_t> lengths;
  {
    Lock lock(mutex_);
    version = version_;
    logs.assign(older_logs_.begin(), older_logs_.end());
    if (log_ != nullptr) logs.push_back(log_);
    // What was not synced may be gone after a failed sync, and Resume does not need it.
    const bool failed = !write_error_.ok();
    for (const auto& log : logs) lengths.push_back(failed ? log->synced_size() : log->size());
  }
  const Status tables = VerifyTables(*version);
  version.reset();
  ReleaseReader();
  SHEARPIN_RETURN_IF_ERROR(tables);
  // Logs and MANIFEST belong to the writer, which may be at work.
  if (read_only_) return Status::Ok();
  for (size_t i = 0; i < logs.size(); ++i) {
    std::string contents;
    const Status read = ReadFile(fs_, logs[i]->path(), &contents);
    // Retired since the list was taken: its data is in a table by now.
    if (read.IsNotFound()) continue;
    SHEARPIN_RETURN_IF_ERROR(read);
    auto reader = LogReader::Open(LogKind::kWal, contents);
    if (!reader.ok()) return reader.status().Prefixed(logs[i]->path());
    for (LogRecord record; reader->Next(&record);) {
    }
    if (reader->end() < lengths[i]) {
      return Status::Corruption(logs[i]->path() + ": damaged at offset " +
                                std::to_string(reader->end()));
    }
  }
  // A rotation meanwhile would take CURRENT's file away between the two reads.
  std::lock_guard manifest_lock(manifest_mutex_);
  return Manifest::Recover(fs_, directory_).status();
}

StatusOr<std::string> DB::Impl::Property(std::string_view name) {
  constexpr std::string_view kHistogram = "histogram.";
  if (name == "counters") return Counters();
  if (std::string text; name.starts_with(kHistogram) &&
                        statistics_.HistogramText(name.substr(kHistogram.size()), &text)) {
    return text;
  }
  std::unique_lock<Mutex> manifest_lock(manifest_mutex_, std::defer_lock);
  if (name == "stats" || name == "live-files") manifest_lock.lock();
  Lock lock(mutex_);
  if (name == "damaged-tables") {
    std::string text;
    for (const auto& [number, status] : set_aside_) {
      text += TableName(number) + ": " + status.ToString() + "\n";
    }
    return text;
  }
  if (name == "last-sequence") return std::to_string(LatestSequence());
  if (name == "levels") {
    std::string text;
    for (int level = 0; level < kNumLevels; ++level) {
      const Version::Tables& tables = version_->level(level);
      if (tables.empty()) continue;
      uint64_t bytes = 0, entries = 0;
      for (const auto& file : tables) {
        bytes += file->meta().size;
        entries += file->meta().entries;
      }
      text += "L" + std::to_string(level) + " tables=" + std::to_string(tables.size()) +
              " bytes=" + std::to_string(bytes) + " entries=" + std::to_string(entries) + "\n";
    }
    return text;
  }
  if (read_only_ && (name == "stats" || name == "reads" || name == "live-files")) {
    return Status::NotFound(std::string(name) + ": a read-only database has none");
  }
  if (name == "stats") {
    return "memtable-bytes=" + std::to_string(active_->ApproximateBytes()) +
           " frozen-memtables=" + std::to_string(frozen_.size()) +
           " logs=" + std::to_string(older_logs_.size() + 1) +
           " log-bytes=" + std::to_string(log_->size()) +
           " manifest-bytes=" + std::to_string(manifest_->size()) +
           " writer=" + (write_error_.ok() ? "ok" : write_error_.ToString()) +
           " flush=" + flush_retry_.error().ToString() +
           " merges=" + compaction_retry_.error().ToString() + "\n" + Counters() +
           statistics_.HistogramsText();
  }
  if (name == "reads") return ReadStats();
  if (name == "live-files") {
    // One name a line: what the directory must hold, and all that it should.
    std::string text =
        CurrentName() + "\n" + LockName() + "\n" + ManifestName(manifest_->number()) + "\n";
    for (const auto& log : older_logs_) text += WalName(log->number()) + "\n";
    text += WalName(log_->number()) + "\n";
    for (const auto& file : version_->AllTables()) text += TableName(file->meta().number) + "\n";
    return text;
  }
  return Status::NotFound("no property named " + std::string(name) +
                          "; there are levels, last-sequence, counters, histogram.NAME, reads, "
                          "stats and live-files");
}

}  // namespace shearpin
