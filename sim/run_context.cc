#include "sim/run_context.h"

#include <algorithm>

#include "sim/plan_terms.h"
#include "sim/story.h"

namespace shearpin::sim {

void EventCounter::OnEvent(const Event& event) {
  ++counts_[static_cast<size_t>(event.kind)];
  trace_->RecordUntold("event", EventKindName(event.kind), event.number, event.amount);
  if (trace_->has_sink()) trace_->Note(TellEvent(event));
  if (event.kind == EventKind::kResumed) resumed_(event.amount);
}

RunContext::RunContext(const Plan& plan, Trace* trace, DeterministicScheduler* scheduler)
    : plan_(plan),
      trace_(trace),
      scheduler_(scheduler),
      model_(MayVanishOf(plan)),
      oracle_(&model_),
      events_(trace, [this](uint64_t visible) {
        PollInFlight();
        model_.Resumed();
        model_.DropFailed(visible);
      }) {
  result_.plan = plan;
  current_steps_.assign(plan.clients.size(), kNoStep);
  result_.seed = plan.seed;
  for (const auto& steps : plan.clients) {
    for (const Step& step : steps) {
      for (const Mutation& mutation : step.mutations) keys_.push_back(mutation.key.Materialise());
    }
  }
  std::sort(keys_.begin(), keys_.end());
  keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
}

void RunContext::Fail(FailureClass failure_class, std::string message) {
  if (failed()) return;
  trace_->Record("FAILURE", FailureClassName(failure_class), message);
  Failure& failure = result_.failure.emplace();
  failure.failure_class = failure_class;
  failure.message = std::move(message);
  const uint64_t kept = std::min<uint64_t>(remembered_count_, remembered_.size());
  for (uint64_t i = remembered_count_ - kept; i < remembered_count_; ++i) {
    failure.last_operations.push_back(Describe(remembered_[i % remembered_.size()]));
  }
}

bool RunContext::CheckDamage(const DamageCheck& damage, Subject* subject) {
  std::string missed = damage.Missed(subject);
  if (missed.empty()) return true;
  Fail(FailureClass::kUndetectedDamage, std::move(missed));
  return false;
}

void RunContext::Fail(const model::Violation& violation) {
  Fail(ClassOf(violation.failure_class), violation.message);
}

bool RunContext::Check(const model::Violation& violation) {
  if (violation.ok()) return true;
  Fail(violation);
  return false;
}

bool RunContext::IsExcused(const Status& status) const {
  return status.injected() || (storage_broken_ && (status.IsCorruption() || status.IsIoError()));
}

bool RunContext::CheckInjected(const Status& status, std::string_view what) {
  if (IsExcused(status)) return true;
  Fail(FailureClass::kUnexpectedError,
       std::string(what) + ": " + status.ToString() + " (no injected fault stands behind it)");
  return false;
}

model::KvModel::BatchId RunContext::Issue(model::Batch changes, Durability durability,
                                          const SubjectBatch* batch) {
  const model::KvModel::BatchId id = model_.Issue(std::move(changes), durability);
  in_flight_.push_back({id, batch, false});
  return id;
}

void RunContext::Landed(model::KvModel::BatchId id) {
  std::erase_if(in_flight_, [id](const InFlight& each) { return each.id == id; });
}

void RunContext::PollInFlight() {
  for (InFlight& each : in_flight_) {
    if (each.numbered || each.batch->first_sequence() == 0) continue;
    each.numbered = true;
    Check(model_.Assign(each.id, each.batch->first_sequence()));
  }
}

RunContext::Remembered& RunContext::NextRemembered() {
  Remembered& operation = remembered_[remembered_count_++ % remembered_.size()];
  operation.micros = scheduler_->NowMicros();
  operation.note.clear();
  return operation;
}

void RunContext::Remember(uint32_t client, uint32_t step, StatusCode code, uint64_t sequence) {
  Remembered& operation = NextRemembered();
  operation.client = client;
  operation.step = step;
  operation.code = code;
  operation.sequence = sequence;
}

void RunContext::RememberNote(std::string note) { NextRemembered().note = std::move(note); }

std::string RunContext::DescribeClients() const {
  std::string text;
  for (size_t client = 0; client < current_steps_.size(); ++client) {
    const uint32_t step = current_steps_[client];
    if (step == kNoStep) continue;
    text += "  client " + std::to_string(client) + " is at step " + std::to_string(step) + ": ";
    AppendStepText(plan_.clients[client][step], &text);
    text += '\n';
  }
  return text;
}

std::string RunContext::Describe(const Remembered& operation) const {
  std::string line = std::to_string(operation.micros) + " us  ";
  if (!operation.note.empty()) return line + operation.note;
  line += "client " + std::to_string(operation.client) + " step " + std::to_string(operation.step) +
          ": ";
  AppendStepText(plan_.clients[operation.client][operation.step], &line);
  line += " -> ";
  line += operation.code == StatusCode::kOk ? "OK" : StatusCodeName(operation.code);
  if (operation.sequence != 0) line += " at sequence " + std::to_string(operation.sequence);
  return line;
}

}  // namespace shearpin::sim
