// Writes the golden databases of the format versions that this build writes.
//
//   bazel run //tests/golden:make -- DIRECTORY      (tests/golden of the source tree)
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "engine/base/tsv_field.h"
#include "tests/golden/golden_databases.h"

namespace shearpin::golden {
namespace {

int Run(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  // Paths mean what they meant where the user typed them.
  const char* typed_in = std::getenv("BUILD_WORKING_DIRECTORY");
  if (typed_in != nullptr) std::filesystem::current_path(typed_in);
  const std::filesystem::path root = std::filesystem::path(argv[1]) / FormatVersionName();
  std::filesystem::remove_all(root);
  for (const GoldenDatabase& database : MakeGoldenDatabases()) {
    const auto directory = root / database.name;
    std::filesystem::create_directories(directory);
    for (const auto& [name, bytes] : database.files) {
      std::ofstream(directory / name, std::ios::binary) << bytes;
    }
    std::ofstream pairs(root / (database.name + ".tsv"), std::ios::binary);
    for (const auto& [key, value] : database.pairs) {
      pairs << EscapeField(key) << '\t' << EscapeField(value) << '\n';
    }
    if (!pairs.flush()) {
      std::fprintf(stderr, "%s: cannot be written\n", root.c_str());
      return 1;
    }
  }
  std::printf("%s\n", root.c_str());
  return 0;
}

}  // namespace
}  // namespace shearpin::golden

int main(int argc, char** argv) { return shearpin::golden::Run(argc, argv); }
