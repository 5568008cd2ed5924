#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <chrono>
#include <thread>

#include "tests/bench/store.h"

namespace shearpin::bench {
namespace {

void RequireOk(const rocksdb::Status& status) {
  if (!status.ok()) Require(false, "rocksdb: " + status.ToString());
}

class RocksDbCursor final : public Cursor {
 public:
  explicit RocksDbCursor(rocksdb::Iterator* it) : it_(it) {}
  bool SeekToFirst() override { return it_->SeekToFirst(), Stand(); }
  bool SeekToLast() override { return it_->SeekToLast(), Stand(); }
  bool Seek(std::string_view key) override { return it_->Seek(rocksdb::Slice(key)), Stand(); }
  bool Next() override { return it_->Next(), Stand(); }
  bool Prev() override { return it_->Prev(), Stand(); }

 private:
  bool Stand() {
    if (!it_->Valid()) {
      RequireOk(it_->status());
      return false;
    }
    key_ = it_->key().ToStringView();
    value_ = it_->value().ToStringView();
    return true;
  }
  const std::unique_ptr<rocksdb::Iterator> it_;
};

class RocksDbStore final : public Store {
 public:
  RocksDbStore(const std::string& directory, const StoreOptions& options, Promise promise) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(options.cache_bytes);
    table.block_size = options.block_bytes;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(options.filter_bits_per_key));
    table.checksum = rocksdb::kXXH3;
    rocksdb::Options theirs;
    theirs.create_if_missing = true;
    theirs.write_buffer_size = options.memtable_bytes;
    theirs.max_write_buffer_number = 2;
    theirs.target_file_size_base = options.table_bytes;
    theirs.max_bytes_for_level_base = options.base_level_bytes;
    theirs.compression = rocksdb::kNoCompression;
    theirs.max_background_jobs = 2;
    theirs.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* db = nullptr;
    RequireOk(rocksdb::DB::Open(theirs, directory + "/db", &db));
    db_.reset(db);
    write_.sync = promise == Promise::kPowerLoss;
  }
  void Put(std::string_view key, std::string_view value) override {
    RequireOk(db_->Put(write_, rocksdb::Slice(key), rocksdb::Slice(value)));
  }
  // A slice that pins the block saves it a copy before ours.
  bool Get(std::string_view key, std::string* value) override {
    const rocksdb::Status status =
        db_->Get(read_, db_->DefaultColumnFamily(), rocksdb::Slice(key), &pinned_);
    if (status.IsNotFound()) return false;
    RequireOk(status);
    value->assign(pinned_.data(), pinned_.size());
    pinned_.Reset();
    return true;
  }
  std::unique_ptr<Cursor> NewCursor() override {
    return std::make_unique<RocksDbCursor>(db_->NewIterator(read_));
  }
  void Compact() override {
    RequireOk(db_->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
  }
  void Settle() override {
    while (Property("rocksdb.num-running-flushes") + Property("rocksdb.mem-table-flush-pending") +
               Property("rocksdb.num-running-compactions") +
               Property("rocksdb.compaction-pending") !=
           0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

 private:
  uint64_t Property(const char* name) {
    uint64_t value = 0;
    Require(db_->GetIntProperty(name, &value), "rocksdb lacks a property");
    return value;
  }

  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::WriteOptions write_;
  rocksdb::ReadOptions read_;  // checksums are verified by default
  rocksdb::PinnableSlice pinned_;
};

}  // namespace

std::unique_ptr<Store> OpenRocksDb(const std::string& directory, const StoreOptions& options,
                                   Promise promise) {
  return std::make_unique<RocksDbStore>(directory, options, promise);
}

}  // namespace shearpin::bench
