#include "engine/db/log_recovery.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/manifest/file_names.h"

namespace shearpin {
namespace {

struct ScannedLog {
  uint64_t number = 0;
  std::string path;
  std::string contents;
  LogHeader header;
  uint64_t valid_end = 0;  // of the last whole record
  uint64_t promised = 0;   // by this log's own records
  bool clean_end = true;   // only zeros follow
};

std::string Describe(const ScannedLog& log, uint64_t accepted, uint64_t promised) {
  return log.path + ": damaged or cut at offset " + std::to_string(accepted) + ", though " +
         std::to_string(promised) + " bytes were durable";
}

// No log where creation was cut short (R2).
StatusOr<std::optional<ScannedLog>> Scan(FileSystem* fs, const LogRecoveryInput& input,
                                         uint64_t number) {
  ScannedLog log;
  log.number = number;
  log.path = JoinPath(input.directory, WalName(number));
  SHEARPIN_RETURN_IF_ERROR(ReadFile(fs, log.path, &log.contents));
  auto reader = LogReader::Open(LogKind::kWal, log.contents);
  Status header = reader.status();
  if (reader.ok() &&
      (reader->header().number != number || reader->header().database_id != input.database_id)) {
    header = Status::Corruption("its header names log " + std::to_string(reader->header().number) +
                                " of database " + std::to_string(reader->header().database_id) +
                                ", not log " + std::to_string(number) + " of " +
                                std::to_string(input.database_id));
  }
  if (!header.ok()) {
    // Before its first sync a header may be short, zeros, or a whole one of another log, where
    // the file was given that log's old block.
    const bool needed = number == input.log_floor || input.sealed_logs.count(number) != 0;
    if (header.IsCorruption() && log.contents.size() <= kLogHeaderSize && !needed) {
      return std::optional<ScannedLog>();
    }
    return header.Prefixed(log.path);
  }
  log.header = reader->header();
  for (LogRecord record; reader->Next(&record);) log.promised = record.synced;
  log.valid_end = reader->end();
  log.clean_end = reader->CleanEnd();
  if (!log.clean_end) log.promised = std::max(log.promised, reader->PromiseBeyondEnd());
  return std::optional<ScannedLog>(std::move(log));
}

// R1: the chain, oldest first.
StatusOr<std::vector<ScannedLog>> BuildChain(FileSystem* fs, const LogRecoveryInput& input) {
  std::map<uint64_t, ScannedLog> scanned;
  for (const uint64_t number : input.log_numbers) {
    if (number < input.log_floor) continue;
    SHEARPIN_ASSIGN_OR_RETURN(std::optional<ScannedLog> log, Scan(fs, input, number));
    if (log) scanned.emplace(number, *std::move(log));
  }
  std::vector<ScannedLog> chain;
  uint64_t wanted = scanned.empty() ? input.log_floor : scanned.rbegin()->first;
  // A clean close left its logs here, be they without a successor that would miss them.
  if (!input.sealed_logs.empty()) wanted = std::max(wanted, input.sealed_logs.rbegin()->first);
  while (wanted >= input.log_floor && wanted != 0) {
    auto found = scanned.find(wanted);
    if (found == scanned.end()) {
      return Status::Corruption(
          JoinPath(input.directory, WalName(wanted)) + ": missing, though " +
          (chain.empty() ? std::string("the MANIFEST") : WalName(chain.back().number)) +
          " needs it");
    }
    const uint64_t predecessor = found->second.header.predecessor;
    if (predecessor >= wanted) {
      return Status::Corruption(found->second.path + ": its header names a later predecessor, " +
                                std::to_string(predecessor));
    }
    chain.push_back(std::move(found->second));
    wanted = wanted == input.log_floor ? 0 : predecessor;
  }
  if (input.log_floor != 0 && (chain.empty() || chain.back().number != input.log_floor)) {
    return Status::Corruption(
        JoinPath(input.directory, WalName(input.log_floor)) +
        ": not a predecessor of the later logs, though the MANIFEST needs it");
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

// R4: how much of chain[i] was promised durable.
uint64_t PromisedLength(const LogRecoveryInput& input, const std::vector<ScannedLog>& chain,
                        size_t i) {
  uint64_t promised = chain[i].promised;
  const auto seal = input.sealed_logs.find(chain[i].number);
  if (seal != input.sealed_logs.end()) promised = std::max(promised, seal->second);
  if (i + 1 == chain.size()) return promised;
  const LogHeader& successor = chain[i + 1].header;
  promised = std::max(promised, successor.predecessor_synced);
  for (size_t j = i + 1; j < chain.size(); ++j) {
    // Headers are always durable; only a record that states more was written after a sync write.
    if (chain[j].promised > kLogHeaderSize) return std::max(promised, successor.predecessor_length);
  }
  return promised;
}

void Notify(EventListener* listener, EventKind kind, uint64_t number, uint64_t amount = 0) {
  if (listener != nullptr) listener->OnEvent({kind, number, amount});
}

}  // namespace

StatusOr<LogEnd> RecoverLogs(
    FileSystem* fs, const LogRecoveryInput& input, EventListener* listener,
    const std::function<Status(const std::string& path, const LogRecord& record)>& replay) {
  SHEARPIN_ASSIGN_OR_RETURN(std::vector<ScannedLog> chain, BuildChain(fs, input));
  LogEnd end;
  for (size_t i = 0; i < chain.size(); ++i) {
    const ScannedLog& log = chain[i];
    const bool last = i + 1 == chain.size();
    const uint64_t limit = last ? UINT64_MAX : chain[i + 1].header.predecessor_length;  // R3
    const uint64_t accepted = std::min(log.valid_end, limit);
    const uint64_t promised = PromisedLength(input, chain, i);
    if (accepted < promised) return Status::Corruption(Describe(log, accepted, promised));

    SHEARPIN_ASSIGN_OR_RETURN(LogReader reader, LogReader::Open(LogKind::kWal, log.contents));
    for (LogRecord record; reader.end() < accepted && reader.Next(&record);) {
      SHEARPIN_RETURN_IF_ERROR(replay(log.path, record));
    }
    // A log without records may be one whose creation never became durable, seen in the page cache
    // of a process that died: a next log that named it as predecessor would miss it after a loss of
    // power. The floor is durable.
    if (i == 0 || accepted > kLogHeaderSize) end = {log.number, accepted};
    Notify(listener, EventKind::kRecoveredLog, log.number, accepted);
    if (last && !log.clean_end) Notify(listener, EventKind::kTornTail, log.number, accepted);
    if (!last && accepted < limit) {  // R5
      Notify(listener, EventKind::kTornTail, log.number, accepted);
      for (++i; i < chain.size(); ++i) Notify(listener, EventKind::kDroppedLog, chain[i].number);
    }
  }
  return end;
}

}  // namespace shearpin
