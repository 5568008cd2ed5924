#include "sim/subject/shearpin_subject.h"

#include <atomic>

#include "engine/base/check.h"
#include "engine/compaction_filter.h"
#include "engine/db.h"
#include "engine/table_file_writer.h"

namespace shearpin::sim {
namespace {

class ShearpinBatch : public SubjectBatch {
 public:
  void Put(std::string_view key, std::string_view value) override { batch_.Put(key, value); }
  void Delete(std::string_view key) override { batch_.Delete(key); }
  void DeleteRange(std::string_view begin, std::string_view end) override {
    batch_.DeleteRange(begin, end);
  }
  uint64_t first_sequence() const override { return batch_.first_sequence(); }
  WriteBatch* batch() { return &batch_; }

 private:
  WriteBatch batch_;
};

// The file is written as the changes come; the first error is kept for Ingest.
class ShearpinTable : public SubjectBatch {
 public:
  ShearpinTable(const Options& options, const std::string& path) : path_(path) {
    auto writer = TableFileWriter::Create(options, path);
    if (writer.ok()) {
      writer_ = *std::move(writer);
    } else {
      status_ = writer.status();
    }
  }

  void Put(std::string_view key, std::string_view value) override {
    if (status_.ok()) status_ = writer_->Put(key, value);
  }
  void Delete(std::string_view key) override {
    if (status_.ok()) status_ = writer_->Delete(key);
  }
  void DeleteRange(std::string_view, std::string_view) override {
    SHEARPIN_CHECK(false, "a table that is built outside takes no ranges");
  }
  uint64_t first_sequence() const override { return numbered_.load(); }

  Status IngestInto(DB* db) {
    SHEARPIN_RETURN_IF_ERROR(status_);
    SHEARPIN_RETURN_IF_ERROR(writer_->Finish());
    return db->IngestTable(path_, &numbered_).status();
  }

 private:
  const std::string path_;
  std::unique_ptr<TableFileWriter> writer_;
  Status status_;
  std::atomic<uint64_t> numbered_ = 0;
};

class ShearpinTransaction : public SubjectTransaction {
 public:
  explicit ShearpinTransaction(std::unique_ptr<Transaction> transaction)
      : transaction_(std::move(transaction)) {}

  void Put(std::string_view key, std::string_view value) override {
    Expect(transaction_->Put(key, value));
  }
  void Delete(std::string_view key) override { Expect(transaction_->Delete(key)); }
  void DeleteRange(std::string_view begin, std::string_view end) override {
    Expect(transaction_->DeleteRange(begin, end));
  }
  uint64_t first_sequence() const override { return transaction_->first_sequence(); }
  Status Get(std::string_view key, std::string* value) override {
    return transaction_->Get(key, value);
  }
  std::unique_ptr<Iterator> NewIterator(const Bound& lower, const Bound& upper) override {
    return transaction_->NewIterator(lower, upper);
  }
  Status Commit(shearpin::Durability durability) override {
    return transaction_->Commit({.durability = durability});
  }
  Status Rollback() override { return transaction_->Rollback(); }
  uint64_t sequence() const override { return transaction_->sequence(); }

 private:
  // What only goes to memory fails only once the transaction has ended.
  static void Expect(const Status& status) {
    SHEARPIN_CHECK(status.ok(), "a write of a transaction that has ended");
  }

  const std::unique_ptr<Transaction> transaction_;
};

// Drops what may have expired, told by the value.
class LengthCompactionFilter : public CompactionFilter {
 public:
  bool Drop(std::string_view, std::string_view value) const override {
    return value.size() % 5 == 3;
  }
};

// By the knob compaction_filter; null for 0.
std::unique_ptr<const CompactionFilter> MakeFilter(uint64_t number) {
  if (number == 1) return std::make_unique<PrefixCompactionFilter>("prefix/a");
  if (number == 2) return std::make_unique<PrefixCompactionFilter>("k00");
  if (number == 3) return std::make_unique<LengthCompactionFilter>();
  return nullptr;
}

class ShearpinSubject : public Subject {
 public:
  ShearpinSubject(const Options& options, std::unique_ptr<const CompactionFilter> filter,
                  std::unique_ptr<DB> db)
      : options_(options), filter_(std::move(filter)), db_(std::move(db)) {}

  std::unique_ptr<SubjectBatch> NewBatch() override { return std::make_unique<ShearpinBatch>(); }

  Status Write(SubjectBatch* batch, shearpin::Durability durability) override {
    return db_->Write(static_cast<ShearpinBatch*>(batch)->batch(), {.durability = durability});
  }

  Status Get(std::string_view key, const Snapshot* snapshot, std::string* value) override {
    ReadOptions options;
    options.snapshot = snapshot;
    return db_->Get(key, value, options);
  }

  std::unique_ptr<Iterator> NewIterator(const Bound& lower, const Bound& upper,
                                        const Snapshot* snapshot) override {
    ReadOptions options;
    options.snapshot = snapshot;
    options.lower = lower;
    options.upper = upper;
    return db_->NewIterator(options);
  }

  std::unique_ptr<Snapshot> GetSnapshot() override { return db_->GetSnapshot(); }
  std::unique_ptr<SubjectTransaction> BeginTransaction(bool serializable) override {
    return std::make_unique<ShearpinTransaction>(db_->BeginTransaction(
        {.isolation = serializable ? Isolation::kSerializable : Isolation::kSnapshot}));
  }
  std::unique_ptr<SubjectBatch> NewTable(const std::string& path) override {
    return std::make_unique<ShearpinTable>(options_, path);
  }
  Status Ingest(SubjectBatch* table) override {
    return static_cast<ShearpinTable*>(table)->IngestInto(db_.get());
  }
  Status Sync() override { return db_->Sync(); }
  Status Flush() override { return db_->Flush(); }
  Status CompactRange(const std::string_view* begin, const std::string_view* end) override {
    return db_->CompactRange(begin, end);
  }
  Status Resume() override { return db_->Resume(); }
  StatusOr<uint64_t> Checkpoint(const std::string& directory) override {
    return db_->Checkpoint(directory);
  }
  Status VerifyChecksums() override { return db_->VerifyChecksums(); }
  StatusOr<std::string> Property(std::string_view name) override { return db_->Property(name); }
  Status Close() override { return db_->Close(); }
  Status WaitForBackground() override { return db_->WaitForBackground(); }

 private:
  const Options options_;
  const std::unique_ptr<const CompactionFilter> filter_;  // outlives db_
  std::unique_ptr<DB> db_;
};

// False if `name` is not an option of compaction.
bool SetCompactionOption(std::string_view name, uint64_t value, Options* options) {
  const int number = static_cast<int>(value);
  if (name == "compaction_style") {
    options->compaction_style = static_cast<CompactionStyle>(value);
  } else if (name == "max_compactions") {
    options->max_compactions = number;
  } else if (name == "level0_compaction_trigger") {
    options->level0_compaction_trigger = number;
  } else if (name == "level0_slowdown_trigger") {
    options->level0_slowdown_trigger = number;
  } else if (name == "level0_stop_trigger") {
    options->level0_stop_trigger = number;
  } else if (name == "soft_pending_compaction_bytes") {
    options->soft_pending_compaction_bytes = value;
  } else if (name == "hard_pending_compaction_bytes") {
    options->hard_pending_compaction_bytes = value;
  } else if (name == "delayed_write_rate") {
    options->delayed_write_rate = value;
  } else if (name == "target_table_size") {
    options->target_table_size = value;
  } else if (name == "base_level_size") {
    options->base_level_size = value;
  } else if (name == "level_size_multiplier") {
    options->level_size_multiplier = number;
  } else if (name == "tiered_size_ratio_percent") {
    options->tiered_size_ratio_percent = number;
  } else if (name == "tiered_min_merge_width") {
    options->tiered_min_merge_width = number;
  } else if (name == "tiered_max_space_amplification_percent") {
    options->tiered_max_space_amplification_percent = number;
  } else if (name == "simple_size_ratio_percent") {
    options->simple_size_ratio_percent = number;
  } else if (name == "simple_levels") {
    options->simple_levels = number;
  } else {
    return false;
  }
  return true;
}

void SetOption(std::string_view name, uint64_t value, Options* options) {
  if (name == "write_buffer_size") {
    options->write_buffer_size = value;
  } else if (name == "max_write_buffers") {
    options->max_write_buffers = static_cast<int>(value);
  } else if (name == "wal_preallocate_size") {
    options->wal_preallocate_size = value;
  } else if (name == "block_size") {
    options->block_size = value;
  } else if (name == "block_restart_interval") {
    options->block_restart_interval = static_cast<int>(value);
  } else if (name == "manifest_rotate_size") {
    options->manifest_rotate_size = value;
  } else if (name == "transaction_history_bytes") {
    options->transaction_history_bytes = value;
  } else if (name == "background_write_rate") {
    options->background_write_rate = value;
  } else if (name == "flush_on_close") {
    options->flush_on_close = value != 0;
  } else if (name == "compression") {
    constexpr Compression kNone = Compression::kNone, kLz4 = Compression::kLz4,
                          kZstd = Compression::kZstd;
    const std::vector<Compression> choices[] = {{kNone}, {kLz4}, {kZstd}, {kZstd, kNone, kLz4}};
    options->compression = choices[value];
  } else if (name == "bottommost_compression") {
    options->bottommost_compression = static_cast<Compression>(value);
  } else if (name == "filter_bits_per_key") {
    options->filter_bits_per_key = static_cast<int>(value);
  } else if (name == "block_cache_size") {
    options->block_cache_size = value;
  } else if (name == "memory_budget") {
    options->memory_budget = value;
  } else if (name == "max_open_files") {
    options->max_open_files = static_cast<int>(value);
  } else if (name == "verify_on_open") {
    options->verify_on_open = value != 0;
  } else if (name == "max_file_opening_threads") {
    options->max_file_opening_threads = static_cast<int>(value);
  } else if (name == "info_log") {
    options->info_log = value != 0;
  } else if (name == "info_log_rotate_size") {
    options->info_log_rotate_size = value;
  } else if (name == "enable_latency_histograms") {
    options->enable_latency_histograms = value != 0;
  } else if (!SetCompactionOption(name, value, options)) {
    SHEARPIN_CHECK(false, "a knob of sim/knobs.h that ShearpinSubject does not know");
  }
}

}  // namespace

StatusOr<std::unique_ptr<Subject>> ShearpinFactory::Open(const SubjectConfig& config) {
  Options options;
  options.env = config.env;
  options.listener = config.listener;
  std::unique_ptr<const CompactionFilter> filter;
  for (const auto& [name, value] : config.options) {
    if (name == "compaction_filter") {
      filter = MakeFilter(value);
    } else {
      SetOption(name, value, &options);
    }
  }
  options.compaction_filter = filter.get();
  auto open = config.read_only ? DB::OpenReadOnly : DB::Open;
  SHEARPIN_ASSIGN_OR_RETURN(std::unique_ptr<DB> db, open(options, config.directory));
  return std::unique_ptr<Subject>(new ShearpinSubject(options, std::move(filter), std::move(db)));
}

// The property "live-files" is one name a line: what the database needs. Besides these only the
// fixed names may be there.
Status ShearpinFactory::CheckNoOrphans(Subject* subject, FileSystem* fs,
                                       const std::string& directory) {
  // At rest: merges write and remove files too.
  SHEARPIN_RETURN_IF_ERROR(subject->WaitForBackground());
  StatusOr<std::string> live = subject->Property("live-files");
  if (!live.ok()) return live.status();
  const std::string needed = "\nCURRENT\nLOCK\nLOG\nLOG.old\n" + *live + "\n";
  StatusOr<std::vector<std::string>> names = fs->ListDir(directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (needed.find("\n" + name + "\n") == std::string::npos) {
      return Status::Corruption(directory + "/" + name + ": nothing needs this file");
    }
  }
  return {};
}

}  // namespace shearpin::sim
