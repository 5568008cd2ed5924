#include <lmdb.h>

#include "tests/bench/store.h"

namespace shearpin::bench {
namespace {

// Address space only: the file grows as it is used.
constexpr size_t kMapBytes = size_t{16} << 30;

void RequireOk(int error) {
  if (error != 0) Require(false, std::string("lmdb: ") + mdb_strerror(error));
}

MDB_val ValueOf(std::string_view bytes) {
  // The library does not write through it.
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
std::string_view ViewOf(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

class LmdbCursor final : public Cursor {
 public:
  LmdbCursor(MDB_env* env, MDB_dbi dbi) {
    RequireOk(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn_));
    RequireOk(mdb_cursor_open(txn_, dbi, &cursor_));
  }
  ~LmdbCursor() override {
    mdb_cursor_close(cursor_);
    mdb_txn_abort(txn_);
  }
  bool SeekToFirst() override { return Move(MDB_FIRST); }
  bool SeekToLast() override { return Move(MDB_LAST); }
  bool Seek(std::string_view key) override {
    place_ = ValueOf(key);
    return Move(MDB_SET_RANGE);
  }
  bool Next() override { return Move(MDB_NEXT); }
  bool Prev() override { return Move(MDB_PREV); }

 private:
  bool Move(MDB_cursor_op operation) {
    MDB_val value;
    const int error = mdb_cursor_get(cursor_, &place_, &value, operation);
    if (error == MDB_NOTFOUND) return false;
    RequireOk(error);
    key_ = ViewOf(place_);
    value_ = ViewOf(value);
    return true;
  }
  MDB_txn* txn_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
  MDB_val place_{};
};

class LmdbStore final : public Store {
 public:
  LmdbStore(const std::string& directory, Promise promise) {
    RequireOk(mdb_env_create(&env_));
    RequireOk(mdb_env_set_mapsize(env_, kMapBytes));
    // Without a sync a commit is in the kernel's page cache, by write or by the shared mapping:
    // either way it survives the process, which is what the others promise.
    const unsigned flags =
        MDB_NOTLS | (promise == Promise::kProcessDeath ? MDB_WRITEMAP | MDB_NOSYNC : 0u);
    RequireOk(mdb_env_open(env_, directory.c_str(), flags, 0644));
    MDB_txn* txn = nullptr;
    RequireOk(mdb_txn_begin(env_, nullptr, 0, &txn));
    RequireOk(mdb_dbi_open(txn, nullptr, 0, &dbi_));
    RequireOk(mdb_txn_commit(txn));
    RequireOk(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader_));
    mdb_txn_reset(reader_);
  }
  ~LmdbStore() override {
    mdb_txn_abort(reader_);
    mdb_env_close(env_);
  }
  void Put(std::string_view key, std::string_view value) override {
    MDB_txn* txn = nullptr;
    RequireOk(mdb_txn_begin(env_, nullptr, 0, &txn));
    MDB_val k = ValueOf(key), v = ValueOf(value);
    RequireOk(mdb_put(txn, dbi_, &k, &v, 0));
    RequireOk(mdb_txn_commit(txn));
  }
  // The reader's transaction is renewed for each Get, as each Get of the others sees the newest.
  bool Get(std::string_view key, std::string* value) override {
    RequireOk(mdb_txn_renew(reader_));
    MDB_val k = ValueOf(key), v;
    const int error = mdb_get(reader_, dbi_, &k, &v);
    if (error == 0) value->assign(ViewOf(v));
    mdb_txn_reset(reader_);
    if (error == MDB_NOTFOUND) return false;
    RequireOk(error);
    return true;
  }
  std::unique_ptr<Cursor> NewCursor() override { return std::make_unique<LmdbCursor>(env_, dbi_); }
  void Settle() override {}
  void Compact() override {}

 private:
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
  MDB_txn* reader_ = nullptr;
};

}  // namespace

std::unique_ptr<Store> OpenLmdb(const std::string& directory, const StoreOptions&,
                                Promise promise) {
  return std::make_unique<LmdbStore>(directory, promise);
}

}  // namespace shearpin::bench
