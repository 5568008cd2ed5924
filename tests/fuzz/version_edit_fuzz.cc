// The payload of a MANIFEST record: what decodes encodes again to what decodes the same, and a
// state takes it or refuses it.
#include "engine/base/check.h"
#include "engine/base/internal_key.h"
#include "engine/manifest/manifest.h"
#include "engine/manifest/version_edit.h"
#include "tests/fuzz/fuzz_input.h"

namespace shearpin::fuzz {

std::vector<std::string> Seeds() {
  FileMeta file{.number = 5,
                .file_id = 6,
                .size = 7000,
                .checksum = 8,
                .entries = 9,
                .smallest_sequence = 10,
                .largest_sequence = 300,
                .smallest = {},
                .largest = {}};
  AppendInternalKey(&file.smallest, "a", 300, ValueType::kValue);
  AppendInternalKey(&file.largest, "zebra", 10, ValueType::kDelete);
  VersionEdit small, large;
  small.next_file_number = 3;
  large.next_file_number = 1000;
  large.flushed_sequence = 12345;
  large.log_floor = 900;
  large.sealed_logs = {{901, 70000}, {902, 72}};
  large.removed = {{0, 4}, {6, 3}};
  for (int level = 0; level < kNumLevels; ++level) {
    large.added.emplace_back(level, file);
    ++file.number;
  }
  VersionEdit ranges;
  file.range_deletes = 3;
  file.smallest.clear();
  AppendInternalKey(&file.smallest, "b", 20, ValueType::kRangeDelete);
  file.largest.clear();
  AppendInternalKey(&file.largest, "c", kMaxSequence, ValueType::kRangeDelete);
  ranges.added.emplace_back(0, file);
  return {std::string(), small.Encode(), large.Encode(), ranges.Encode()};
}

}  // namespace shearpin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shearpin;
  VersionEdit edit;
  if (!edit.Decode({reinterpret_cast<const char*>(data), size}).ok()) return 0;
  const std::string encoded = edit.Encode();
  VersionEdit again;
  SHEARPIN_CHECK(again.Decode(encoded).ok());
  SHEARPIN_CHECK(again.Encode() == encoded);
  ManifestState state;
  if (state.Apply(edit).ok()) SHEARPIN_CHECK(ManifestState().Apply(state.Snapshot()).ok());
  return 0;
}
