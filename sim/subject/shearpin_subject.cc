#include "sim/subject/shearpin_subject.h"

#include "engine/base/check.h"
#include "engine/db.h"

namespace shearpin::sim {
namespace {

class ShearpinBatch : public SubjectBatch {
 public:
  void Put(std::string_view key, std::string_view value) override { batch_.Put(key, value); }
  void Delete(std::string_view key) override { batch_.Delete(key); }
  uint64_t first_sequence() const override { return batch_.first_sequence(); }
  WriteBatch* batch() { return &batch_; }

 private:
  WriteBatch batch_;
};

class ShearpinSubject : public Subject {
 public:
  explicit ShearpinSubject(std::unique_ptr<DB> db) : db_(std::move(db)) {}

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
  Status Sync() override { return db_->Sync(); }
  Status Flush() override { return db_->Flush(); }
  Status VerifyChecksums() override { return db_->VerifyChecksums(); }
  StatusOr<std::string> Property(std::string_view name) override { return db_->Property(name); }
  Status Close() override { return db_->Close(); }
  Status WaitForBackground() { return db_->WaitForBackground(); }

 private:
  std::unique_ptr<DB> db_;
};

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
  } else if (name == "flush_on_close") {
    options->flush_on_close = value != 0;
  } else if (name == "compression") {
    constexpr Compression kNone = Compression::kNone, kLz4 = Compression::kLz4,
                          kZstd = Compression::kZstd;
    const std::vector<Compression> choices[] = {{kNone}, {kLz4}, {kZstd}, {kZstd, kNone, kLz4}};
    options->compression = choices[value];
  } else if (name == "filter_bits_per_key") {
    options->filter_bits_per_key = static_cast<int>(value);
  } else if (name == "block_cache_size") {
    options->block_cache_size = value;
  } else if (name == "memory_budget") {
    options->memory_budget = value;
  } else {
    SHEARPIN_CHECK(false, "a knob of sim/knobs.h that ShearpinSubject does not know");
  }
}

}  // namespace

StatusOr<std::unique_ptr<Subject>> ShearpinFactory::Open(const SubjectConfig& config) {
  Options options;
  options.env = config.env;
  options.listener = config.listener;
  for (const auto& [name, value] : config.options) SetOption(name, value, &options);
  SHEARPIN_ASSIGN_OR_RETURN(std::unique_ptr<DB> db, DB::Open(options, config.directory));
  return std::unique_ptr<Subject>(new ShearpinSubject(std::move(db)));
}

// The property "live-files" is one name a line: what the database needs. Besides these only the
// fixed names may be there.
Status ShearpinFactory::CheckNoOrphans(Subject* subject, FileSystem* fs,
                                       const std::string& directory) {
  // At rest: merges write and remove files too.
  SHEARPIN_RETURN_IF_ERROR(static_cast<ShearpinSubject*>(subject)->WaitForBackground());
  StatusOr<std::string> live = subject->Property("live-files");
  if (!live.ok()) return live.status();
  const std::string needed = "\nCURRENT\nLOCK\n" + *live + "\n";
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
