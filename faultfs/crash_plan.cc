#include "faultfs/crash_plan.h"

#include "faultfs/word_reader.h"

namespace shearpin::faultfs {
namespace {

constexpr std::string_view kWhere = "crash plan";
constexpr uint64_t kMaxOrdinal = UINT32_MAX - 1;

struct RuleName {
  KeepRule rule;
  std::string_view name;
};
constexpr RuleName kRuleNames[] = {
    {KeepRule::kAll, "all"},   {KeepRule::kNone, "none"}, {KeepRule::kPrefix, "prefix"},
    {KeepRule::kOnly, "only"}, {KeepRule::kNeed, "need"}, {KeepRule::kExcept, "except"},
    {KeepRule::kList, "list"},
};

bool TakesOps(KeepRule rule) {
  return rule == KeepRule::kOnly || rule == KeepRule::kNeed || rule == KeepRule::kExcept;
}

void AppendTears(const std::vector<Tear>& tears, std::string* text) {
  for (size_t i = 0; i < tears.size(); ++i) {
    const Tear& tear = tears[i];
    text->append(i == 0 ? " tears=" : ",").append(std::to_string(tear.op));
    text->append(":").append(FormatMask(tear.new_sectors));
    if (tear.old_op != Tear::kOnPlatter) text->append("@").append(std::to_string(tear.old_op));
    if (tear.garbage_sectors != 0) text->append("!").append(FormatMask(tear.garbage_sectors));
  }
}

void AppendFills(const std::vector<Fill>& fills, std::string* text) {
  for (size_t i = 0; i < fills.size(); ++i) {
    const Fill& fill = fills[i];
    text->append(i == 0 ? " fills=" : ",").append(std::to_string(fill.op));
    if (fill.kind == Fill::Kind::kGarbage) {
      text->append(":garbage");
    } else {
      text->append(":stale:").append(std::to_string(fill.recycled));
    }
  }
}

Status ParseOrdinals(std::string_view list, std::vector<uint32_t>* ops) {
  if (list.empty()) return Status::Ok();
  WordReader reader(list, ',');
  std::string_view word;
  while (reader.Next(&word)) {
    uint64_t op;
    if (!ParseNumber(word, kMaxOrdinal, &op)) {
      return Unexpected(kWhere, word, "the ordinal of an operation");
    }
    ops->push_back(static_cast<uint32_t>(op));
  }
  return Status::Ok();
}

Status ParseKeep(std::string_view value, CrashPlan* plan) {
  const std::string_view whole = value;
  const bool has_argument = value.find(':') != std::string_view::npos;
  const std::string_view name = TakeHead(&value, ':');
  for (const RuleName& known : kRuleNames) {
    if (known.name != name) continue;
    plan->keep = known.rule;
    const bool wants_argument = known.rule != KeepRule::kAll && known.rule != KeepRule::kNone;
    if (wants_argument != has_argument) break;
    if (TakesOps(known.rule)) return ParseOrdinals(value, &plan->ops);
    if (known.rule == KeepRule::kPrefix) {
      uint64_t count;
      if (!ParseNumber(value, kMaxOrdinal, &count)) break;
      plan->prefix = static_cast<uint32_t>(count);
    } else if (known.rule == KeepRule::kList) {
      if (value.find_first_not_of("01") != std::string_view::npos) break;
      plan->bits = value;
    }
    return Status::Ok();
  }
  return Unexpected(kWhere, whole,
                    "all, none, prefix:N, only:A,B, need:A,B, except:A,B or list:0101");
}

Status ParseTears(std::string_view list, std::vector<Tear>* tears) {
  WordReader reader(list, ',');
  std::string_view word;
  while (reader.Next(&word)) {
    const std::string_view whole = word;
    Tear tear;
    const bool has_garbage = word.find('!') != std::string_view::npos;
    std::string_view garbage = word;
    std::string_view rest = TakeHead(&garbage, '!');
    const bool has_old = rest.find('@') != std::string_view::npos;
    std::string_view old = rest;
    std::string_view mask = TakeHead(&old, '@');
    uint64_t op;
    uint64_t old_op = Tear::kOnPlatter;
    if (!ParseNumber(TakeHead(&mask, ':'), kMaxOrdinal, &op) ||
        !ParseMask(mask, &tear.new_sectors) ||
        (has_old && !ParseNumber(old, kMaxOrdinal, &old_op)) ||
        (has_garbage &&
         (!ParseMask(garbage, &tear.garbage_sectors) || tear.garbage_sectors == 0))) {
      return Unexpected(kWhere, whole, "OP:0xNEW, OP:0xNEW@OLD or OP:0xNEW@OLD!0xGARBAGE");
    }
    tear.op = static_cast<uint32_t>(op);
    tear.old_op = static_cast<uint32_t>(old_op);
    tears->push_back(tear);
  }
  return Status::Ok();
}

Status ParseFills(std::string_view list, std::vector<Fill>* fills) {
  WordReader reader(list, ',');
  std::string_view word;
  while (reader.Next(&word)) {
    const std::string_view whole = word;
    Fill fill;
    uint64_t op = 0;
    uint64_t recycled = 0;
    bool good = ParseNumber(TakeHead(&word, ':'), kMaxOrdinal, &op);
    if (word == "garbage") {
      fill.kind = Fill::Kind::kGarbage;
    } else {
      good = good && TakeHead(&word, ':') == "stale" && ParseNumber(word, kMaxOrdinal, &recycled);
    }
    if (!good) return Unexpected(kWhere, whole, "OP:stale:K or OP:garbage");
    fill.op = static_cast<uint32_t>(op);
    fill.recycled = static_cast<uint32_t>(recycled);
    fills->push_back(fill);
  }
  return Status::Ok();
}

}  // namespace

std::string CrashPlan::ToString() const {
  if (kind == CrashKind::kProcess) return "process";
  std::string text = "power keep=";
  for (const RuleName& known : kRuleNames) {
    if (known.rule == keep) text += known.name;
  }
  if (keep == KeepRule::kPrefix) text.append(":").append(std::to_string(prefix));
  if (keep == KeepRule::kList) text.append(":").append(bits);
  if (TakesOps(keep)) {
    text += ':';
    for (size_t i = 0; i < ops.size(); ++i) {
      text.append(i == 0 ? "" : ",").append(std::to_string(ops[i]));
    }
  }
  AppendTears(tears, &text);
  AppendFills(fills, &text);
  return text;
}

StatusOr<CrashPlan> CrashPlan::Parse(std::string_view text) {
  CrashPlan plan;
  WordReader reader(text, ' ');
  std::string_view word;
  if (!reader.Next(&word)) return Unexpected(kWhere, text, "'power' or 'process'");
  if (word == "process") {
    plan.kind = CrashKind::kProcess;
    if (reader.Next(&word)) return Unexpected(kWhere, word, "nothing after 'process'");
    return plan;
  }
  if (word != "power") return Unexpected(kWhere, word, "'power' or 'process'");
  if (!reader.Next(&word) || !word.starts_with("keep=")) {
    return Unexpected(kWhere, text, "keep=... after 'power'");
  }
  SHEARPIN_RETURN_IF_ERROR(ParseKeep(word.substr(5), &plan));
  bool has_tears = false;
  bool has_fills = false;
  while (reader.Next(&word)) {
    if (word.starts_with("tears=") && !has_tears && !has_fills) {
      has_tears = true;
      SHEARPIN_RETURN_IF_ERROR(ParseTears(word.substr(6), &plan.tears));
    } else if (word.starts_with("fills=") && !has_fills) {
      has_fills = true;
      SHEARPIN_RETURN_IF_ERROR(ParseFills(word.substr(6), &plan.fills));
    } else {
      return Unexpected(kWhere, word, "tears=..., then fills=..., each once");
    }
  }
  return plan;
}

}  // namespace shearpin::faultfs
