#include "engine/repair/log_facts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "engine/base/check.h"
#include "engine/manifest/file_names.h"
#include "engine/sst/table_salvage.h"
#include "engine/wal/log_reader.h"
#include "engine/write_batch.h"

namespace shearpin {
namespace {

struct LogBytes {
  std::string contents;
  std::optional<LogHeader> header;  // if it is whole and this log's
  Status header_status;
  Status read_error;
};

// What the next log says of this one.
struct Successor {
  uint64_t number = 0;
  uint64_t accepted = UINT64_MAX;
};

class Inserter : public WriteBatch::Handler {
 public:
  Inserter(MemTable* memtable, SequenceNumber first) : memtable_(memtable), sequence_(first) {}
  void Put(std::string_view key, std::string_view value) override {
    Insert(ValueType::kValue, key, value);
  }
  void Delete(std::string_view key) override { Insert(ValueType::kDelete, key, {}); }
  void DeleteRange(std::string_view begin, std::string_view end) override {
    memtable_->AddRange(sequence_++, begin, end);
  }

 private:
  void Insert(ValueType type, std::string_view key, std::string_view value) {
    const bool fresh = memtable_->Add(sequence_++, type, key, value);
    SHEARPIN_CHECK(fresh, "sequence numbers ascend");
  }

  MemTable* const memtable_;
  SequenceNumber sequence_;
};

class LogSalvage {
 public:
  LogSalvage(FileSystem* fs, const std::string& directory, const ManifestFacts& manifest,
             MemTable* memtable, std::vector<RepairFinding>* findings)
      : fs_(fs),
        directory_(directory),
        manifest_(manifest),
        memtable_(memtable),
        findings_(findings) {}

  LogFacts Run(const std::vector<std::string>& names);

 private:
  void Load(uint64_t number);
  void FindMissing();
  void ReadLog(uint64_t number, const LogBytes& log);
  // False where the log ends for us.
  bool Take(const std::string& name, const LogRecord& record, uint64_t accepted);
  void Lose(const std::string& name, uint64_t begin, uint64_t end, std::string_view reason);
  bool IsNeeded(uint64_t number) const;

  FileSystem* const fs_;
  const std::string& directory_;
  const ManifestFacts& manifest_;
  MemTable* const memtable_;
  std::vector<RepairFinding>* const findings_;
  std::map<uint64_t, LogBytes> logs_;
  std::map<uint64_t, Successor> successors_;  // by predecessor
  LogFacts facts_;
};

void LogSalvage::Lose(const std::string& name, uint64_t begin, uint64_t end,
                      std::string_view reason) {
  findings_->push_back({.file = name,
                        .offset = begin,
                        .size = end - begin,
                        .lost = RepairFinding::Lost::kUnknown,
                        .reason = std::string(reason)});
}

bool LogSalvage::IsNeeded(uint64_t number) const {
  return number == manifest_.log_floor || manifest_.sealed_logs.count(number) != 0 ||
         successors_.count(number) != 0;
}

void LogSalvage::Load(uint64_t number) {
  const std::string name = WalName(number);
  auto file = fs_->OpenRandomAccess(JoinPath(directory_, name));
  if (!file.ok()) {
    findings_->push_back({.file = name,
                          .lost = RepairFinding::Lost::kUnknown,
                          .reason = std::string(file.status().message())});
    return;
  }
  LogBytes log;
  log.read_error = ReadWhatIsReadable(**file, &log.contents);
  LogHeader header;
  log.header_status = DecodeLogHeader(LogKind::kWal, log.contents, &header);
  if (log.header_status.ok()) {
    if (manifest_.database_id && header.database_id != *manifest_.database_id) {
      findings_->push_back({.file = name, .reason = "a log of another database; not read"});
      return;
    }
    if (header.number == number) {
      log.header = header;
      if (header.predecessor != 0) {
        // Crashed recoveries leave logs behind that name the same one: the last has the say (R1).
        Successor& successor = successors_[header.predecessor];
        if (number > successor.number) successor = {number, header.predecessor_length};
      }
    } else {
      log.header_status =
          Status::Corruption("its header is that of log " + std::to_string(header.number));
    }
  }
  logs_.emplace(number, std::move(log));
}

void LogSalvage::FindMissing() {
  std::set<uint64_t> wanted;
  if (manifest_.log_floor != 0) wanted.insert(manifest_.log_floor);
  for (const auto& [number, length] : manifest_.sealed_logs) wanted.insert(number);
  for (const auto& [number, successor] : successors_) {
    // Without records it may never have become durable.
    if (successor.accepted > kLogHeaderSize) wanted.insert(number);
  }
  for (const uint64_t number : wanted) {
    if (number < manifest_.log_floor || logs_.count(number) != 0) continue;
    // Without a floor a log that is named may have been retired; nobody can tell.
    findings_->push_back({.file = WalName(number),
                          .lost = RepairFinding::Lost::kUnknown,
                          .reason = "missing, though the MANIFEST or a later log needs it"});
  }
}

void LogSalvage::ReadLog(uint64_t number, const LogBytes& log) {
  const std::string name = WalName(number);
  const auto found = successors_.find(number);
  const uint64_t accepted = found == successors_.end() ? UINT64_MAX : found->second.accepted;
  if (!log.header && log.contents.size() <= kLogHeaderSize && !IsNeeded(number)) {
    return;  // R2: a creation cut short
  }
  LogReader reader = LogReader::WithSaltOf(log.contents);
  if (!log.header) {
    findings_->push_back({.file = name,
                          .offset = 0,
                          .size = kLogHeaderSize,
                          .reason = std::string(log.header_status.message())});
  }
  if (log.contents.size() < kLogHeaderSize) {
    return Lose(name, 0, log.contents.size(), "cut within its header, though it was in use");
  }
  ++facts_.logs;
  LogRecord record;
  while (true) {
    const uint64_t at = reader.end();
    bool whole = reader.Next(&record);
    if (!whole) {
      if (at >= accepted || (reader.CleanEnd() && accepted == UINT64_MAX)) break;
      whole = reader.Resume(&record);
      const uint64_t end = whole ? record.offset : std::max<uint64_t>(log.contents.size(), at);
      Lose(name, at, end,
           !log.read_error.ok() ? log.read_error.message()
           : whole              ? "no whole record begins here, though later ones are whole"
           : accepted != UINT64_MAX
               ? "no whole record begins here, though the next log says that there were some"
               : "no whole record begins here: damage, or one that a crash cut off");
      if (!whole) break;
    }
    if (!Take(name, record, accepted)) break;
  }
  const auto seal = manifest_.sealed_logs.find(number);
  if (seal != manifest_.sealed_logs.end() && reader.end() < seal->second) {
    Lose(name, reader.end(), seal->second, "cut: a clean close had promised bytes up to here");
  }
}

bool LogSalvage::Take(const std::string& name, const LogRecord& record, uint64_t accepted) {
  if (record.end > accepted) return false;  // R3
  auto batch = WriteBatch::FromRepresentation(record.payload);
  if (!batch.ok()) {
    Lose(name, record.offset, record.end, batch.status().message());
    return true;
  }
  const SequenceNumber last = record.sequence + batch->count() - 1;
  // What the tables hold already may have been merged away there (as when a database is opened).
  if (manifest_.complete && last <= manifest_.flushed_sequence) return true;
  if (record.sequence <= facts_.last_sequence || last > kMaxSequence) {
    Lose(name, record.offset, record.end,
         "its sequence number " + std::to_string(record.sequence) + " does not follow " +
             std::to_string(facts_.last_sequence));
    return true;
  }
  Inserter inserter(memtable_, record.sequence);
  const Status inserted = batch->Iterate(&inserter);
  if (!inserted.ok()) Lose(name, record.offset, record.end, inserted.message());
  facts_.last_sequence = last;
  ++facts_.records;
  return true;
}

LogFacts LogSalvage::Run(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    uint64_t number;
    if (ParseFileName(name, &number) != FileKind::kWal) continue;
    if (number >= manifest_.log_floor) Load(number);
  }
  FindMissing();
  for (const auto& [number, log] : logs_) ReadLog(number, log);
  return facts_;
}

}  // namespace

LogFacts ReadLogFacts(FileSystem* fs, const std::string& directory,
                      const std::vector<std::string>& names, const ManifestFacts& manifest,
                      MemTable* memtable, std::vector<RepairFinding>* findings) {
  return LogSalvage(fs, directory, manifest, memtable, findings).Run(names);
}

}  // namespace shearpin
