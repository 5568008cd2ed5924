// CURRENT and the MANIFEST it names, as a directory: an input is CURRENT's text, a zero byte, and
// the MANIFEST's bytes. Recovery gives a state or an error.
#include "engine/base/check.h"
#include "engine/base/internal_key.h"
#include "engine/manifest/file_names.h"
#include "engine/manifest/manifest.h"
#include "faultfs/mem_file_system.h"
#include "tests/fuzz/fuzz_input.h"

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
      SHEARPIN_CHECK(manifest.Append(edit).ok());
    }
    SHEARPIN_CHECK(manifest.Seal().ok() && manifest.Close().ok());
    std::string current, bytes;
    SHEARPIN_CHECK(ReadFile(&fs, JoinPath(kDir, CurrentName()), &current).ok());
    SHEARPIN_CHECK(ReadFile(&fs, JoinPath(kDir, ManifestName(kNumber)), &bytes).ok());
    seeds.push_back(current + '\0' + bytes);
    seeds.push_back('\0' + bytes);
  }
  return seeds;
}

}  // namespace shearpin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shearpin;
  using namespace shearpin::fuzz;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = input.find('\0');
  faultfs::MemFileSystem fs;
  SHEARPIN_CHECK(fs.CreateDir(kDir).ok());
  // Without a text there is no CURRENT: the fallback.
  if (zero != 0) WriteFile(&fs, CurrentName(), input.substr(0, zero));
  if (zero != std::string_view::npos) {
    WriteFile(&fs, ManifestName(kNumber), input.substr(zero + 1));
  }
  Manifest::Recover(&fs, kDir).status().IgnoreError();
  return 0;
}
