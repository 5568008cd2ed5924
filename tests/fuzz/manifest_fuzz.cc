// CURRENT and the MANIFEST it names, as a directory: an input is CURRENT's text, a zero byte, and
// the MANIFEST's bytes. Recovery gives a state or an error; of each input as it is, and with the
// checksums of both made right.
#include <cstdio>
#include <optional>

#include "engine/base/check.h"
#include "engine/base/internal_key.h"
#include "engine/manifest/file_names.h"
#include "engine/manifest/manifest.h"
#include "faultfs/mem_file_system.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/sealed_log.h"

namespace shearpin::fuzz {
namespace {

constexpr char kDir[] = "/db";
constexpr uint64_t kNumber = 1;

class FixedEntropy final : public Entropy {
 public:
  uint64_t Next() override { return 42; }
};

void WriteFile(FileSystem* fs, const std::string& name, std::string_view contents) {
  auto file = fs->OpenWritable(JoinPath(kDir, name), OpenMode::kCreateNew);
  SHEARPIN_CHECK(file.ok() && (*file)->Append(contents).ok() && (*file)->Close().ok());
}

// The checksum behind the last blank, of what stands before it.
std::string SealedCurrent(std::string_view text) {
  const std::string named(text.substr(0, text.rfind(' ')));
  char checksum[20];
  std::snprintf(
      checksum, sizeof checksum, " %016llx\n",
      static_cast<unsigned long long>(XXH3_64bits_withSeed(named.data(), named.size(), 0)));
  return named + checksum;
}

// True if there is a state.
bool Recover(std::string_view current, std::optional<std::string_view> manifest) {
  faultfs::MemFileSystem fs;
  SHEARPIN_CHECK(fs.CreateDir(kDir).ok());
  // Without a text there is no CURRENT: the fallback.
  if (!current.empty()) WriteFile(&fs, CurrentName(), current);
  if (manifest) WriteFile(&fs, ManifestName(kNumber), *manifest);
  return Manifest::Recover(&fs, kDir).ok();
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const int edits : {0, 3}) {
    faultfs::MemFileSystem fs;
    SHEARPIN_CHECK(fs.CreateDir(kDir).ok());
    FixedEntropy entropy;
    ManifestState state;
    state.database_id = 99;
    Manifest manifest(&fs, &entropy, kDir, state);
    SHEARPIN_CHECK(manifest.Rotate(kNumber, {}).ok());
    for (int i = 0; i < edits; ++i) {
      VersionEdit edit;
      edit.flushed_sequence = static_cast<uint64_t>(i) + 1;
      edit.sealed_logs = {{7, 600}};
      SHEARPIN_CHECK(manifest.Append(edit).ok());
    }
    SHEARPIN_CHECK(manifest.Seal().ok() && manifest.Close().ok());
    std::string current, bytes;
    SHEARPIN_CHECK(ReadFile(&fs, JoinPath(kDir, CurrentName()), &current).ok());
    SHEARPIN_CHECK(ReadFile(&fs, JoinPath(kDir, ManifestName(kNumber)), &bytes).ok());
    SHEARPIN_CHECK(SealedCurrent(current) == current && SealedLog(bytes) == bytes);
    seeds.push_back(current + '\0' + bytes);
    seeds.push_back('\0' + bytes);
  }
  return seeds;
}

}  // namespace shearpin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shearpin::fuzz;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = input.find('\0');
  const std::string_view current = input.substr(0, zero);
  if (zero == std::string_view::npos) {
    Recover(current, std::nullopt);
    return 0;
  }
  const std::string_view manifest = input.substr(zero + 1);
  Recover(current, manifest);
  Recover(current.empty() ? "" : SealedCurrent(current), SealedLog(manifest));
  return 0;
}
