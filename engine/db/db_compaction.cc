// Compaction: running what the policy picks, and merging on request.
#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/merging_iterator.h"
#include "engine/compaction/compaction_iterator.h"
#include "engine/compaction/output_cutter.h"
#include "engine/compaction/range_tombstone_cutter.h"
#include "engine/db/db_impl.h"
#include "engine/db/table_writer.h"
#include "engine/manifest/file_names.h"

namespace shearpin {

namespace {

std::string Describe(const CompactionPlan& plan, uint64_t bytes) {
  std::string text = "reason=" + std::string(CompactionReasonName(plan.reason)) + " levels=";
  for (const CompactionInput& input : plan.inputs) text += std::to_string(input.level) + "+";
  text.back() = '>';
  return text + std::to_string(plan.output_level) + " bytes=" + std::to_string(bytes);
}

}  // namespace

// A plan with what it needs pinned.
struct DB::Impl::Compaction {
  const CompactionPlan& plan;
  std::shared_ptr<const Version> version;
  std::vector<Version::Tables> inputs;  // by plan.inputs
  Version::Tables older;                // of level 0, not inputs, behind them
  std::vector<SequenceNumber> snapshots;
  std::list<std::pair<int, KeyRange>>::iterator output;

  // True if data that is older than the inputs may hold the key.
  bool CoveredBelow(std::string_view user_key) const {
    return std::any_of(older.begin(), older.end(),
                       [&](const auto& table) { return table->Covers(user_key); }) ||
           version->CoveredBelow(plan.output_level, user_key);
  }
  // The same for the keys in [begin, end).
  bool CoveredBelow(std::string_view begin, std::string_view end) const {
    return std::any_of(older.begin(), older.end(),
                       [&](const auto& table) { return Overlaps(*table, begin, end); }) ||
           version->CoveredBelow(plan.output_level, begin, end);
  }
  // The range tombstones of all inputs.
  StatusOr<RangeTombstones> RangeDeletes() const {
    std::vector<RangeTombstone> all;
    for (const Version::Tables& tables : inputs) {
      for (const auto& file : tables) {
        if (file->meta().range_deletes == 0) continue;
        SHEARPIN_ASSIGN_OR_RETURN(const Table* table, file->Open());
        table->range_tombstones().AppendTo(&all);
      }
    }
    return RangeTombstones(std::move(all));
  }
};

// Requires mutex_.
TableSummary DB::Impl::Summary(const TableFile& table) const {
  const FileMeta& meta = table.meta();
  const bool damaged = set_aside_.count(meta.number) != 0;
  return {.number = meta.number,
          .size = meta.size,
          .smallest = UserKey(meta.smallest),
          .largest = UserKey(meta.largest),
          .busy = damaged || compacting_.count(meta.number) != 0,
          .damaged = damaged,
          .largest_excluded = TypeOf(meta.largest) == ValueType::kRangeDelete};
}

// Requires mutex_. What policies are told; made once for each change of the version, the running
// merges' inputs or their outputs, each of which resets it. Good until the next.
const TreeShape& DB::Impl::Shape() {
  if (shape_) return *shape_;
  TreeShape& shape = shape_.emplace();
  for (int level = 0; level < kNumLevels; ++level) {
    for (const auto& table : version_->level(level)) shape.levels[level].push_back(Summary(*table));
  }
  for (const auto& [level, hull] : outputs_) shape.outputs[level].push_back(hull);
  return shape;
}

// Requires mutex_.
bool DB::Impl::CompactionDue() {
  return write_error_.ok() && !stopping_ && policy_->Pick(Shape()).has_value();
}

// Requires mutex_. Wakes a waiting thread, or starts one more.
void DB::Impl::StartCompacting() {
  if (idle_compactors_ == 0 && compactors_.size() < static_cast<size_t>(options_.max_compactions)) {
    compactors_.push_back(scheduler_->Spawn("shearpin-compact", [this] { CompactionLoop(); }));
  }
  compaction_work_.NotifyOne();
}

void DB::Impl::CompactionLoop() {
  Lock lock(mutex_);
  while (!stopping_) {
    std::optional<CompactionPlan> plan;
    const bool paused = scheduler_->NowMicros() < compaction_retry_.not_before();
    if (write_error_.ok() && !paused && !ingesting_) plan = policy_->Pick(Shape());
    if (!plan) {
      ++idle_compactors_;
      if (paused) {
        compaction_work_.WaitUntil(compaction_retry_.not_before());
      } else {
        compaction_work_.Wait();
      }
      --idle_compactors_;
      continue;
    }
    ++background_jobs_;
    const size_t set_aside = set_aside_.size();
    const Status status = RunCompaction(*plan, &lock);
    if (!status.IsAborted()) EndOfTry(status, &compaction_retry_);
    // The next try is another merge.
    if (set_aside_.size() != set_aside) compaction_retry_.Hurry();
    RemoveObsoleteTables(&lock);
    --background_jobs_;
    // What this one made room for may be more than one thread's work.
    if (CompactionDue()) StartCompacting();
    progress_.NotifyAll();
  }
}

// Requires mutex_. Marks the inputs as taken.
DB::Impl::Compaction DB::Impl::Prepare(const CompactionPlan& plan) {
  Compaction compaction{.plan = plan,
                        .version = version_,
                        .inputs = {},
                        .older = {},
                        .snapshots = {snapshots_.begin(), snapshots_.end()},
                        .output = outputs_.end()};
  for (const CompactionInput& input : plan.inputs) {
    Version::Tables& tables = compaction.inputs.emplace_back();
    bool passed = false;
    for (const auto& table : version_->level(input.level)) {
      const uint64_t number = table->meta().number;
      const bool chosen =
          std::find(input.tables.begin(), input.tables.end(), number) != input.tables.end();
      if (chosen) {
        tables.push_back(table);
        compacting_.insert(number);
      } else if (input.level == 0 && passed) {
        compaction.older.push_back(table);
      }
      passed |= chosen;
    }
  }
  KeyRange hull;  // of keys that the inputs hold, which the compaction pins
  for (const auto& tables : compaction.inputs) {
    for (const auto& table : tables) hull.Include(Summary(*table));
  }
  outputs_.emplace_back(plan.output_level, hull);
  shape_.reset();
  compaction.output = std::prev(outputs_.end());
  return compaction;
}

Status DB::Impl::RunCompaction(const CompactionPlan& plan, Lock* lock) {
  const Compaction compaction = Prepare(plan);
  VersionEdit edit;
  Version::Change change;
  uint64_t bytes_read = 0;
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    for (const auto& table : compaction.inputs[i]) {
      edit.removed.emplace_back(plan.inputs[i].level, table->meta().number);
      change.removed.push_back(table->meta().number);
      bytes_read += table->meta().size;
    }
  }
  Status status;
  if (plan.trivial_move) {
    const Version::TablePtr& table = compaction.inputs.front().front();
    edit.added.emplace_back(plan.output_level, table->meta());
    change.added.emplace_back(plan.output_level, table);
    Notify(EventKind::kTrivialMove, table->meta().number);
  } else {
    lock->unlock();
    const Stopwatch stopwatch(&statistics_, Latency::kCompaction);
    Notify(EventKind::kCompactionBegun, change.removed.size(), 0, Describe(plan, bytes_read));
    std::vector<FileMeta> outputs;
    status = MergeTables(compaction, &outputs);
    uint64_t bytes = 0;
    for (const FileMeta& meta : outputs) {
      bytes += meta.size;
      if (status.ok()) continue;
      // No MANIFEST names them.
      fs_->Unlink(JoinPath(directory_, TableName(meta.number))).IgnoreError();
    }
    for (FileMeta& meta : outputs) {
      change.added.emplace_back(plan.output_level, NewTableFile(meta));
      edit.added.emplace_back(plan.output_level, std::move(meta));
    }
    std::vector<std::pair<uint64_t, Status>> damaged;
    if (status.IsCorruption()) damaged = FindDamaged(compaction);
    if (status.ok()) {
      Notify(EventKind::kCompactionDone, 0, bytes,
             "outputs=" + std::to_string(outputs.size()) +
                 " level=" + std::to_string(plan.output_level) +
                 " took-micros=" + std::to_string(stopwatch.Micros()));
      statistics_.Add(Counter::kCompactionBytesRead, bytes_read);
    }
    lock->lock();
    SetAside(std::move(damaged));
  }
  if (status.ok()) {
    status = ApplyEdit(std::move(edit), change, lock, [&] {
      if (plan.trivial_move) return;
      for (const auto& tables : compaction.inputs) {
        obsolete_.insert(obsolete_.end(), tables.begin(), tables.end());
      }
    });
  }
  for (const uint64_t number : change.removed) compacting_.erase(number);
  outputs_.erase(compaction.output);
  shape_.reset();
  return status;
}

// Which inputs cannot be read, by reading each as the merge does: its error does not say which.
// Errors of the machine may pass, so they are not damage.
std::vector<std::pair<uint64_t, Status>> DB::Impl::FindDamaged(const Compaction& compaction) const {
  std::vector<std::pair<uint64_t, Status>> damaged;
  for (const Version::Tables& tables : compaction.inputs) {
    for (const auto& file : tables) {
      auto table = file->Open();
      Status status = table.status();
      if (status.ok()) {
        const auto all = (*table)->NewIterator(Caching::kBypass);
        for (all->SeekToFirst(); all->Valid();) all->Next();
        status = all->status();
      }
      if (status.IsCorruption()) {
        damaged.emplace_back(file->meta().number, std::move(status));
      }
    }
  }
  return damaged;
}

// Requires mutex_. Tried again, a merge of these would fail for ever, and keep all others waiting.
void DB::Impl::SetAside(std::vector<std::pair<uint64_t, Status>> damaged) {
  for (auto& [number, status] : damaged) {
    const auto [at, fresh] = set_aside_.emplace(number, std::move(status));
    if (fresh) Notify(EventKind::kTableSetAside, number, 0, at->second.ToString());
  }
  shape_.reset();
}

// Requires mutex_. The damage that nothing but a repair will mend, if nothing else is left to wait
// for: no merge runs, and none that is due can.
Status DB::Impl::DamageInTheWay() {
  if (set_aside_.empty() || !compacting_.empty() || CompactionDue()) return Status::Ok();
  return set_aside_.begin()->second.Prefixed("a damaged table keeps others from being merged");
}

// Requires mutex_. Damage in [begin, end] that was left as it is.
Status DB::Impl::DamageWithin(const std::string_view* begin, const std::string_view* end) const {
  for (const auto& table : version_->AllTables()) {
    const auto found = set_aside_.find(table->meta().number);
    if (found == set_aside_.end()) continue;
    if ((begin == nullptr || !EndsBefore(table->meta().largest, *begin)) &&
        (end == nullptr || UserKey(table->meta().smallest) <= *end)) {
      return found->second.Prefixed("a damaged table was not merged");
    }
  }
  return Status::Ok();
}

// Writes the merge of the inputs. On error, `outputs` holds what was finished.
Status DB::Impl::MergeTables(const Compaction& compaction, std::vector<FileMeta>* outputs) {
  const CompactionPlan& plan = compaction.plan;
  std::vector<std::unique_ptr<InternalIterator>> sources;
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    if (plan.inputs[i].level != 0) {
      sources.push_back(NewLevelIterator(&compaction.inputs[i], Caching::kBypass));
      continue;
    }
    for (const auto& table : compaction.inputs[i]) {
      SHEARPIN_ASSIGN_OR_RETURN(const Table* opened, table->Open());
      sources.push_back(opened->NewIterator(Caching::kBypass));
    }
  }
  const auto merge = NewMergingIterator(std::move(sources));
  SHEARPIN_ASSIGN_OR_RETURN(const RangeTombstones deletes, compaction.RangeDeletes());
  RangeTombstoneCutter ranges(deletes, compaction.snapshots,
                              [&](std::string_view begin, std::string_view end) {
                                return compaction.CoveredBelow(begin, end);
                              });
  CompactionIterator kept(
      merge.get(),
      {.snapshots = compaction.snapshots,
       .covered_below = [&](std::string_view key) { return compaction.CoveredBelow(key); },
       .filter = options_.compaction_filter,
       .range_deletes = &deletes});
  const Version::Tables none;
  const bool bottom = plan.output_level + 1 == kNumLevels;
  OutputCutter cutter(plan, bottom ? &none : &compaction.version->level(plan.output_level + 1));
  for (kept.SeekToFirst(); kept.Valid() || (kept.status().ok() && !ranges.empty());) {
    uint64_t number;
    TableBuilderOptions builder;
    {
      Lock lock(mutex_);
      // A merge loses nothing by being given up.
      if (stopping_) return Status::Aborted(directory_ + ": the database is closing");
      number = NewFileNumber();
      builder = BuilderOptions(plan.output_level);
    }
    auto meta = WriteTable(fs_, directory_, database_id_, number, builder, &kept, &ranges, &cutter,
                           [this](uint64_t bytes) { background_rate_.TakeAndWait(bytes); });
    if (!meta.ok()) {
      fs_->Unlink(JoinPath(directory_, TableName(number))).IgnoreError();
      return meta.status();
    }
    outputs->push_back(*std::move(meta));
  }
  SHEARPIN_RETURN_IF_ERROR(kept.status());
  if (kept.dropped_versions() > 0) {
    Notify(EventKind::kVersionDropped, 0, kept.dropped_versions());
  }
  if (kept.dropped_tombstones() > 0) {
    Notify(EventKind::kTombstoneDropped, 0, kept.dropped_tombstones());
  }
  if (kept.covered() > 0) Notify(EventKind::kCoveredDropped, 0, kept.covered());
  if (ranges.dropped() > 0) Notify(EventKind::kRangeDeleteDropped, 0, ranges.dropped());
  if (kept.filtered() > 0) Notify(EventKind::kFiltered, 0, kept.filtered());
  return Status::Ok();
}

Status DB::Impl::CompactRange(const std::string_view* begin, const std::string_view* end) {
  SHEARPIN_RETURN_IF_ERROR(Flush());
  Lock lock(mutex_);
  for (int level = 0;;) {
    SHEARPIN_RETURN_IF_ERROR(write_error_);
    if (ingesting_) {
      progress_.Wait();
      continue;
    }
    bool blocked = false;
    const auto plan = policy_->PickManual(Shape(), begin, end, &level, &blocked);
    if (plan) {
      ++background_jobs_;
      const Status status = RunCompaction(*plan, &lock);
      --background_jobs_;
      // What became due meanwhile may have found its inputs taken by this merge: no thread looks
      // again by itself, and writers may be stopped until one does.
      if (CompactionDue()) StartCompacting();
      progress_.NotifyAll();
      SHEARPIN_RETURN_IF_ERROR(status);
    } else if (blocked) {
      SHEARPIN_RETURN_IF_ERROR(DamageInTheWay());
      // What is due might make room for this one, but it fails, perhaps as long as the disk does.
      if (compacting_.empty()) SHEARPIN_RETURN_IF_ERROR(compaction_retry_.error());
      progress_.Wait();
    } else {
      RemoveObsoleteTables(&lock);
      return DamageWithin(begin, end);
    }
  }
}

}  // namespace shearpin
