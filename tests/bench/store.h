// Store: what the benchmark asks of an engine, so that every engine runs the same loop.
//
// Thread safety: Put by one thread and Get by another at once; all else by one thread alone.
// Ownership: a Cursor is destroyed before its Store.
// Errors: an engine that fails gives no figure, so whatever goes wrong ends the program (Require).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shearpin::bench {

// The same for every engine; README.md says by which of its own options each is told.
struct StoreOptions {
  size_t memtable_bytes = size_t{8} << 20;
  size_t cache_bytes = size_t{128} << 20;
  size_t block_bytes = 4096;
  int filter_bits_per_key = 10;
  uint64_t table_bytes = uint64_t{8} << 20;
  uint64_t base_level_bytes = uint64_t{32} << 20;
};

// What an acknowledged Put survives.
enum class Promise : uint8_t { kProcessDeath, kPowerLoss };

// The position is kept here, so that reading it is no virtual call in anybody's loop. A movement
// returns false at the end.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual bool SeekToFirst() = 0;
  virtual bool SeekToLast() = 0;
  virtual bool Seek(std::string_view key) = 0;
  virtual bool Next() = 0;
  virtual bool Prev() = 0;

  // After a movement that returned true.
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 protected:
  std::string_view key_;
  std::string_view value_;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  // False if there is no such key.
  virtual bool Get(std::string_view key, std::string* value) = 0;
  virtual std::unique_ptr<Cursor> NewCursor() = 0;
  // Waits until nothing runs in the background.
  virtual void Settle() = 0;
  // Makes one sorted run of everything.
  virtual void Compact() = 0;
};

// `directory` exists; the store keeps everything in it.
using OpenStore = std::unique_ptr<Store> (*)(const std::string& directory,
                                             const StoreOptions& options, Promise promise);

std::unique_ptr<Store> OpenShearpin(const std::string&, const StoreOptions&, Promise);
std::unique_ptr<Store> OpenLevelDb(const std::string&, const StoreOptions&, Promise);
std::unique_ptr<Store> OpenRocksDb(const std::string&, const StoreOptions&, Promise);
std::unique_ptr<Store> OpenLmdb(const std::string&, const StoreOptions&, Promise);

struct Engine {
  std::string name;
  OpenStore open;
};
// The first is ours, the others are its peers.
const std::vector<Engine>& AllEngines();

// Ends the program with a message unless `ok`.
void Require(bool ok, std::string_view what);

}  // namespace shearpin::bench
