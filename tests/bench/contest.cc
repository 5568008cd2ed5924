#include "tests/bench/contest.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "tests/bench/statistics.h"

namespace shearpin::bench {
namespace {

// One engine with its database, in a directory of its own.
class Contestant {
 public:
  Contestant(const Engine& engine, const ContestOptions& options)
      : engine_(engine),
        options_(options.store),
        directory_(options.directory + "/" + engine.name) {}
  ~Contestant() { Drop(); }

  const std::string& name() const { return engine_.name; }

  void BeginEmpty(Promise promise) {
    Drop();
    std::filesystem::create_directories(directory_);
    store_ = engine_.open(directory_, options_, promise);
  }
  void Reopen() {
    store_.reset();
    store_ = engine_.open(directory_, options_, Promise::kProcessDeath);
  }
  void Settle() { store_->Settle(); }
  void Compact() { store_->Compact(); }
  void ReadAll() { WarmUp(store_.get()); }
  Cost Run(const Row& row, const Job& job) { return Measure(row, store_.get(), job); }

 private:
  void Drop() {
    store_.reset();
    std::error_code ignored;  // nothing to remove is well
    std::filesystem::remove_all(directory_, ignored);
  }

  const Engine engine_;
  const StoreOptions options_;
  const std::string directory_;
  std::unique_ptr<Store> store_;
};

using Contestants = std::vector<std::unique_ptr<Contestant>>;
using Samples = std::map<std::string, std::map<std::string, std::vector<Cost>>>;

const Row& RowNamed(std::string_view name) {
  const auto& rows = AllRows();
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Row& each) { return each.name == name; });
  Require(row != rows.end(), "there is no row " + std::string(name));
  return *row;
}

// The rows to run: what was asked for, and fillrandom where another goes on from it.
std::vector<Row> Schedule(const std::vector<Row>& asked) {
  std::vector<Row> rows = asked;
  const auto filled =
      std::find_if(rows.begin(), rows.end(), [](const Row& r) { return r.base != Base::kEmpty; });
  const bool fills =
      std::any_of(rows.begin(), filled, [](const Row& row) { return row.name == "fillrandom"; });
  if (filled != rows.end() && !fills) rows.insert(filled, RowNamed("fillrandom"));
  return rows;
}

void RunRound(const ContestOptions& options, const std::vector<Row>& rows, int round,
              Contestants* contestants, Samples* samples,
              const std::function<void(const std::string&)>& progress) {
  bool warm = false;
  size_t turn = static_cast<size_t>(round);
  for (const Row& row : rows) {
    const bool first_read = row.base == Base::kWarm && !warm;
    warm |= first_read;
    for (size_t i = 0; i < contestants->size(); ++i) {
      Contestant& contestant = *(*contestants)[(i + turn) % contestants->size()];
      progress("round " + std::to_string(round + 1) + " " + row.name + " " + contestant.name());
      if (row.base == Base::kEmpty) contestant.BeginEmpty(row.promise);
      if (first_read) {
        contestant.Reopen();
        if (options.compact) contestant.Compact();
        contestant.Settle();
        contestant.ReadAll();
      }
      const Job job{
          .entries = options.entries,
          .operations = std::max<uint64_t>(options.entries * row.operations_per_mille / 1000, 1),
          .seed = options.seed + static_cast<uint64_t>(round)};
      (*samples)[row.name][contestant.name()].push_back(contestant.Run(row, job));
      // What it set going must not run beside the next engine's turn.
      if (!row.only_reads) contestant.Settle();
    }
    ++turn;
  }
}

}  // namespace

std::vector<RowResult> RunContest(const ContestOptions& options,
                                  const std::function<void(const std::string&)>& progress) {
  const std::vector<Row> rows = Schedule(options.rows);
  Contestants contestants;
  for (const Engine& engine : options.engines) {
    contestants.push_back(std::make_unique<Contestant>(engine, options));
  }
  Samples samples;
  for (int round = 0; round < options.rounds; ++round) {
    RunRound(options, rows, round, &contestants, &samples, progress);
  }
  std::vector<RowResult> results;
  for (const Row& row : options.rows) {
    RowResult& result = results.emplace_back(RowResult{row.name, {}});
    for (const auto& [engine, costs] : samples[row.name]) {
      std::vector<double> micros, cpu;
      for (const Cost& cost : costs) {
        micros.push_back(cost.micros);
        cpu.push_back(cost.cpu_micros);
      }
      result.costs[engine] = {Median(std::move(micros)), Median(std::move(cpu))};
    }
  }
  return results;
}

}  // namespace shearpin::bench
