#include "faultfs/fault_rule.h"

#include "faultfs/word_reader.h"

namespace shearpin::faultfs {
namespace {

constexpr std::string_view kWhere = "fault rule";
constexpr std::string_view kEffectNames[kEffectKinds] = {
    "eio",        "enospc",  "sync_fail",  "short_write",       "latency",    "short_read",
    "stale_read", "bit_rot", "lost_write", "misdirected_write", "lying_flush"};
constexpr std::string_view kSyncFailureNames[] = {"keep_new_clean", "revert_old", "report_next",
                                                  "shutdown"};

bool TakesAmount(EffectKind kind) {
  return kind >= EffectKind::kShortWrite && kind != EffectKind::kLyingFlush;
}

std::string FormatCalls(CallKindSet calls) {
  if (calls == kAllCalls) return "any";
  if (calls == kMutatingCalls) return "mutating";
  std::string text;
  for (int i = 0; i < kCallKinds; ++i) {
    const auto kind = static_cast<CallKind>(i);
    if ((calls & SetOf(kind)) == 0) continue;
    if (!text.empty()) text += ',';
    text += CallKindName(kind);
  }
  return text;
}

Status ParseCalls(std::string_view list, CallKindSet* calls) {
  *calls = list == "any" ? kAllCalls : list == "mutating" ? kMutatingCalls : 0;
  if (*calls != 0) return Status::Ok();
  WordReader reader(list, ',');
  std::string_view word;
  while (reader.Next(&word)) {
    CallKind kind;
    if (!CallKindFromName(word, &kind)) {
      return Unexpected(kWhere, word,
                        "any, mutating or a list of " +
                            FormatCalls(kAllCalls ^ SetOf(CallKind::kOpenRead)) + " and open_read");
    }
    *calls |= SetOf(kind);
  }
  return Status::Ok();
}

Status ParseTimes(std::string_view value, uint32_t* times) {
  uint64_t number = 0;
  if (value == "once") {
    *times = 1;
  } else if (value == "always") {
    *times = FaultRule::kAlways;
  } else if (ParseNumber(value, UINT32_MAX, &number) && number > 0) {
    *times = static_cast<uint32_t>(number);
  } else {
    return Unexpected(kWhere, value, "times=once, times=always or a number from 1");
  }
  return Status::Ok();
}

Status ParseEffect(std::string_view value, FaultRule* rule) {
  const std::string_view whole = value;
  const std::string_view name = TakeHead(&value, ':');
  for (int i = 0; i < kEffectKinds; ++i) {
    if (kEffectNames[i] != name) continue;
    rule->effect = static_cast<EffectKind>(i);
    if (TakesAmount(rule->effect)) {
      if (ParseNumber(value, UINT64_MAX, &rule->amount)) return Status::Ok();
    } else if (rule->effect == EffectKind::kSyncFail) {
      for (int mode = 0; mode < 4; ++mode) {
        if (kSyncFailureNames[mode] != value) continue;
        rule->sync_failure = static_cast<SyncFailure>(mode);
        return Status::Ok();
      }
    } else if (whole == name) {
      return Status::Ok();
    }
  }
  return Unexpected(kWhere, whole,
                    "eio, enospc, sync_fail:keep_new_clean, sync_fail:revert_old, "
                    "sync_fail:report_next, sync_fail:shutdown, short_write:BYTES, "
                    "latency:MICROS, short_read:BYTES, stale_read:N, bit_rot:N, lost_write:N, "
                    "misdirected_write:N or lying_flush");
}

}  // namespace

std::string_view EffectKindName(EffectKind kind) { return kEffectNames[static_cast<int>(kind)]; }

CallKindSet CallsOf(EffectKind kind) {
  switch (kind) {
    case EffectKind::kSyncFail:
    case EffectKind::kLyingFlush:
      return SetOf(CallKind::kSync) | SetOf(CallKind::kSyncDir);
    case EffectKind::kShortWrite:
      return SetOf(CallKind::kAppend);
    case EffectKind::kShortRead:
    case EffectKind::kStaleRead:
      return SetOf(CallKind::kRead);
    case EffectKind::kBitRot:
      return SetOf(CallKind::kRead) | SetOf(CallKind::kSync) | SetOf(CallKind::kClose);
    case EffectKind::kLostWrite:
    case EffectKind::kMisdirectedWrite:
      return SetOf(CallKind::kSync);
    case EffectKind::kIoError:
    case EffectKind::kNoSpace:
    case EffectKind::kLatency:
      break;
  }
  return kAllCalls;
}

std::string_view SyncFailureName(SyncFailure mode) {
  return kSyncFailureNames[static_cast<int>(mode)];
}

std::string FaultRule::ToString() const {
  std::string text = "ops=" + FormatCalls(calls) + " path=" + path_glob;
  text += " skip=" + std::to_string(skip) + " times=";
  text += times == kAlways ? "always" : times == 1 ? "once" : std::to_string(times);
  text.append(" effect=").append(EffectKindName(effect));
  if (effect == EffectKind::kSyncFail) text.append(":").append(SyncFailureName(sync_failure));
  if (TakesAmount(effect)) text.append(":").append(std::to_string(amount));
  return text;
}

StatusOr<FaultRule> FaultRule::Parse(std::string_view text) {
  FaultRule rule;
  constexpr std::string_view kKeys[] = {"ops", "path", "skip", "times", "effect"};
  bool seen[5] = {};
  WordReader reader(text, ' ');
  std::string_view word;
  while (reader.Next(&word)) {
    std::string_view value = word;
    const std::string_view key = TakeHead(&value, '=');
    size_t which = 0;
    while (which < 5 && kKeys[which] != key) ++which;
    if (which == 5 || seen[which]) {
      return Unexpected(kWhere, word, "ops=, path=, skip=, times= and effect=, each once");
    }
    seen[which] = true;
    uint64_t number = 0;
    if (key == "ops") {
      SHEARPIN_RETURN_IF_ERROR(ParseCalls(value, &rule.calls));
    } else if (key == "path") {
      if (value.empty()) return Unexpected(kWhere, word, "path=GLOB");
      rule.path_glob = value;
    } else if (key == "skip") {
      if (!ParseNumber(value, UINT32_MAX, &number)) return Unexpected(kWhere, word, "skip=N");
      rule.skip = static_cast<uint32_t>(number);
    } else if (key == "times") {
      SHEARPIN_RETURN_IF_ERROR(ParseTimes(value, &rule.times));
    } else {
      SHEARPIN_RETURN_IF_ERROR(ParseEffect(value, &rule));
    }
  }
  if (!seen[0] || !seen[4]) return Unexpected(kWhere, text, "at least ops= and effect=");
  if ((rule.calls & CallsOf(rule.effect)) == 0) {
    return Unexpected(kWhere, text,
                      "ops among " + FormatCalls(CallsOf(rule.effect)) + " for this effect");
  }
  return rule;
}

bool GlobMatches(std::string_view glob, std::string_view text) {
  size_t g = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t star_text = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      star_text = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

}  // namespace shearpin::faultfs
