// Goal: the command line keeps its promises: exit statuses, figures as JSON, artefacts that replay,
// clear messages for bad input, a clean stop.
// Method: the real binary as a child process.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using Json = nlohmann::json;

struct Outcome {
  int status = -1;
  std::string output;  // both streams

  std::string LastLine() const {
    std::string text = output;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  }
  Json LastJson() const { return Json::parse(LastLine(), nullptr, false); }
};

std::string Scratch(const std::string& name) {
  return std::string(std::getenv("TEST_TMPDIR")) + "/" + name;
}

void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

Outcome Sim(const std::string& arguments) {
  Outcome outcome;
  FILE* pipe = popen(("sim/sim " + arguments + " 2>&1").c_str(), "r");
  char buffer[4096];
  size_t got = 0;
  while ((got = fread(buffer, 1, sizeof buffer, pipe)) > 0) outcome.output.append(buffer, got);
  const int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return outcome;
}

void ExpectFigures(const Json& json) {
  ASSERT_TRUE(json.is_object());
  for (const char* key :
       {"seeds", "crashes", "crash_states", "crash_states_per_second", "operations", "failures",
        "digest", "faults", "events", "simulated_seconds", "next_seed", "findings"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

TEST(CliTest, HelpOnEveryCommand) {
  for (const char* command : {"", "run ", "replay ", "soak ", "explore ", "shrink ", "diff "}) {
    const Outcome outcome = Sim(std::string(command) + "--help");
    EXPECT_EQ(outcome.status, 0);
    EXPECT_NE(outcome.output.find("Usage"), std::string::npos) << outcome.output;
  }
}

TEST(CliTest, ExploreSaysHowMuchItLookedAt) {
  const std::string out = Scratch("explore");
  const Outcome outcome = Sim("explore --seed=4 --budget=2000 --json --out=" + out);
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("that was all              no"), std::string::npos);
  const Json json = outcome.LastJson();
  ASSERT_TRUE(json.is_object()) << outcome.output;
  EXPECT_EQ(json["crash_states"], 2000);
  EXPECT_GT(json["legal_states"], json["distinct_states"]);
  EXPECT_GT(json["crash_states_per_second"], 0);
  EXPECT_EQ(json["failures"], 0);
  EXPECT_EQ(json["refused_states"], 0);  // its disk keeps its promises
  EXPECT_EQ(json["digest"],
            Sim("explore --seed=4 --budget=2000 --json --out=" + out).LastJson()["digest"]);
  EXPECT_EQ(Sim("explore").status, 2);
  EXPECT_EQ(Sim("explore " + Scratch("no-such.plan")).status, 2);
  EXPECT_EQ(Sim("explore --seed=1 --depth=-1").status, 2);
}

// Only recoveries write tables here: with the plan's faults none gets beyond its first.
TEST(CliTest, ExploreGoesIntoRecoveriesWithAndWithoutThePlansFaults) {
  const std::string plan = Scratch("faulty.plan");
  std::ofstream(plan) << "shearpin-plan 1\nseed 1\nprofile ext4-ordered\n"
                         "fault ops=append path=*.sst skip=0 times=always effect=eio\n"
                         "client\n  put \"a\" \"1\" sync\n";
  const std::string command = "explore " + plan + " --depth=1 --json --out=" + Scratch("faulty");
  const Outcome with = Sim(command);
  const Outcome without = Sim(command + " --without-faults");
  EXPECT_EQ(with.status, 0) << with.output;
  EXPECT_EQ(without.status, 0) << without.output;
  EXPECT_NE(with.LastJson()["digest"], without.LastJson()["digest"]);
}

TEST(CliTest, RunPrintsALineForEachSeedAndRepeatsItself) {
  const Outcome first =
      Sim("run --seed=1 --runs=5 --double --json --keep-going --out=" + Scratch("run"));
  const Outcome second =
      Sim("run --seed=1 --runs=5 --jobs=2 --json --keep-going --out=" + Scratch("run"));
  for (int seed = 1; seed <= 5; ++seed) {
    EXPECT_NE(first.output.find("seed " + std::to_string(seed) + "  "), std::string::npos);
  }
  const Json json = first.LastJson();
  ExpectFigures(json);
  EXPECT_EQ(json["seeds"], 5);
  EXPECT_EQ(json["digest"], second.LastJson()["digest"]);
  EXPECT_EQ(first.status, json["failures"] == 0 ? 0 : 1);
}

TEST(CliTest, ReplayIsTheSameHistory) {
  const Outcome run = Sim("run --seed=3 --json --out=" + Scratch("replay"));
  const Outcome replay = Sim("replay --seed=3 --json --out=" + Scratch("replay"));
  EXPECT_EQ(run.LastJson()["digest"], replay.LastJson()["digest"]);
  const Outcome traced = Sim("replay --seed=3 --trace --json --out=" + Scratch("replay"));
  EXPECT_EQ(run.LastJson()["digest"], traced.LastJson()["digest"]);
  EXPECT_NE(traced.output.find("  main             phase: opening 0\n"), std::string::npos);
}

TEST(CliTest, ARecordedScheduleReplaysTheSameHistory) {
  const std::string file = Scratch("recorded/seed-3.plan");
  const Outcome drawn =
      Sim("replay --seed=3 --record-schedule=" + file + " --json --out=" + Scratch("recorded"));
  EXPECT_NE(drawn.output.find("the schedule is recorded in " + file), std::string::npos);
  const Outcome replay = Sim("replay " + file + " --double --json --out=" + Scratch("recorded"));
  EXPECT_EQ(replay.LastJson()["digest"], drawn.LastJson()["digest"]) << replay.output;
  // A recording of something else is told.
  std::ifstream in(file);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  text += "schedule image 9999 0:nobody\n";
  // Its last line: a long schedule has several.
  const size_t schedule = text.rfind("\nschedule opening 0 ");
  ASSERT_NE(schedule, std::string::npos);
  text.insert(text.find('\n', schedule + 1), " 999999:nobody");
  Write(file, text);
  const Outcome spoilt = Sim("replay " + file + " --out=" + Scratch("recorded"));
  EXPECT_NE(spoilt.output.find("the recorded schedule did not fit 1 times, first in opening 0: "
                               "it ended before decision 999999:nobody"),
            std::string::npos)
      << spoilt.output;
}

TEST(CliTest, ReplaysAPlanFileNamedFromWhereTheUserTyped) {
  const std::string directory = Scratch("typed");
  std::filesystem::create_directories(directory);
  Write(directory + "/small.plan",
        "# A story.\nshearpin-plan 1\nseed 5\nclient\n  put \"a\" \"b\" sync\n"
        "crash after=step:0.0 calls=0 kind=power image=\"power keep=none\"\n");
  setenv("BUILD_WORKING_DIRECTORY", directory.c_str(), 1);
  const Outcome outcome = Sim("replay small.plan --json");
  unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(outcome.LastJson()["crashes"], 1);
  EXPECT_EQ(outcome.LastJson()["operations"], 1);
}

TEST(CliTest, DiffShowsWhereTwoTracesPart) {
  const std::string a = Scratch("a.trace");
  const std::string b = Scratch("b.trace");
  const std::string out = " --out=" + Scratch("diff");
  EXPECT_EQ(Sim("replay --seed=3 --trace=" + a + out).output.find("phase:"), std::string::npos);
  // The other way to get one: the seed's own line does not count.
  Sim("replay --seed=3 --trace" + out + " > " + b);
  const Outcome equal = Sim("diff " + a + " " + b);
  EXPECT_EQ(equal.status, 0) << equal.output;
  EXPECT_NE(equal.output.find("the traces are equal, "), std::string::npos) << equal.output;
  Sim("replay --seed=4 --trace=" + b + out);
  const Outcome other = Sim("diff " + a + " " + b);
  EXPECT_EQ(other.status, 1) << other.output;
  EXPECT_NE(other.output.find("the traces part at line "), std::string::npos) << other.output;
  EXPECT_NE(other.output.find("\n- "), std::string::npos) << other.output;
  EXPECT_NE(other.output.find("\n+ "), std::string::npos) << other.output;
  Write(b, "no trace\n");
  EXPECT_EQ(Sim("diff " + a + " " + b).status, 2);
  EXPECT_EQ(Sim("diff " + a + " " + Scratch("missing.trace")).status, 2);
}

TEST(CliTest, ShrinkSaysSoOfAPlanThatDoesNotFail) {
  const std::string file = Scratch("sound.plan");
  Write(file, "shearpin-plan 1\nclient\n  put \"a\" \"b\" sync\n");
  const Outcome outcome = Sim("shrink " + file);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.output.find("sound.plan: this plan does not fail"), std::string::npos)
      << outcome.output;
}

TEST(CliTest, SoakCountsAndSaysWhereToGoOn) {
  const Outcome outcome =
      Sim("soak --seconds=1 --jobs=2 --start-seed=1 --json --profile=posix-min "
          "--out=" +
          Scratch("soak"));
  const Json json = outcome.LastJson();
  ExpectFigures(json);
  EXPECT_GT(json["seeds"], 1);
  EXPECT_GT(json["crash_states"], 1);
  const uint64_t next = json["next_seed"];
  EXPECT_EQ(next, 1 + json["seeds"].get<uint64_t>());
  EXPECT_NE(outcome.output.find("--start-seed=" + std::to_string(next)), std::string::npos);
  EXPECT_EQ(outcome.status, json["failures"] == 0 ? 0 : 1);
}

TEST(CliTest, SoakStopsCleanlyOnCtrlC) {
  const std::string log = Scratch("soak.log");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (std::freopen(log.c_str(), "w", stdout) == nullptr) _exit(99);
    execl("sim/sim", "sim", "soak", "--seconds=600", "--jobs=2", "--json", "--out=/nonexistent/x",
          nullptr);
    _exit(98);
  }
  sleep(1);
  kill(child, SIGINT);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_LE(WEXITSTATUS(status), 1);
  std::ifstream in(log);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_NE(text.find("\nstopped\n"), std::string::npos) << text;
  EXPECT_NE(text.find("carry on with --start-seed="), std::string::npos);
  ExpectFigures(Outcome{0, text}.LastJson());
}

TEST(CliTest, DatasetGivesKeysAndValues) {
  const std::string file = Scratch("pairs.tsv");
  Write(file, "libfoo\tPackage: libfoo\\nVersion: 1\nbar\tPackage: bar\n");
  const Outcome outcome = Sim("run --seed=1 --trace --dataset=" + file + " --out=" + Scratch("ds"));
  EXPECT_NE(outcome.output.find("libfoo"), std::string::npos);
}

TEST(CliTest, BadInputIsToldAndExitsWithTwo) {
  const std::string plan = Scratch("bad.plan");
  Write(plan, "shearpin-plan 1\nclient\n  put \"a\"\n");
  const std::string tsv = Scratch("bad.tsv");
  Write(tsv, "key\tvalue\nno tab\n");
  const struct {
    std::string arguments;
    std::string message;
  } cases[] = {
      {"", "subcommand"},
      {"fly", "fly"},
      {"run", "--seed"},
      {"run --seed=1 --colour=red", "--colour"},
      {"run --seed=one", "one"},
      {"run --seed=1 --runs=0", "--runs"},
      {"run --seed=1 --profile=floppy", "unknown profile 'floppy'"},
      {"replay", "a plan file or --seed=N is needed"},
      {"replay " + Scratch("missing.plan"), "missing.plan: No such file or directory"},
      {"replay " + plan, plan + ":3: expected \"bytes\" or fill(length,seed)"},
      {"shrink", "PLAN"},
      {"shrink " + Scratch("missing.plan"), "missing.plan: No such file or directory"},
      {"shrink " + plan, plan + ":3: expected"},
      {"soak --seconds=-1", "--seconds"},
      {"soak --seconds=1 --dataset=" + Scratch("missing.tsv"),
       "missing.tsv: No such file or directory"},
      {"soak --seconds=1 --dataset=" + tsv, tsv + ":2: expected a key, a tab and a value"},
  };
  for (const auto& bad : cases) {
    const Outcome outcome = Sim(bad.arguments);
    EXPECT_EQ(outcome.status, 2) << bad.arguments << "\n" << outcome.output;
    EXPECT_NE(outcome.output.find(bad.message), std::string::npos) << bad.arguments << "\n"
                                                                   << outcome.output;
  }
}

}  // namespace
