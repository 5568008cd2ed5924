#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>

#include <chrono>
#include <thread>

#include "tests/bench/store.h"

namespace shearpin::bench {
namespace {

void RequireOk(const leveldb::Status& status) {
  if (!status.ok()) Require(false, "leveldb: " + status.ToString());
}

leveldb::Slice SliceOf(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

class LevelDbCursor final : public Cursor {
 public:
  explicit LevelDbCursor(leveldb::Iterator* it) : it_(it) {}
  bool SeekToFirst() override { return it_->SeekToFirst(), Stand(); }
  bool SeekToLast() override { return it_->SeekToLast(), Stand(); }
  bool Seek(std::string_view key) override { return it_->Seek(SliceOf(key)), Stand(); }
  bool Next() override { return it_->Next(), Stand(); }
  bool Prev() override { return it_->Prev(), Stand(); }

 private:
  bool Stand() {
    if (!it_->Valid()) {
      RequireOk(it_->status());
      return false;
    }
    const leveldb::Slice key = it_->key(), value = it_->value();
    key_ = {key.data(), key.size()};
    value_ = {value.data(), value.size()};
    return true;
  }
  const std::unique_ptr<leveldb::Iterator> it_;
};

class LevelDbStore final : public Store {
 public:
  LevelDbStore(const std::string& directory, const StoreOptions& options, Promise promise)
      : cache_(leveldb::NewLRUCache(options.cache_bytes)),
        filter_(leveldb::NewBloomFilterPolicy(options.filter_bits_per_key)) {
    leveldb::Options theirs;
    theirs.create_if_missing = true;
    theirs.write_buffer_size = options.memtable_bytes;
    theirs.max_file_size = options.table_bytes;
    theirs.block_size = options.block_bytes;
    theirs.block_cache = cache_.get();
    theirs.filter_policy = filter_.get();
    theirs.compression = leveldb::kNoCompression;
    leveldb::DB* db = nullptr;
    RequireOk(leveldb::DB::Open(theirs, directory + "/db", &db));
    db_.reset(db);
    write_.sync = promise == Promise::kPowerLoss;
    read_.verify_checksums = true;
  }
  void Put(std::string_view key, std::string_view value) override {
    RequireOk(db_->Put(write_, SliceOf(key), SliceOf(value)));
  }
  bool Get(std::string_view key, std::string* value) override {
    const leveldb::Status status = db_->Get(read_, SliceOf(key), value);
    if (status.IsNotFound()) return false;
    RequireOk(status);
    return true;
  }
  std::unique_ptr<Cursor> NewCursor() override {
    return std::make_unique<LevelDbCursor>(db_->NewIterator(read_));
  }
  void Compact() override { db_->CompactRange(nullptr, nullptr); }
  // It does not say whether a compaction runs: until its tables have stayed the same for a while.
  void Settle() override {
    std::string before, now;
    for (int same = 0; same < 4;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      Require(db_->GetProperty("leveldb.sstables", &now), "leveldb has no property sstables");
      same = now == before ? same + 1 : 0;
      before = now;
    }
  }

 private:
  const std::unique_ptr<leveldb::Cache> cache_;
  const std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
  leveldb::WriteOptions write_;
  leveldb::ReadOptions read_;
};

}  // namespace

std::unique_ptr<Store> OpenLevelDb(const std::string& directory, const StoreOptions& options,
                                   Promise promise) {
  return std::make_unique<LevelDbStore>(directory, options, promise);
}

}  // namespace shearpin::bench
