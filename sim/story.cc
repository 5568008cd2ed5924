#include "sim/story.h"

#include <cinttypes>
#include <cstdio>

namespace shearpin::sim {
namespace {

std::string StepName(uint32_t client, uint32_t index) {
  return "client " + std::to_string(client) + " step " + std::to_string(index);
}

std::string_view UnitOf(EventKind kind) {
  switch (kind) {
    case EventKind::kRecoveredLog:
    case EventKind::kMemtableFrozen:
    case EventKind::kMemtableCut:
    case EventKind::kFlushDone:
    case EventKind::kCompactionDone:
    case EventKind::kTableIngested:
      return " bytes";
    case EventKind::kTornTail:
      return " bytes of it kept";
    case EventKind::kWriteDelayed:
      return " us";
    default:
      return "";
  }
}

}  // namespace

std::string StoryLine(uint64_t micros, std::string_view fiber, std::string_view line) {
  char begin[64];
  std::snprintf(begin, sizeof begin, "%9" PRIu64 "  %-15.*s  ", micros,
                static_cast<int>(fiber.size()), fiber.data());
  return begin + std::string(line);
}

// Bytes are told by a digest of theirs: two traces that differ in them differ there.
std::string TellCall(const faultfs::FsCall& call, uint64_t data_hash, const Status& result,
                     bool crashed) {
  std::string text = crashed || result.ok() || !result.injected() ? "file: " : "fault: ";
  text += faultfs::CallKindName(call.kind);
  text += ' ' + std::string(call.path);
  if (!call.second_path.empty()) text += " to " + std::string(call.second_path);
  if (call.offset != 0) text += " at " + std::to_string(call.offset);
  if (call.size != 0) text += ", " + std::to_string(call.size) + " bytes";
  if (data_hash != 0) {
    char hash[32];
    std::snprintf(hash, sizeof hash, " #%08" PRIx32, static_cast<uint32_t>(data_hash));
    text += hash;
  }
  if (!result.ok()) text += crashed ? " -> the machine has stopped" : " -> " + result.ToString();
  return text;
}

std::string TellEvent(const Event& event) {
  std::string text = "event: " + std::string(EventKindName(event.kind));
  if (event.number != 0) text += " " + std::to_string(event.number);
  if (event.amount != 0)
    text += ", " + std::to_string(event.amount) + std::string(UnitOf(event.kind));
  return text;
}

std::string TellVerdict(const model::Verdict& verdict, size_t pairs) {
  std::string text = "check: recovered " + std::to_string(pairs) + " pairs, ";
  if (!verdict.ok()) return text + "which no order of the writes explains";
  text += "everything up to sequence " + std::to_string(verdict.n);
  if (verdict.flushed != verdict.n) {
    text += " (unlogged writes up to " + std::to_string(verdict.flushed) + ")";
  }
  return text;
}

std::string TellStep(uint32_t client, uint32_t index, const Step& step) {
  std::string text = "step: " + StepName(client, index) + ": ";
  AppendStepText(step, &text);
  return text;
}

std::string TellAnswer(uint32_t client, uint32_t index, const Step& step, const Status& status,
                       uint64_t sequence) {
  std::string text = "answer: " + StepName(client, index) + ", " +
                     std::string(StepKindName(step.kind)) + ": " + status.ToString();
  if (sequence != 0) text += " at sequence " + std::to_string(sequence);
  return text;
}

}  // namespace shearpin::sim
