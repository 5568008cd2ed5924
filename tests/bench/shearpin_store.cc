#include "engine/db.h"
#include "tests/bench/store.h"

namespace shearpin::bench {
namespace {

void RequireOk(const Status& status) {
  if (!status.ok()) Require(false, "shearpin: " + status.ToString());
}

class ShearpinCursor final : public Cursor {
 public:
  explicit ShearpinCursor(std::unique_ptr<Iterator> it) : it_(std::move(it)) {}
  bool SeekToFirst() override { return it_->SeekToFirst(), Stand(); }
  bool SeekToLast() override { return it_->SeekToLast(), Stand(); }
  bool Seek(std::string_view key) override { return it_->Seek(key), Stand(); }
  bool Next() override { return it_->Next(), Stand(); }
  bool Prev() override { return it_->Prev(), Stand(); }

 private:
  bool Stand() {
    if (!it_->Valid()) {
      RequireOk(it_->status());
      return false;
    }
    key_ = it_->key();
    value_ = it_->value();
    return true;
  }
  const std::unique_ptr<Iterator> it_;
};

class ShearpinStore final : public Store {
 public:
  ShearpinStore(std::unique_ptr<DB> db, Promise promise) : db_(std::move(db)) {
    write_.durability = promise == Promise::kPowerLoss ? Durability::kSync : Durability::kProcess;
  }
  void Put(std::string_view key, std::string_view value) override {
    RequireOk(db_->Put(key, value, write_));
  }
  bool Get(std::string_view key, std::string* value) override {
    const Status status = db_->Get(key, value);
    if (status.IsNotFound()) return false;
    RequireOk(status);
    return true;
  }
  std::unique_ptr<Cursor> NewCursor() override {
    return std::make_unique<ShearpinCursor>(db_->NewIterator());
  }
  void Settle() override { RequireOk(db_->WaitForBackground()); }
  void Compact() override { RequireOk(db_->CompactRange(nullptr, nullptr)); }

 private:
  const std::unique_ptr<DB> db_;
  WriteOptions write_;
};

}  // namespace

std::unique_ptr<Store> OpenShearpin(const std::string& directory, const StoreOptions& options,
                                    Promise promise) {
  Options mine;
  mine.write_buffer_size = options.memtable_bytes;
  mine.max_write_buffers = 2;
  mine.block_cache_size = options.cache_bytes;
  mine.block_size = options.block_bytes;
  mine.filter_bits_per_key = options.filter_bits_per_key;
  mine.target_table_size = options.table_bytes;
  mine.base_level_size = options.base_level_bytes;
  mine.compression = {Compression::kNone};
  mine.max_compactions = 1;
  // The log of a memtable is a little larger than it, by the sectors that syncs fill.
  mine.wal_preallocate_size = options.memtable_bytes + options.memtable_bytes / 8;
  mine.wal_mapped = true;
  auto db = DB::Open(mine, directory + "/db");
  RequireOk(db.status());
  return std::make_unique<ShearpinStore>(*std::move(db), promise);
}

}  // namespace shearpin::bench
