#include "engine/tool/dump.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/internal_key.h"
#include "engine/env/env.h"
#include "engine/manifest/file_names.h"
#include "engine/manifest/manifest.h"
#include "engine/manifest/version_edit.h"
#include "engine/sst/format.h"
#include "engine/sst/table.h"
#include "engine/tool/quoted.h"
#include "engine/wal/log_reader.h"
#include "engine/write_batch.h"

namespace shearpin::tool {
namespace {

constexpr size_t kShownValueBytes = 60;

std::string InternalKeyText(std::string_view key) {
  return QuotedKey(UserKey(key)) + " @" + std::to_string(SequenceOf(key)) +
         (TypeOf(key) == ValueType::kDelete ? " delete" : " put");
}

class BatchPrinter : public WriteBatch::Handler {
 public:
  BatchPrinter(std::ostream& out, size_t shown, uint64_t sequence)
      : out_(out), shown_(shown), sequence_(sequence) {}
  void Put(std::string_view key, std::string_view value) override {
    out_ << "    @" << sequence_++ << " put " << QuotedKey(key) << " = " << Quoted(value, shown_)
         << '\n';
  }
  void Delete(std::string_view key) override {
    out_ << "    @" << sequence_++ << " delete " << QuotedKey(key) << '\n';
  }
  void DeleteRange(std::string_view begin, std::string_view end) override {
    out_ << "    @" << sequence_++ << " delete-range " << QuotedKey(begin) << " to before "
         << QuotedKey(end) << '\n';
  }

 private:
  std::ostream& out_;
  const size_t shown_;
  uint64_t sequence_;
};

void PrintFile(std::ostream& out, int level, const FileMeta& file) {
  out << "L" << level << " " << TableName(file.number) << ": " << file.size << " bytes, "
      << file.entries << " entries, ";
  if (file.range_deletes != 0) out << file.range_deletes << " range deletes, ";
  out << "sequences " << file.smallest_sequence << ".." << file.largest_sequence << ", keys "
      << QuotedKey(UserKey(file.smallest)) << " to "
      << (TypeOf(file.largest) == ValueType::kRangeDelete ? "before " : "")
      << QuotedKey(UserKey(file.largest)) << '\n';
}

void PrintEdit(std::ostream& out, const VersionEdit& edit) {
  if (edit.next_file_number) out << "    next file number " << *edit.next_file_number << '\n';
  if (edit.flushed_sequence) out << "    flushed sequence " << *edit.flushed_sequence << '\n';
  if (edit.log_floor) out << "    log floor " << *edit.log_floor << '\n';
  for (const SealedLog& log : edit.sealed_logs) {
    out << "    sealed " << WalName(log.number) << " at " << log.length << '\n';
  }
  for (const auto& [level, number] : edit.removed) {
    out << "    remove L" << level << " " << TableName(number) << '\n';
  }
  for (const auto& [level, file] : edit.added) {
    out << "    add ";
    PrintFile(out, level, file);
  }
}

Status PrintPayload(LogKind kind, const LogRecord& record, size_t shown, std::ostream& out) {
  if (kind == LogKind::kManifest) {
    VersionEdit edit;
    SHEARPIN_RETURN_IF_ERROR(edit.Decode(record.payload));
    PrintEdit(out, edit);
    return Status::Ok();
  }
  SHEARPIN_ASSIGN_OR_RETURN(const WriteBatch batch, WriteBatch::FromRepresentation(record.payload));
  BatchPrinter printer(out, shown, record.sequence);
  return batch.Iterate(&printer);
}

Status DumpLog(LogKind kind, const std::string& path, size_t shown, std::ostream& out) {
  std::string contents;
  SHEARPIN_RETURN_IF_ERROR(ReadFile(PosixFileSystem(), path, &contents));
  auto reader = LogReader::Open(kind, contents);
  if (!reader.ok()) return reader.status().Prefixed(path);
  const LogHeader& header = reader->header();
  out << path << ": " << (kind == LogKind::kWal ? "WAL" : "MANIFEST") << " " << header.number
      << " of database " << header.database_id << ", " << contents.size() << " bytes\n"
      << "predecessor " << header.predecessor << ", its length " << header.predecessor_length
      << ", synced " << header.predecessor_synced << '\n';
  for (LogRecord record; reader->Next(&record);) {
    out << "  record at " << record.offset << ": payload " << record.payload.size()
        << " bytes, sequence " << record.sequence << ", synced " << record.synced << '\n';
    const Status status = PrintPayload(kind, record, shown, out);
    if (!status.ok()) {
      return status.Prefixed(path + ": record at offset " + std::to_string(record.offset));
    }
  }
  out << "whole records end at " << reader->end();
  if (reader->CleanEnd()) {
    out << (reader->end() == contents.size() ? "\n" : ", zeros follow\n");
    return Status::Ok();
  }
  out << ", bytes that are no record follow\n";
  if (reader->PromiseBeyondEnd() <= reader->end()) return Status::Ok();
  return Status::Corruption(path + ": damaged at offset " + std::to_string(reader->end()) +
                            ", though a later record says that " +
                            std::to_string(reader->PromiseBeyondEnd()) + " bytes were durable");
}

StatusOr<Footer> ReadFooter(const std::string& path) {
  SHEARPIN_ASSIGN_OR_RETURN(const auto file, PosixFileSystem()->OpenRandomAccess(path));
  SHEARPIN_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size < Footer::kSize) return Status::Corruption(path + ": too short to be a table");
  char scratch[Footer::kSize];
  std::string_view bytes;
  SHEARPIN_RETURN_IF_ERROR(file->Read(size - Footer::kSize, Footer::kSize, scratch, &bytes));
  Footer footer;
  SHEARPIN_RETURN_IF_ERROR(footer.DecodeFrom(bytes, size).Prefixed(path));
  return footer;
}

Status DumpTable(const std::string& path, size_t shown, std::ostream& out) {
  SHEARPIN_ASSIGN_OR_RETURN(const Footer footer, ReadFooter(path));
  out << path << ": table with file id " << footer.file_id << ", " << footer.file_size << " bytes\n"
      << "index block at " << footer.index.offset << ", size " << footer.index.size
      << "; metaindex block at " << footer.metaindex.offset << ", size " << footer.metaindex.size
      << '\n';
  SHEARPIN_ASSIGN_OR_RETURN(
      const auto table, Table::Open(PosixFileSystem(), path,
                                    {.file_id = footer.file_id, .file_size = footer.file_size}));
  const TableProperties& p = table->properties();
  out << "properties: entries " << p.entries << ", deletions " << p.deletions << ", data blocks "
      << p.data_blocks << ", data bytes " << p.data_bytes << ", key bytes " << p.key_bytes
      << ", value bytes " << p.value_bytes << ", sequences " << p.smallest_sequence << ".."
      << p.largest_sequence << ", compression " << p.compression << ", written by "
      << p.writer_version << '\n';
  for (const RangeTombstones::Fragment& fragment : table->range_tombstones().fragments()) {
    for (const SequenceNumber sequence : fragment.sequences) {
      out << "  " << QuotedKey(fragment.begin) << " to before " << QuotedKey(fragment.end) << " @"
          << sequence << " delete-range\n";
    }
  }
  const auto it = table->NewIterator();
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    out << "  " << InternalKeyText(it->key());
    if (TypeOf(it->key()) == ValueType::kValue) out << " = " << Quoted(it->value(), shown);
    out << '\n';
  }
  SHEARPIN_RETURN_IF_ERROR(it->status());
  return table->VerifyAll(std::nullopt);
}

Status DumpDirectory(const std::string& directory, std::ostream& out) {
  FileSystem* const fs = PosixFileSystem();
  SHEARPIN_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->ListDir(directory));
  out << directory << ":\n";
  for (const std::string& name : names) {
    uint64_t number;
    const bool ours = ParseFileName(name, &number) != FileKind::kUnknown;
    const auto size = fs->FileSize(JoinPath(directory, name));
    out << "  " << name << ": "
        << (size.ok() ? std::to_string(*size) + " bytes" : size.status().ToString())
        << (ours ? "" : " (not a file of a database)") << '\n';
  }
  auto recovered = Manifest::Recover(fs, directory);
  if (recovered.status().IsNotFound()) {
    return Status::InvalidArgument(directory +
                                   ": not a database: no CURRENT file and no whole MANIFEST");
  }
  if (!recovered.ok()) return recovered.status();
  const ManifestState& state = recovered->state;
  out << "database " << state.database_id << " by " << ManifestName(state.manifest_number)
      << (recovered->fallback ? " (CURRENT is missing)" : "")
      << (recovered->torn_tail ? " (an edit at its end is torn)" : "") << '\n'
      << "  next file number " << state.next_file_number << ", flushed sequence "
      << state.flushed_sequence << ", log floor " << state.log_floor << '\n';
  for (const auto& [number, length] : state.sealed_logs) {
    out << "  sealed " << WalName(number) << " at " << length << '\n';
  }
  for (int level = 0; level < kNumLevels; ++level) {
    for (const auto& [number, file] : state.levels[level]) {
      out << "  ";
      PrintFile(out, level, file);
    }
  }
  return Status::Ok();
}

// By name, and where the name says nothing, by the magic at either end.
StatusOr<FileKind> KindOf(const std::string& path) {
  uint64_t number;
  const FileKind kind = ParseFileName(path.substr(path.rfind('/') + 1), &number);
  if (kind != FileKind::kUnknown) return kind;
  std::string contents;
  SHEARPIN_RETURN_IF_ERROR(ReadFile(PosixFileSystem(), path, &contents));
  LogHeader header;
  if (DecodeLogHeader(LogKind::kWal, contents, &header).ok()) return FileKind::kWal;
  if (DecodeLogHeader(LogKind::kManifest, contents, &header).ok()) return FileKind::kManifest;
  if (ReadFooter(path).ok()) return FileKind::kTable;
  return FileKind::kUnknown;
}

}  // namespace

Status Dump(const DumpRequest& request, std::ostream& out) {
  const std::string& path = request.path;
  const size_t shown = request.full ? SIZE_MAX : kShownValueBytes;
  const Status exists = PosixFileSystem()->Exists(path);
  if (exists.IsNotFound()) return Status::NotFound(path + ": no such file or directory");
  SHEARPIN_RETURN_IF_ERROR(exists);
  if (PosixFileSystem()->ListDir(path).ok()) return DumpDirectory(path, out);
  SHEARPIN_ASSIGN_OR_RETURN(const FileKind kind, KindOf(path));
  switch (kind) {
    case FileKind::kManifest:
      return DumpLog(LogKind::kManifest, path, shown, out);
    case FileKind::kWal:
      return DumpLog(LogKind::kWal, path, shown, out);
    case FileKind::kTable:
      return DumpTable(path, shown, out);
    case FileKind::kCurrent:
    case FileKind::kCurrentTemp: {
      std::string contents;
      SHEARPIN_RETURN_IF_ERROR(ReadFile(PosixFileSystem(), path, &contents));
      out << path << ": " << Quoted(contents, SIZE_MAX) << '\n';
      return Status::Ok();
    }
    case FileKind::kLock:
      out << path << ": a lock; it holds no data\n";
      return Status::Ok();
    case FileKind::kInfoLog:
    case FileKind::kUnknown:
      break;
  }
  return Status::InvalidArgument(path + ": neither a table, a WAL, a MANIFEST nor a CURRENT file");
}

}  // namespace shearpin::tool
