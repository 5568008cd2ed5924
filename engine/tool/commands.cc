#include "engine/tool/commands.h"

#include <cstdio>
#include <memory>
#include <utility>

#include "engine/base/tsv_field.h"
#include "engine/db.h"
#include "engine/env/env.h"
#include "engine/tool/tsv.h"

namespace shearpin::tool {
namespace {

// Beside a process that has it open, too; nothing there is changed.
StatusOr<std::unique_ptr<DB>> OpenExisting(const std::string& directory) {
  if (PosixFileSystem()->Exists(directory).IsNotFound()) {
    return Status::InvalidArgument(directory +
                                   ": no such directory; give that of a database (load makes one)");
  }
  return DB::OpenReadOnly(Options(), directory);
}

// "63000 records, 85.3 MB in 1.2 s: 52500 records/s, 71.1 MB/s".
class LoadProgress {
 public:
  LoadProgress(std::ostream& out, bool live)
      : out_(out),
        live_(live),
        interval_micros_(live ? 200'000 : 5'000'000),
        started_(RealClock()->NowMicros()),
        next_report_(started_ + interval_micros_) {}

  void Add(uint64_t records, uint64_t bytes) {
    records_ += records;
    bytes_ += bytes;
    const uint64_t now = RealClock()->NowMicros();
    if (now < next_report_) return;
    next_report_ = now + interval_micros_;
    out_ << (live_ ? "\r\x1b[K" : "") << "loading: " << Describe(now) << (live_ ? "" : "\n")
         << std::flush;
  }

  void Finish() {
    out_ << (live_ ? "\r\x1b[K" : "") << "loaded " << Describe(RealClock()->NowMicros())
         << std::endl;
  }

  uint64_t records() const { return records_; }

 private:
  std::string Describe(uint64_t now) const {
    const double seconds = static_cast<double>(now - started_ + 1) / 1e6;
    const double megabytes = static_cast<double>(bytes_) / 1e6;
    char text[160];
    std::snprintf(text, sizeof text, "%llu records, %.1f MB in %.1f s: %.0f records/s, %.1f MB/s",
                  static_cast<unsigned long long>(records_), megabytes, seconds,
                  static_cast<double>(records_) / seconds, megabytes / seconds);
    return text;
  }

  std::ostream& out_;
  const bool live_;
  const uint64_t interval_micros_;
  const uint64_t started_;
  uint64_t next_report_;
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
};

class Loader {
 public:
  Loader(DB* db, const LoadRequest& request, std::ostream& out, LoadProgress* progress)
      : db_(db), request_(request), out_(out), progress_(progress), position_(request.skip) {}

  Status Run(TsvReader* reader) {
    std::string key, value;
    for (uint64_t passed = 0;;) {
      SHEARPIN_ASSIGN_OR_RETURN(const bool more, reader->Next(&key, &value));
      if (!more) break;
      if (passed < request_.skip) {
        ++passed;
        continue;
      }
      batch_.Put(key, value);
      bytes_ += key.size() + value.size();
      if (batch_.count() >= request_.batch) SHEARPIN_RETURN_IF_ERROR(WriteBatchOut());
    }
    return batch_.empty() ? Status::Ok() : WriteBatchOut();
  }

 private:
  Status WriteBatchOut() {
    SHEARPIN_RETURN_IF_ERROR(db_->Write(&batch_, {.durability = request_.durability}));
    position_ += batch_.count();
    // A rig that kills this process believes each line it has read, so none may wait in a buffer.
    if (request_.acknowledge) out_ << "acknowledged " << position_ << std::endl;
    progress_->Add(batch_.count(), bytes_);
    batch_.Clear();
    bytes_ = 0;
    if (request_.sync_every != 0 && ++unsynced_batches_ >= request_.sync_every) {
      SHEARPIN_RETURN_IF_ERROR(db_->Sync());
      unsynced_batches_ = 0;
      if (request_.acknowledge) out_ << "synced " << position_ << std::endl;
    }
    return Status::Ok();
  }

  DB* const db_;
  const LoadRequest& request_;
  std::ostream& out_;
  LoadProgress* const progress_;
  WriteBatch batch_;
  uint64_t bytes_ = 0;     // in batch_
  uint64_t position_ = 0;  // in the file, of what was acknowledged
  uint64_t unsynced_batches_ = 0;
};

}  // namespace

Status Load(const Options& options, const LoadRequest& request, std::ostream& out,
            std::ostream& progress, bool live) {
  // First the file: a wrong name must not leave a new database behind.
  SHEARPIN_ASSIGN_OR_RETURN(const auto reader, TsvReader::Open(request.file));
  Options open_options = options;
  // Without a log nothing but a flush keeps what was loaded.
  open_options.flush_on_close |= request.durability == Durability::kNone;
  SHEARPIN_ASSIGN_OR_RETURN(const auto db, DB::Open(open_options, request.directory));
  LoadProgress report(progress, live);
  Status status = Loader(db.get(), request, out, &report).Run(reader.get());
  status.Update(db->Close());
  report.Finish();
  return status;
}

Status Get(const std::string& directory, const std::string& key, std::ostream& out) {
  SHEARPIN_ASSIGN_OR_RETURN(const auto db, OpenExisting(directory));
  std::string value;
  const Status found = db->Get(key, &value);
  if (found.IsNotFound()) return Status::NotFound(directory + ": no key \"" + key + "\"");
  SHEARPIN_RETURN_IF_ERROR(found);
  out << value << '\n';
  return db->Close();
}

Status PrintProperty(const std::string& directory, const std::string& name, std::ostream& out) {
  SHEARPIN_ASSIGN_OR_RETURN(const auto db, OpenExisting(directory));
  SHEARPIN_ASSIGN_OR_RETURN(const std::string text, db->Property(name));
  out << text << (text.ends_with('\n') || text.empty() ? "" : "\n");
  return db->Close();
}

Status Scan(const ScanRequest& request, std::ostream& out) {
  SHEARPIN_ASSIGN_OR_RETURN(const auto db, OpenExisting(request.directory));
  auto bound = [](const std::optional<std::string>& key, bool exclude) {
    if (!key) return Bound::Unbounded();
    return exclude ? Bound::Exclusive(*key) : Bound::Inclusive(*key);
  };
  auto it =
      db->Scan(bound(request.from, request.exclude_from), bound(request.to, request.exclude_to));
  if (request.reverse) it->SeekToLast();
  for (uint64_t printed = 0; it->Valid() && (!request.limit || printed < *request.limit);
       ++printed) {
    out << EscapeField(it->key());
    if (!request.keys_only) out << '\t' << EscapeField(it->value());
    out << '\n';
    request.reverse ? it->Prev() : it->Next();
  }
  SHEARPIN_RETURN_IF_ERROR(it->status());
  it.reset();
  return db->Close();
}

}  // namespace shearpin::tool
