// bench: Shearpin beside LevelDB, RocksDB and LMDB. See README.md. Exit status: 0 done, 1 an engine
// failed, 2 a wrong command line.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "tests/bench/contest.h"
#include "tests/bench/delay.h"
#include "tests/bench/report.h"

namespace shearpin::bench {
namespace {

constexpr int kUsageError = 2;

struct CommandLine {
  ContestOptions contest;
  std::vector<std::string> rows;
  std::vector<std::string> engines;
  uint64_t memtable_mib = 8;
  uint64_t cache_mib = 128;
  bool json = false;
};

template <typename Item>
std::vector<std::string> Names(const std::vector<Item>& items) {
  std::vector<std::string> names;
  for (const Item& item : items) names.push_back(item.name);
  return names;
}

// Those of `all` that are named, in the order of `all`.
template <typename Item>
std::vector<Item> Named(const std::vector<Item>& all, const std::vector<std::string>& names) {
  std::vector<Item> found;
  for (const Item& item : all) {
    if (std::find(names.begin(), names.end(), item.name) != names.end()) found.push_back(item);
  }
  return found;
}

void AddOptions(CLI::App* app, CommandLine* line) {
  ContestOptions& contest = line->contest;
  line->rows = Names(AllRows());
  line->engines = Names(AllEngines());
  app->add_option("--rows", line->rows, "rows to run")
      ->delimiter(',')
      ->check(CLI::IsMember(line->rows))
      ->capture_default_str();
  app->add_option("--engines", line->engines, "engines that take part")
      ->delimiter(',')
      ->check(CLI::IsMember(line->engines))
      ->capture_default_str();
  app->add_option("--num", contest.entries, "entries of a database")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->capture_default_str();
  app->add_option("--rounds", contest.rounds, "rounds, of which the medians are shown")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app->add_option("--seed", contest.seed, "of keys and values")->capture_default_str();
  app->add_option("--memtable-mib", line->memtable_mib, "MiB of a memtable")
      ->check(CLI::Range(uint64_t{1}, uint64_t{4096}))
      ->capture_default_str();
  app->add_option("--cache-mib", line->cache_mib, "MiB of the block cache")
      ->check(CLI::Range(uint64_t{1}, uint64_t{65536}))
      ->capture_default_str();
  app->add_option("--dir", contest.directory,
                  "directory for the databases; default: one below /tmp, removed at the end");
  app->add_flag("!--no-compact", contest.compact,
                "read what overwrite left, not one sorted run of it");
  app->add_flag("--json", line->json, "print the results as one JSON object on the last line");
}

// Shown while somebody watches, on a line that is written over.
void ShowProgress(const std::string& what) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::fprintf(stderr, "\r\033[K%s", what.c_str());
}

int RunDelay(const CommandLine& line) {
  const DelayOptions options{.directory = line.contest.directory + "/delay",
                             .entries = line.contest.entries,
                             .seed = line.contest.seed};
  std::vector<DelayResult> results = MeasureDelay(options);
  std::printf("sustained fillrandom, %llu entries, small levels, one merging thread\n",
              static_cast<unsigned long long>(options.entries));
  std::fputs(DelayTable(&results).c_str(), stdout);
  if (line.json) std::printf("%s\n", DelayJson(&results).dump().c_str());
  return 0;
}

int Run(CommandLine line) {
  ContestOptions& contest = line.contest;
  contest.store.memtable_bytes = line.memtable_mib << 20;
  contest.store.cache_bytes = line.cache_mib << 20;
  contest.rows = Named(AllRows(), line.rows);
  contest.engines = Named(AllEngines(), line.engines);
  const std::vector<RowResult> results = RunContest(contest, ShowProgress);
  ShowProgress("");
  std::printf("%d rounds, %llu entries of %zu + %zu bytes, memtable %llu MiB, cache %llu MiB\n",
              contest.rounds, static_cast<unsigned long long>(contest.entries), kKeySize,
              kValueSize, static_cast<unsigned long long>(line.memtable_mib),
              static_cast<unsigned long long>(line.cache_mib));
  std::fputs(Table(results, contest.engines).c_str(), stdout);
  if (line.json) std::printf("%s\n", ToJson(results, contest.engines).dump().c_str());
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app("Shearpin beside LevelDB, RocksDB and LMDB", "bench");
  CommandLine line;
  AddOptions(&app, &line);
  const CLI::App* const delay =
      app.add_subcommand("delay", "Show what a Put waits for while merges cannot keep up")
          ->fallthrough();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  std::string& directory = line.contest.directory;
  const bool own_directory = directory.empty();
  if (own_directory) directory = "/tmp/shearpin-bench." + std::to_string(::getpid());
  std::filesystem::create_directories(directory);
  const int status = delay->parsed() ? RunDelay(line) : Run(line);
  if (own_directory) std::filesystem::remove_all(directory);
  return status;
}

}  // namespace
}  // namespace shearpin::bench

int main(int argc, char** argv) { return shearpin::bench::Main(argc, argv); }
