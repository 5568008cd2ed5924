// Runs a fuzz target: on files and directories given by name, or on its seeds and a number of
// mutations of them that is the same in every run.
//
//   TARGET [--runs=N] [--seed=S] [--dump=DIR] [FILE|DIR]...
//
// Mutation is blind (no coverage): flips, boundary values, cuts, repeats and splices of two seeds.
// --dump writes the seeds as a corpus for libFuzzer, which is not blind.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "sim/rng.h"
#include "tests/fuzz/fuzz_input.h"

namespace shearpin::fuzz {
namespace {

namespace fs = std::filesystem;
using sim::Rng;

constexpr size_t kMostBytes = 1 << 16;

void RunOne(const std::string& input) {
  // A copy of its own, so that AddressSanitizer sees a read past the end.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

size_t At(const std::string& input, Rng* rng) { return rng->Uniform(input.size()); }

void Mutate(const std::vector<std::string>& seeds, Rng* rng, std::string* input) {
  if (input->empty()) input->push_back('\0');
  switch (rng->Uniform(8)) {
    case 0:
      (*input)[At(*input, rng)] ^= static_cast<char>(1u << rng->Uniform(8));
      break;
    case 1:
      (*input)[At(*input, rng)] = static_cast<char>(rng->Uniform(256));
      break;
    case 2: {  // the numbers at which sizes and offsets go wrong
      constexpr uint64_t kEdges[] = {0,           1,           0x7f,        0x80,        0xff,
                                     0x7fff'ffff, 0x8000'0000, 0xffff'ffff, ~uint64_t{0}};
      const uint64_t edge = kEdges[rng->Uniform(std::size(kEdges))];
      const size_t at = At(*input, rng);
      const size_t width = std::min<size_t>(size_t{1} << rng->Uniform(4), input->size() - at);
      for (size_t i = 0; i < width; ++i) (*input)[at + i] = static_cast<char>(edge >> (8 * i));
      break;
    }
    case 3:
      input->resize(At(*input, rng));
      break;
    case 4:
      input->erase(At(*input, rng), 1 + rng->Skewed(6));
      break;
    case 5: {
      const std::string part = input->substr(At(*input, rng), 1 + rng->Skewed(8));
      input->insert(At(*input, rng), part);
      break;
    }
    case 6: {
      const std::string& other = seeds[rng->Uniform(seeds.size())];
      input->resize(At(*input, rng));
      if (!other.empty()) input->append(other, At(other, rng), std::string::npos);
      break;
    }
    default:
      input->insert(At(*input, rng), 1 + rng->Skewed(6), static_cast<char>(rng->Uniform(256)));
      break;
  }
  if (input->size() > kMostBytes) input->resize(kMostBytes);
}

std::string ReadWhole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
    std::exit(2);
  }
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

int RunFiles(const std::vector<std::string>& names) {
  size_t count = 0;
  for (const std::string& name : names) {
    if (!fs::is_directory(name)) {
      RunOne(ReadWhole(name));
      ++count;
      continue;
    }
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(name)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) RunOne(ReadWhole(path));
    count += paths.size();
  }
  std::printf("%zu inputs, none of them crashed\n", count);
  return 0;
}

int DumpSeeds(const std::vector<std::string>& seeds, const std::string& directory) {
  fs::create_directories(directory);
  for (size_t i = 0; i < seeds.size(); ++i) {
    std::ofstream file(fs::path(directory) / ("seed-" + std::to_string(i)), std::ios::binary);
    file << seeds[i];
    if (!file.flush()) return 2;
  }
  return 0;
}

int RunMutations(const std::vector<std::string>& seeds, uint64_t seed, uint64_t runs) {
  for (const std::string& input : seeds) RunOne(input);
  for (uint64_t i = 0; i < runs; ++i) {
    // Each input by its number alone, so that one can be run again without those before it.
    Rng rng = Rng::Stream(seed + i, "fuzz");
    std::string input = seeds[rng.Uniform(seeds.size())];
    for (uint64_t n = 1 + rng.Skewed(4); n > 0; --n) Mutate(seeds, &rng, &input);
    RunOne(input);
  }
  std::printf("%zu seeds and %llu mutations, none of them crashed\n", seeds.size(),
              static_cast<unsigned long long>(runs));
  return 0;
}

int Run(int argc, char** argv) {
  uint64_t runs = 100000, seed = 1;
  std::vector<std::string> files;
  const std::vector<std::string> seeds = Seeds();
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--runs=")) {
      runs = std::strtoull(argv[i] + 7, nullptr, 10);
    } else if (argument.starts_with("--seed=")) {
      seed = std::strtoull(argv[i] + 7, nullptr, 10);
    } else if (argument.starts_with("--dump=")) {
      return DumpSeeds(seeds, std::string(argument.substr(7)));
    } else if (argument.starts_with("-")) {
      std::fprintf(stderr, "usage: %s [--runs=N] [--seed=S] [--dump=DIR] [FILE|DIR]...\n", argv[0]);
      return 2;
    } else {
      files.emplace_back(argument);
    }
  }
  return files.empty() ? RunMutations(seeds, seed, runs) : RunFiles(files);
}

}  // namespace
}  // namespace shearpin::fuzz

int main(int argc, char** argv) { return shearpin::fuzz::Run(argc, argv); }
