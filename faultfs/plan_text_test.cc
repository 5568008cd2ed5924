// Goal: crash plans and fault rules mean what their one line of text says, and nothing else does.
// Method: the texts of the documentation by example; round trips and noise by property.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

#include "faultfs/crash_plan.h"
#include "faultfs/fault_rule.h"

namespace shearpin::faultfs {
namespace {

TEST(CrashPlanText, Examples) {
  for (const char* text : {
           "process",
           "power keep=all",
           "power keep=none",
           "power keep=prefix:7 tears=5:0x0f,6:0x01@2!0x80 fills=9:stale:3,10:garbage",
           "power keep=only:2,5",
           "power keep=only:",
           "power keep=need:2",
           "power keep=except:3,7",
           "power keep=list:1011",
           "power keep=list:",
       }) {
    const StatusOr<CrashPlan> plan = CrashPlan::Parse(text);
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    EXPECT_EQ(plan->ToString(), text);
  }
  const CrashPlan plan = *CrashPlan::Parse("power keep=prefix:7 tears=6:0x01@2!0x80");
  EXPECT_EQ(plan.prefix, 7u);
  EXPECT_EQ(plan.tears[0], (Tear{.op = 6, .new_sectors = 1, .garbage_sectors = 0x80, .old_op = 2}));
}

TEST(CrashPlanText, ErrorsNameTheWordAndWhatWasExpected) {
  const auto error = [](const char* text) { return CrashPlan::Parse(text).status().ToString(); };
  EXPECT_EQ(error(""), "Invalid argument: crash plan: '': expected 'power' or 'process'");
  EXPECT_EQ(error("Power keep=all"),
            "Invalid argument: crash plan: 'Power': expected 'power' or 'process'");
  EXPECT_EQ(error("process keep=all"),
            "Invalid argument: crash plan: 'keep=all': expected nothing after 'process'");
  const std::string keep =
      "expected all, none, prefix:N, only:A,B, need:A,B, except:A,B or list:0101";
  for (const char* word :
       {"some", "all:1", "prefix", "prefix:x", "prefix:-1", "list:012", "only"}) {
    EXPECT_EQ(error(("power keep=" + std::string(word)).c_str()),
              "Invalid argument: crash plan: '" + std::string(word) + "': " + keep);
  }
  EXPECT_EQ(error("power keep=only:1,"),
            "Invalid argument: crash plan: '': expected the ordinal of an operation");
  for (const char* tear : {"5", "5:15", "5:0x100", "5:0x0f@", "5:0x0f!0x00", ":0x0f"}) {
    EXPECT_EQ(error(("power keep=all tears=" + std::string(tear)).c_str()),
              "Invalid argument: crash plan: '" + std::string(tear) +
                  "': expected OP:0xNEW, OP:0xNEW@OLD or OP:0xNEW@OLD!0xGARBAGE");
  }
  EXPECT_EQ(error("power keep=all fills=1:old:2"),
            "Invalid argument: crash plan: '1:old:2': expected OP:stale:K or OP:garbage");
  EXPECT_EQ(error("power keep=all fills=1:garbage tears=0:0x01"),
            "Invalid argument: crash plan: 'tears=0:0x01': expected tears=..., then fills=..., "
            "each once");
}

TEST(CrashPlanText, RoundTrips) {
  EXPECT_TRUE(rc::check("plan -> text -> plan", [] {
    CrashPlan plan;
    const auto ordinal = rc::gen::inRange<uint32_t>(0, 10000);
    plan.kind = static_cast<CrashKind>(*rc::gen::weightedElement<int>({{9, 0}, {1, 1}}));
    if (plan.kind == CrashKind::kPower) {
      plan.keep = static_cast<KeepRule>(*rc::gen::inRange(0, 7));
      if (plan.keep == KeepRule::kPrefix) plan.prefix = *ordinal;
      if (plan.keep == KeepRule::kOnly || plan.keep == KeepRule::kNeed ||
          plan.keep == KeepRule::kExcept) {
        plan.ops = *rc::gen::container<std::vector<uint32_t>>(ordinal);
      }
      if (plan.keep == KeepRule::kList) {
        plan.bits = *rc::gen::container<std::string>(rc::gen::element('0', '1'));
      }
      plan.tears = *rc::gen::container<std::vector<Tear>>(rc::gen::construct<Tear>(
          ordinal, rc::gen::arbitrary<uint8_t>(), rc::gen::arbitrary<uint8_t>(),
          rc::gen::oneOf(ordinal, rc::gen::just(Tear::kOnPlatter))));
      plan.fills = *rc::gen::container<std::vector<Fill>>(
          rc::gen::mapcat(rc::gen::inRange(0, 2), [ordinal](int kind) {
            return rc::gen::construct<Fill>(ordinal, rc::gen::just(static_cast<Fill::Kind>(kind)),
                                            kind == 0 ? ordinal : rc::gen::just<uint32_t>(0));
          }));
    }
    const std::string text = plan.ToString();
    const StatusOr<CrashPlan> parsed = CrashPlan::Parse(text);
    RC_LOG() << text << "\n" << parsed.status().ToString() << "\n";
    RC_ASSERT(parsed.ok());
    RC_ASSERT(*parsed == plan);
    RC_ASSERT(parsed->ToString() == text);
  }));
}

TEST(FaultRuleText, Examples) {
  for (const char* text : {
           "ops=append,sync path=*.log skip=3 times=once effect=eio",
           "ops=sync path=* skip=0 times=2 effect=sync_fail:keep_new_clean",
           "ops=any path=*/MANIFEST-* skip=0 times=always effect=latency:2500",
           "ops=append path=* skip=0 times=once effect=short_write:100",
           "ops=mutating path=/db/?.sst skip=0 times=once effect=enospc",
           "ops=sync_dir path=* skip=0 times=once effect=sync_fail:shutdown",
           "ops=read path=*.sst skip=0 times=3 effect=short_read:0",
           "ops=read path=* skip=0 times=once effect=stale_read:7",
           "ops=read,sync,close path=* skip=0 times=once effect=bit_rot:18446744073709551615",
           "ops=sync path=*.wal skip=0 times=once effect=lost_write:1",
           "ops=sync path=* skip=0 times=once effect=misdirected_write:2",
           "ops=sync,sync_dir path=* skip=0 times=always effect=lying_flush",
       }) {
    const StatusOr<FaultRule> rule = FaultRule::Parse(text);
    ASSERT_TRUE(rule.ok()) << rule.status().ToString();
    EXPECT_EQ(rule->ToString(), text);
  }
  EXPECT_EQ(FaultRule::Parse("ops=sync effect=eio")->ToString(),
            "ops=sync path=* skip=0 times=once effect=eio");
}

TEST(FaultRuleText, Errors) {
  const auto error = [](const char* text) {
    return std::string(FaultRule::Parse(text).status().message());
  };
  EXPECT_EQ(error("ops=append"), "fault rule: 'ops=append': expected at least ops= and effect=");
  EXPECT_EQ(error("effect=eio"), "fault rule: 'effect=eio': expected at least ops= and effect=");
  EXPECT_TRUE(error("ops=append,fly effect=eio").starts_with("fault rule: 'fly': expected any, "));
  EXPECT_EQ(error("ops=append ops=sync effect=eio"),
            "fault rule: 'ops=sync': expected ops=, path=, skip=, times= and effect=, each once");
  EXPECT_EQ(error("ops=append when=now effect=eio"),
            "fault rule: 'when=now': expected ops=, path=, skip=, times= and effect=, each once");
  EXPECT_EQ(error("ops=append times=0 effect=eio"),
            "fault rule: '0': expected times=once, times=always or a number from 1");
  EXPECT_EQ(error("ops=append skip=x effect=eio"), "fault rule: 'skip=x': expected skip=N");
  EXPECT_EQ(error("ops=append path= effect=eio"), "fault rule: 'path=': expected path=GLOB");
  for (const char* effect : {"eio:5", "latency", "latency:", "sync_fail", "sync_fail:maybe",
                             "short_write:-1", "boom", "lying_flush:1", "bit_rot"}) {
    EXPECT_TRUE(error(("ops=any effect=" + std::string(effect)).c_str())
                    .starts_with("fault rule: '" + std::string(effect) + "': expected eio, "))
        << effect;
  }
  EXPECT_EQ(error("ops=append effect=sync_fail:shutdown"),
            "fault rule: 'ops=append effect=sync_fail:shutdown': expected ops among "
            "sync,sync_dir for this effect")
      << "a rule that can never fire is refused";
}

TEST(FaultRuleText, RoundTrips) {
  EXPECT_TRUE(rc::check("rule -> text -> rule", [] {
    FaultRule rule;
    rule.effect = static_cast<EffectKind>(*rc::gen::inRange(0, kEffectKinds));
    rule.calls = *rc::gen::inRange<CallKindSet>(1, kAllCalls + 1);
    rule.calls |= CallsOf(rule.effect);
    if (rule.effect == EffectKind::kSyncFail) {
      rule.sync_failure = static_cast<SyncFailure>(*rc::gen::inRange(0, 4));
    }
    if (rule.effect >= EffectKind::kShortWrite && rule.effect != EffectKind::kLyingFlush) {
      rule.amount = *rc::gen::arbitrary<uint64_t>();
    }
    rule.path_glob = *rc::gen::nonEmpty(
        rc::gen::container<std::string>(rc::gen::element('a', '*', '?', '/', '.', '=', ':', ',')));
    rule.skip = *rc::gen::arbitrary<uint32_t>();
    rule.times = *rc::gen::arbitrary<uint32_t>();
    const StatusOr<FaultRule> parsed = FaultRule::Parse(rule.ToString());
    RC_LOG() << rule.ToString() << "\n" << parsed.status().ToString() << "\n";
    RC_ASSERT(parsed.ok());
    RC_ASSERT(*parsed == rule);
  }));
}

TEST(PlanText, NoiseIsRefusedOrUnderstood) {
  EXPECT_TRUE(rc::check("any text parses to what prints the same, or is an error", [] {
    const auto text = *rc::gen::map(
        rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
            "power ", "process", "keep=", "all", "only:", "1", "23", ",", " ", "tears=", ":", "0x",
            "f", "@", "!", "fills=", "stale", "garbage", "ops=", "append", "sync", "effect=", "eio",
            "path=", "*", "times=", "once", "sync_fail", "shutdown")),
        [](const std::vector<std::string>& words) {
          std::string joined;
          for (const std::string& word : words) joined += word;
          return joined;
        });
    const StatusOr<CrashPlan> plan = CrashPlan::Parse(text);
    if (plan.ok()) RC_ASSERT(*CrashPlan::Parse(plan->ToString()) == *plan);
    const StatusOr<FaultRule> rule = FaultRule::Parse(text);
    if (rule.ok()) RC_ASSERT(*FaultRule::Parse(rule->ToString()) == *rule);
  }));
}

TEST(Glob, Matches) {
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("*.log", "/db/000001.log"));
  EXPECT_FALSE(GlobMatches("*.log", "/db/000001.log.tmp"));
  EXPECT_FALSE(GlobMatches(".log", "/db/000001.log"));
  EXPECT_TRUE(GlobMatches("/db/?.sst", "/db/7.sst"));
  EXPECT_FALSE(GlobMatches("/db/?.sst", "/db/77.sst"));
  EXPECT_TRUE(GlobMatches("*a*b*", "xxaxxabx"));
  EXPECT_FALSE(GlobMatches("*a*b*c", "xxaxxabx"));
  EXPECT_FALSE(GlobMatches("?", ""));
}

}  // namespace
}  // namespace shearpin::faultfs
