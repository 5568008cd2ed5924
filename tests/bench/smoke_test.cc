// Goal: the benchmark runs, whole, and its last line is the JSON that it promises.
// Method: the program itself with tiny counts.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace {

struct Output {
  std::string text;
  int status = -1;
};

Output Bench(const std::string& arguments) {
  const std::string directory = std::string(std::getenv("TEST_TMPDIR")) + "/bench";
  const std::string command =
      "tests/bench/bench --dir=" + directory + " " + arguments + " 2>/dev/null";
  Output output;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  char buffer[4096];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    output.text.append(buffer, n);
  }
  output.status = ::pclose(pipe);
  return output;
}

nlohmann::json LastLine(std::string text) {
  if (!text.empty()) text.pop_back();
  return nlohmann::json::parse(text.substr(text.rfind('\n') + 1), nullptr, false);
}

TEST(SmokeTest, EveryRowHasAFigureOfEveryEngine) {
  const Output output = Bench("--num=500 --rounds=1 --json");
  ASSERT_EQ(output.status, 0) << output.text;
  const nlohmann::json result = LastLine(output.text);
  ASSERT_FALSE(result.is_discarded()) << output.text;
  std::set<std::string> names;
  for (const auto& row : result.at("rows")) {
    names.insert(row.at("name"));
    for (const char* engine : {"shearpin", "leveldb", "rocksdb", "lmdb"}) {
      EXPECT_GT(row.at(engine).get<double>(), 0) << row;
    }
    EXPECT_GT(row.at("ratio_to_best").get<double>(), 0) << row;
  }
  EXPECT_EQ(names, (std::set<std::string>{"fillseq", "fillrandom", "overwrite", "fillsync",
                                          "readrandom", "readmissing", "readseq", "readreverse",
                                          "seekrandom", "readwhilewriting"}));
}

TEST(SmokeTest, OnlyTheRowsAndEnginesThatWereAskedForAreShown) {
  const Output output =
      Bench("--num=200 --rounds=2 --json --rows=readseq,fillseq --engines=lmdb,shearpin");
  ASSERT_EQ(output.status, 0) << output.text;
  const nlohmann::json rows = LastLine(output.text).at("rows");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("name"), "fillseq");
  EXPECT_EQ(rows[1].at("name"), "readseq");
  EXPECT_FALSE(rows[0].contains("leveldb"));
}

TEST(SmokeTest, TheDelayIsMeasuredInBothModes) {
  const Output output = Bench("delay --num=20000 --json");
  ASSERT_EQ(output.status, 0) << output.text;
  const nlohmann::json modes = LastLine(output.text).at("delay");
  ASSERT_EQ(modes.size(), 2u);
  EXPECT_EQ(modes[0].at("mode"), "smooth");
  EXPECT_EQ(modes[1].at("mode"), "stop");
  for (const auto& mode : modes) {
    EXPECT_GT(mode.at("p50").get<double>(), 0);
    EXPECT_GE(mode.at("max").get<double>(), mode.at("p99").get<double>());
  }
}

TEST(SmokeTest, AWrongCommandLineIsRefused) {
  for (const char* wrong : {"--rows=fillfast", "--engines=oracle", "--num=0", "--rounds=x"}) {
    EXPECT_EQ(Bench(wrong).status >> 8, 2) << wrong;
  }
}

}  // namespace
