// One merge of everything that is left. Not table by table into the same tree: where the MANIFEST
// is lost nobody knows the levels, and sequence numbers alone say which version is newer.
#include "engine/repair.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/base/hash.h"
#include "engine/base/merging_iterator.h"
#include "engine/compaction/compaction_iterator.h"
#include "engine/compaction/output_cutter.h"
#include "engine/compaction/range_tombstone_cutter.h"
#include "engine/db/table_writer.h"
#include "engine/manifest/file_names.h"
#include "engine/manifest/manifest.h"
#include "engine/repair/log_facts.h"
#include "engine/repair/manifest_facts.h"
#include "engine/sst/table_salvage.h"
#include "engine/wal/log_writer.h"

namespace shearpin {
namespace {

class Repairer {
 public:
  Repairer(const Options& options, const std::string& damaged, const std::string& repaired)
      : options_(options),
        fs_(options.env.file_system),
        damaged_(damaged),
        repaired_(repaired),
        database_id_(options.env.entropy->Next()) {}

  StatusOr<RepairReport> Run();

 private:
  Status CheckDirectories();
  void ReadTables();
  void ReadTable(uint64_t number, const FileMeta* meta);
  void AddTableFinding(const std::string& name, const FileMeta* meta, const TableDamage& damage);
  Status WriteDatabase();
  Status WriteTables(VersionEdit* edit);
  StatusOr<FileMeta> WriteOne(uint64_t number, CompactionIterator* entries,
                              RangeTombstoneCutter* no_ranges);
  Status WriteManifest(VersionEdit edit);
  void RemoveWhatWasMade();

  const Options options_;
  FileSystem* const fs_;
  const std::string damaged_;
  const std::string repaired_;
  const uint64_t database_id_;
  std::vector<std::string> names_;
  ManifestFacts manifest_;
  std::vector<std::unique_ptr<SalvagedTable>> tables_;
  MemTable logged_;
  std::vector<std::string> made_;
  uint64_t next_number_ = 1;
  RepairReport report_;
};

StatusOr<RepairReport> Repairer::Run() {
  SHEARPIN_RETURN_IF_ERROR(ValidateOptions(options_));
  SHEARPIN_RETURN_IF_ERROR(CheckDirectories());
  // Only one that is there: a database that is open has one, and nothing is created here.
  std::unique_ptr<FileLock> lock;
  const std::string lock_path = JoinPath(damaged_, LockName());
  if (fs_->Exists(lock_path).ok()) {
    SHEARPIN_ASSIGN_OR_RETURN(lock, fs_->LockFile(lock_path));
  }
  manifest_ = ReadManifestFacts(fs_, damaged_, names_, &report_.findings);
  report_.by_manifest = manifest_.complete;
  report_.last_sequence = manifest_.flushed_sequence;
  ReadTables();
  const LogFacts logs = ReadLogFacts(fs_, damaged_, names_, manifest_, &logged_, &report_.findings);
  report_.logs_read = logs.logs;
  report_.records_read = logs.records;
  report_.last_sequence = std::max(report_.last_sequence, logs.last_sequence);
  const Status written = WriteDatabase();
  if (!written.ok()) {
    RemoveWhatWasMade();
    return written;
  }
  std::stable_sort(report_.findings.begin(), report_.findings.end(),
                   [](const RepairFinding& a, const RepairFinding& b) {
                     if (a.file != b.file) return a.file < b.file;
                     return a.offset < b.offset;
                   });
  return std::move(report_);
}

Status Repairer::CheckDirectories() {
  auto names = fs_->ListDir(damaged_);
  if (names.status().IsNotFound()) {
    return Status::InvalidArgument(damaged_ + ": no such directory");
  }
  if (!names.ok()) return names.status();
  names_ = *std::move(names);
  const bool ours = std::any_of(names_.begin(), names_.end(), [](const std::string& name) {
    uint64_t number;
    const FileKind kind = ParseFileName(name, &number);
    return kind == FileKind::kManifest || kind == FileKind::kWal || kind == FileKind::kTable;
  });
  if (!ours) {
    return Status::InvalidArgument(damaged_ +
                                   ": not a database: no MANIFEST, no log and no table is there");
  }
  const Status exists = fs_->Exists(repaired_);
  if (exists.ok()) {
    return Status::AlreadyExists(repaired_ + ": exists; a repair writes a new directory only");
  }
  return exists.IsNotFound() ? Status::Ok() : exists;
}

void Repairer::ReadTables() {
  for (const auto& [number, meta] : manifest_.named) {
    report_.last_sequence = std::max(report_.last_sequence, meta.largest_sequence);
    ReadTable(number, &meta);
  }
  if (manifest_.complete) return;
  for (const std::string& name : names_) {
    uint64_t number;
    if (ParseFileName(name, &number) != FileKind::kTable) continue;
    if (manifest_.named.count(number) == 0 && manifest_.removed.count(number) == 0) {
      ReadTable(number, nullptr);
    }
  }
}

void Repairer::ReadTable(uint64_t number, const FileMeta* meta) {
  const std::string name = TableName(number);
  TableHints hints;
  if (meta != nullptr) {
    hints.file_id = meta->file_id;
    hints.range_deletes = meta->range_deletes;
  }
  if (manifest_.database_id) hints.likely_file_id = Mix64(*manifest_.database_id ^ Mix64(number));
  auto table = SalvagedTable::Read(fs_, JoinPath(damaged_, name), hints);
  if (!table.ok()) {
    TableDamage all;
    all.lost = TableDamage::Lost::kEntries;
    all.reason = table.status().message();
    AddTableFinding(name, meta, all);
    report_.findings.back().offset.reset();
    return;
  }
  for (const TableDamage& damage : (*table)->damages()) AddTableFinding(name, meta, damage);
  ++report_.tables_read;
  report_.blocks_read += (*table)->blocks();
  report_.last_sequence = std::max(report_.last_sequence, (*table)->largest_sequence());
  tables_.push_back(*std::move(table));
}

void Repairer::AddTableFinding(const std::string& name, const FileMeta* meta,
                               const TableDamage& damage) {
  RepairFinding finding{.file = name, .offset = damage.offset, .size = damage.size};
  finding.reason = damage.reason;
  if (damage.lost != TableDamage::Lost::kNothing) {
    finding.first_key = damage.first;
    finding.last_key = damage.last;
    if (meta != nullptr) {
      if (!finding.first_key) finding.first_key = UserKey(meta->smallest);
      if (!finding.last_key) finding.last_key = UserKey(meta->largest);
    }
    const bool bounded = finding.first_key || finding.last_key;
    finding.lost = bounded ? RepairFinding::Lost::kKeys : RepairFinding::Lost::kUnknown;
  }
  if (damage.lost == TableDamage::Lost::kRangeDeletes) {
    finding.reason += "; what they deleted in the range may be back";
  }
  report_.findings.push_back(std::move(finding));
}

// As a checkpoint is made: CURRENT comes last, when everything that it leads to is durable.
Status Repairer::WriteDatabase() {
  SHEARPIN_RETURN_IF_ERROR(fs_->CreateDir(repaired_));
  SHEARPIN_RETURN_IF_ERROR(fs_->SyncDir(ParentDirectory(repaired_)));
  VersionEdit edit;
  SHEARPIN_RETURN_IF_ERROR(WriteTables(&edit));
  return WriteManifest(std::move(edit));
}

Status Repairer::WriteTables(VersionEdit* edit) {
  std::vector<std::unique_ptr<InternalIterator>> sources;
  std::vector<RangeTombstone> tombstones = logged_.AllRanges();
  // Tables first: should the same internal key stand in both, what was flushed counts.
  for (const auto& table : tables_) {
    sources.push_back(table->NewIterator());
    table->range_tombstones().AppendTo(&tombstones);
  }
  sources.push_back(logged_.NewIterator());
  const RangeTombstones ranges(std::move(tombstones));
  const auto merge = NewMergingIterator(std::move(sources));
  // Everything there is takes part, so nothing beneath needs a tombstone any more.
  CompactionIterator entries(merge.get(), {.snapshots = {},
                                           .covered_below = [](std::string_view) { return false; },
                                           .filter = nullptr,
                                           .range_deletes = &ranges});
  RangeTombstoneCutter no_ranges(RangeTombstones(), {},
                                 [](std::string_view, std::string_view) { return false; });
  for (entries.SeekToFirst(); entries.Valid();) {
    const uint64_t number = next_number_++;
    SHEARPIN_ASSIGN_OR_RETURN(FileMeta meta, WriteOne(number, &entries, &no_ranges));
    ++report_.tables_written;
    report_.keys_written += meta.entries;
    report_.bytes_written += meta.size;
    edit->added.emplace_back(kNumLevels - 1, std::move(meta));
  }
  return entries.status();
}

StatusOr<FileMeta> Repairer::WriteOne(uint64_t number, CompactionIterator* entries,
                                      RangeTombstoneCutter* no_ranges) {
  TableBuilderOptions table;
  table.block_size = options_.block_size;
  table.block_restart_interval = options_.block_restart_interval;
  if (!options_.compression.empty()) table.compression = options_.compression.back();
  table.compression = options_.bottommost_compression.value_or(table.compression);
  table.filter_bits_per_key = options_.filter_bits_per_key;
  CompactionPlan plan;
  plan.max_table_size = options_.target_table_size;
  const Version::Tables nothing_below;
  OutputCutter cutter(plan, &nothing_below);
  made_.push_back(TableName(number));
  return WriteTable(fs_, repaired_, database_id_, number, table, entries, no_ranges, &cutter);
}

Status Repairer::WriteManifest(VersionEdit edit) {
  const uint64_t log_number = next_number_++;
  const uint64_t manifest_number = next_number_++;
  const LogHeader header{
      .database_id = database_id_, .number = log_number, .salt = options_.env.entropy->Next()};
  for (const std::string& name :
       {WalName(log_number), ManifestName(manifest_number), CurrentTempName(), CurrentName()}) {
    made_.push_back(name);
  }
  SHEARPIN_ASSIGN_OR_RETURN(
      const auto log,
      LogWriter::Create(fs_, JoinPath(repaired_, WalName(log_number)), LogKind::kWal, header));
  SHEARPIN_RETURN_IF_ERROR(log->Sync());
  SHEARPIN_RETURN_IF_ERROR(log->Close());
  SHEARPIN_RETURN_IF_ERROR(fs_->SyncDir(repaired_));
  edit.next_file_number = next_number_;
  edit.flushed_sequence = report_.last_sequence;
  edit.log_floor = log_number;
  ManifestState state;
  state.database_id = database_id_;
  Manifest manifest(fs_, options_.env.entropy, repaired_, std::move(state));
  SHEARPIN_RETURN_IF_ERROR(manifest.Rotate(manifest_number, edit));
  return manifest.Close();
}

void Repairer::RemoveWhatWasMade() {
  // CURRENT stands last in the list: without it, what is left is not a database.
  for (auto it = made_.rbegin(); it != made_.rend(); ++it) {
    fs_->Unlink(JoinPath(repaired_, *it)).IgnoreError();
  }
  fs_->RemoveDir(repaired_).IgnoreError();
}

}  // namespace

bool RepairReport::complete() const {
  return std::all_of(findings.begin(), findings.end(), [](const RepairFinding& finding) {
    return finding.lost == RepairFinding::Lost::kNothing;
  });
}

StatusOr<RepairReport> Repair(const Options& options, const std::string& damaged,
                              const std::string& repaired) {
  return Repairer(options, damaged, repaired).Run();
}

}  // namespace shearpin
