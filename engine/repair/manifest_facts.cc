#include "engine/repair/manifest_facts.h"

#include <algorithm>
#include <utility>

#include "engine/manifest/file_names.h"
#include "engine/manifest/manifest.h"
#include "engine/sst/table_salvage.h"
#include "engine/wal/log_reader.h"

namespace shearpin {
namespace {

struct ManifestBytes {
  uint64_t number = 0;
  std::string contents;
  bool whole_header = false;
  bool whole_snapshot = false;
};

std::optional<ManifestBytes> Load(FileSystem* fs, const std::string& directory, uint64_t number) {
  ManifestBytes manifest;
  manifest.number = number;
  auto file = fs->OpenRandomAccess(JoinPath(directory, ManifestName(number)));
  if (!file.ok()) return std::nullopt;
  // A piece that cannot be read is zeros, which its records' checksums do not cover.
  ReadWhatIsReadable(**file, &manifest.contents).IgnoreError();
  auto reader = LogReader::Open(LogKind::kManifest, manifest.contents);
  manifest.whole_header = reader.ok() && reader->header().number == number;
  LogRecord record;
  manifest.whole_snapshot = manifest.whole_header && reader->Next(&record);
  return manifest;
}

// M5: the highest-numbered one whose snapshot is whole is as new as CURRENT's; failing that, the
// highest-numbered one that says anything.
std::optional<ManifestBytes> Newest(FileSystem* fs, const std::string& directory,
                                    const std::vector<std::string>& names) {
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    uint64_t number;
    if (ParseFileName(name, &number) == FileKind::kManifest) numbers.push_back(number);
  }
  std::sort(numbers.rbegin(), numbers.rend());
  std::optional<ManifestBytes> fallback;
  for (const uint64_t number : numbers) {
    auto manifest = Load(fs, directory, number);
    if (!manifest) continue;
    if (manifest->whole_snapshot) return manifest;
    if (!fallback) fallback = std::move(manifest);
  }
  return fallback;
}

void ApplyTo(ManifestFacts* facts, const VersionEdit& edit) {
  for (const auto& [level, number] : edit.removed) {
    facts->named.erase(number);
    facts->removed.insert(number);
  }
  // Of a table that moved between levels, the same edit says both.
  for (const auto& [level, file] : edit.added) {
    facts->named[file.number] = file;
    facts->removed.erase(file.number);
  }
  facts->log_floor = std::max(facts->log_floor, edit.log_floor.value_or(0));
  facts->flushed_sequence = std::max(facts->flushed_sequence, edit.flushed_sequence.value_or(0));
  for (const SealedLog& log : edit.sealed_logs) facts->sealed_logs[log.number] = log.length;
}

// Takes every edit that can be read, also behind damage: what an edit there removed is gone for
// certain, since it was written only after what replaced it was durable (I4).
void ReadEdits(const ManifestBytes& manifest, ManifestFacts* facts,
               std::vector<RepairFinding>* findings) {
  auto reader = LogReader::Open(LogKind::kManifest, manifest.contents);
  LogReader salvage = reader.ok() ? *reader : LogReader::WithSaltOf(manifest.contents);
  if (reader.ok()) facts->database_id = reader->header().database_id;
  RepairFinding finding{.file = ManifestName(manifest.number)};
  if (!manifest.whole_header) {
    finding.offset = 0;
    finding.size = kLogHeaderSize;
    finding.reason =
        reader.ok() ? "the header is another file's" : std::string(reader.status().message());
    findings->push_back(finding);
  }
  for (LogRecord record;;) {
    const uint64_t at = salvage.end();
    if (!salvage.Next(&record)) {
      if (salvage.CleanEnd()) return;
      finding.offset = at;
      finding.reason = "no edit that is whole begins here: damage, or one never acknowledged";
      const bool more = salvage.Resume(&record);
      finding.size = (more ? record.offset : manifest.contents.size()) - at;
      findings->push_back(finding);
      if (!more) return;
    }
    VersionEdit edit;
    const Status decoded = edit.Decode(record.payload);
    if (decoded.ok()) {
      ApplyTo(facts, edit);
    } else {
      finding.offset = record.offset;
      finding.size = record.end - record.offset;
      finding.reason = decoded.message();
      findings->push_back(finding);
    }
  }
}

// What is on disk against what is named.
bool AllIsThere(const ManifestFacts& facts, const std::set<uint64_t>& tables,
                const std::set<uint64_t>& logs) {
  for (const auto& [number, meta] : facts.named) {
    if (tables.count(number) == 0) return false;
  }
  for (const auto& [number, length] : facts.sealed_logs) {
    if (number >= facts.log_floor && logs.count(number) == 0) return false;
  }
  return facts.log_floor == 0 || logs.count(facts.log_floor) != 0;
}

bool NobodyIsUnnamed(const ManifestFacts& facts, const std::set<uint64_t>& tables) {
  return std::all_of(tables.begin(), tables.end(), [&](uint64_t number) {
    return facts.named.count(number) != 0 || facts.removed.count(number) != 0;
  });
}

}  // namespace

ManifestFacts ReadManifestFacts(FileSystem* fs, const std::string& directory,
                                const std::vector<std::string>& names,
                                std::vector<RepairFinding>* findings) {
  ManifestFacts facts;
  const auto recovered = Manifest::Recover(fs, directory);
  std::optional<ManifestBytes> manifest;
  if (recovered.ok()) manifest = Load(fs, directory, recovered->state.manifest_number);
  if (!manifest) manifest = Newest(fs, directory, names);
  if (!manifest) {
    findings->push_back({.file = "MANIFEST",
                         .lost = RepairFinding::Lost::kUnknown,
                         .reason = "there is none: which tables and logs there were, and which of "
                                   "those that are there are still valid, is not known"});
    return facts;
  }
  ReadEdits(*manifest, &facts, findings);
  std::set<uint64_t> tables, logs;
  for (const std::string& name : names) {
    uint64_t number;
    const FileKind kind = ParseFileName(name, &number);
    if (kind == FileKind::kTable) tables.insert(number);
    if (kind == FileKind::kWal) logs.insert(number);
  }
  if (recovered.ok()) {
    if (recovered->fallback) {
      findings->push_back({.file = CurrentName(), .reason = "missing; the newest MANIFEST counts"});
    }
    // Edits that are missing would have named, or made unneeded, what now does not fit.
    const bool fits = AllIsThere(facts, tables, logs) && !recovered->torn_tail;
    facts.complete = fits || NobodyIsUnnamed(facts, tables);
  } else {
    findings->push_back({.file = ManifestName(manifest->number),
                         .reason = std::string(recovered.status().message())});
  }
  if (!facts.complete) {
    findings->push_back(
        {.file = ManifestName(manifest->number),
         .lost = RepairFinding::Lost::kUnknown,
         .reason = "edits are missing: all tables were read that no edit is known to have removed; "
                   "a deleted key may be back where its delete was merged away"});
  }
  return facts;
}

}  // namespace shearpin
