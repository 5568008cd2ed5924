// Whole tables. Checksums stop blind mutation at the first block, so an input is one of two things,
// by its first byte: the bytes of a file, or the blocks of one, which are sealed here with the
// checksums and handles they ask for and so reach the decoders behind.
#include "engine/base/check.h"
#include "engine/base/coding.h"
#include "engine/base/internal_key.h"
#include "engine/sst/format.h"
#include "engine/sst/memory_file.h"
#include "engine/sst/table.h"
#include "engine/sst/table_builder.h"
#include "tests/fuzz/fuzz_input.h"

namespace shearpin::fuzz {
namespace {

constexpr uint64_t kFileId = 77;
constexpr char kRaw = 0;
constexpr char kSealed = 1;

std::string BuildTable(int entries, Compression compression, bool everything) {
  MemoryWritableFile file;
  TableBuilderOptions options;
  options.file_id = kFileId;
  options.compression = compression;
  if (everything) options.filter_bits_per_key = 10;
  options.block_size = 128;
  TableBuilder builder(options, &file);
  for (int i = 0; i < entries; ++i) {
    std::string key;
    AppendInternalKey(&key, "key" + std::to_string(1000 + i / 2), 9 - static_cast<uint64_t>(i % 2),
                      i % 5 == 0 ? ValueType::kDelete : ValueType::kValue);
    SHEARPIN_CHECK(builder.Add(key, i % 5 == 0 ? "" : std::string(10, 'v')).ok());
  }
  if (everything) {
    SHEARPIN_CHECK(
        builder.SetRangeDeletes({{"a", "key1003", {12, 7}}, {"key1003", "key1009", {12}}}).ok());
  }
  SHEARPIN_CHECK(builder.Finish().ok());
  return file.contents();
}

// type (kind and compression, as in a trailer), length-prefixed contents, ... -> a file whose
// footer names the last metaindex and index.
std::string Seal(std::string_view blocks) {
  std::string file;
  Footer footer;
  footer.file_id = kFileId;
  while (!blocks.empty()) {
    const auto type = static_cast<uint8_t>(blocks.front());
    const auto kind = static_cast<BlockKind>((type >> 4) % 6);
    const auto compression = static_cast<Compression>((type & 15) % 3);
    blocks.remove_prefix(1);
    std::string_view contents;
    if (!ConsumeLengthPrefixed(&blocks, &contents)) contents = std::exchange(blocks, {});
    const BlockHandle handle{file.size(), contents.size()};
    if (kind == BlockKind::kIndex) footer.index = handle;
    if (kind == BlockKind::kMetaindex) footer.metaindex = handle;
    std::string block(contents);
    AppendBlockTrailer(&block, kind, compression, kFileId, file.size());
    file += block;
  }
  footer.file_size = file.size() + Footer::kSize;
  footer.AppendTo(&file);
  return file;
}

// The other way round: the blocks of a table as Seal reads them.
std::string Unseal(const std::string& file) {
  std::string blocks(1, kSealed);
  Footer footer;
  SHEARPIN_CHECK(
      footer.DecodeFrom(std::string_view(file).substr(file.size() - Footer::kSize), file.size())
          .ok());
  // Blocks stand one behind the other; where one ends, its trailer says of which kind it is. The
  // lengths come from the checksums: the first that fits is right.
  for (size_t at = 0; at + Footer::kSize < file.size();) {
    bool found = false;
    for (size_t end = at; end + kBlockTrailerSize + Footer::kSize <= file.size(); ++end) {
      const std::string_view stored =
          std::string_view(file).substr(at, end - at + kBlockTrailerSize);
      const auto type = static_cast<uint8_t>(file[end]);
      Compression compression;
      const auto kind = static_cast<BlockKind>(type >> 4);
      if (!CheckStoredBlock(stored, kind, kFileId, at, &compression).ok()) continue;
      blocks.push_back(static_cast<char>(type));
      AppendLengthPrefixed(&blocks, stored.substr(0, end - at));
      at = end + kBlockTrailerSize;
      found = true;
      break;
    }
    SHEARPIN_CHECK(found, "a table that does not consist of blocks");
  }
  return blocks;
}

// True if the table opens and verifies.
bool ReadTable(const std::string& bytes) {
  auto opened = Table::Open(std::make_unique<MemoryReadableFile>(&bytes), "fuzz.sst",
                            {.file_id = kFileId, .file_size = bytes.size()});
  if (!opened.ok()) return false;
  const Table& table = **opened;
  const bool whole = table.VerifyAll(std::nullopt).ok();
  const auto it = table.NewIterator();
  std::string key;
  // Blocks may be named more than once, so a walk can be longer than the file; it need not end.
  size_t steps = 0;
  for (it->SeekToFirst(); it->Valid() && steps < 2000; it->Next(), ++steps) key = it->key();
  steps = 0;
  for (it->SeekToLast(); it->Valid() && steps < 2000; it->Prev()) ++steps;
  if (key.empty()) return whole;
  LoadedBlock block;
  Lookup found;
  table.Get(key, &block, &found).IgnoreError();
  it->Seek(key);
  if (it->Valid()) it->Prev();
  it->SeekForPrev(key);
  if (it->Valid()) it->Next();
  return whole;
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const Compression compression :
       {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    for (const int entries : {0, 1, 40}) {
      const std::string file = BuildTable(entries, compression, entries != 1);
      const std::string blocks = Unseal(file);
      // Sealed again it is the same table: so mutation reaches the decoders behind the checksums.
      SHEARPIN_CHECK(ReadTable(Seal(std::string_view(blocks).substr(1))));
      seeds.push_back(std::string(1, kRaw) + file);
      seeds.push_back(blocks);
    }
  }
  return seeds;
}

}  // namespace shearpin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shearpin::fuzz;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  ReadTable(data[0] % 2 == kRaw ? std::string(rest) : Seal(rest));
  return 0;
}
