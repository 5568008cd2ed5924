// Salvage of a damaged table: from any bytes, entries that ascend and can be read again, or an
// error.
#include "engine/base/check.h"
#include "engine/base/internal_key.h"
#include "engine/sst/memory_file.h"
#include "engine/sst/table_builder.h"
#include "engine/sst/table_salvage.h"
#include "faultfs/mem_file_system.h"
#include "tests/fuzz/fuzz_input.h"

namespace shearpin::fuzz {
namespace {

constexpr uint64_t kFileId = 77;
constexpr char kPath[] = "/000001.sst";

std::string BuildTable(int entries, Compression compression) {
  MemoryWritableFile file;
  TableBuilderOptions options;
  options.file_id = kFileId;
  options.block_size = 128;
  options.compression = compression;
  options.filter_bits_per_key = 10;
  TableBuilder builder(options, &file);
  for (int i = 0; i < entries; ++i) {
    std::string key;
    AppendInternalKey(&key, "key" + std::to_string(1000 + i), 9, ValueType::kValue);
    SHEARPIN_CHECK(builder.Add(key, std::string(10, 'v')).ok());
  }
  SHEARPIN_CHECK(builder.SetRangeDeletes({{"a", "key1003", {12, 7}}}).ok());
  SHEARPIN_CHECK(builder.Finish().ok());
  return file.contents();
}

}  // namespace

std::vector<std::string> Seeds() {
  return {BuildTable(1, Compression::kNone), BuildTable(30, Compression::kNone),
          BuildTable(30, Compression::kZstd)};
}

}  // namespace shearpin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shearpin;
  using namespace shearpin::fuzz;
  faultfs::MemFileSystem fs;
  {
    auto file = fs.OpenWritable(kPath, OpenMode::kCreateNew);
    SHEARPIN_CHECK(file.ok());
    SHEARPIN_CHECK((*file)->Append({reinterpret_cast<const char*>(data), size}).ok());
    SHEARPIN_CHECK((*file)->Close().ok());
  }
  TableHints hints;
  hints.file_id = kFileId;
  const auto table = SalvagedTable::Read(&fs, kPath, hints);
  if (!table.ok()) {
    SHEARPIN_CHECK(table.status().IsCorruption());
    return 0;
  }
  uint64_t entries = 0;
  std::string last;
  const auto it = (*table)->NewIterator();
  for (it->SeekToFirst(); it->Valid(); it->Next(), ++entries) {
    SHEARPIN_CHECK(last.empty() || CompareInternalKeys(last, it->key()) < 0);
    last = it->key();
  }
  SHEARPIN_CHECK(it->status().ok() && entries == (*table)->entries());
  for (const TableDamage& damage : (*table)->damages()) SHEARPIN_CHECK(!damage.reason.empty());
  return 0;
}
