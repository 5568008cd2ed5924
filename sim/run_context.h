// RunContext: what the parts of one simulation share: the record, the model, the batches in
// flight, and the first thing that went wrong.
//
// Thread safety: fibers of one scheduler. No call here is a scheduling point.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/event_listener.h"
#include "engine/status.h"
#include "faultfs/crash_plan.h"
#include "model/crash_oracle.h"
#include "model/kv_model.h"
#include "sim/checkpoint_check.h"
#include "sim/damage_check.h"
#include "sim/deterministic_scheduler.h"
#include "sim/run_result.h"
#include "sim/store_paths.h"
#include "sim/subject/subject.h"
#include "sim/trace.h"

namespace shearpin::sim {

// Counts the subject's events, and puts them on record. `resumed` is called when a subject's writer
// works again, before its next write.
class EventCounter : public EventListener {
 public:
  EventCounter(Trace* trace, std::function<void(uint64_t visible)> resumed)
      : trace_(trace), resumed_(std::move(resumed)) {}
  void OnEvent(const Event& event) override;
  uint64_t count(EventKind kind) const { return counts_[static_cast<size_t>(kind)]; }

 private:
  Trace* const trace_;
  const std::function<void(uint64_t visible)> resumed_;
  std::array<uint64_t, static_cast<size_t>(EventKind::kNumEventKinds)> counts_ = {};
};

class RunContext {
 public:
  // Nothing is owned; all of it outlives the context.
  RunContext(const Plan& plan, Trace* trace, DeterministicScheduler* scheduler);
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;

  Trace& trace() { return *trace_; }
  DeterministicScheduler& scheduler() { return *scheduler_; }
  model::KvModel& model() { return model_; }
  const model::CrashOracle& oracle() const { return oracle_; }
  EventCounter& events() { return events_; }
  RunResult& result() { return result_; }
  // As given; crash choices are written down in result().plan.
  const Plan& plan() const { return plan_; }
  // Every key that the plan's writes name, sorted, once each.
  const std::vector<std::string>& keys() const { return keys_; }

  bool failed() const { return result_.failure.has_value(); }
  // Keeps the first failure, with the operations that led to it.
  void Fail(FailureClass failure_class, std::string message);
  void Fail(const model::Violation& violation);
  // True if ok; else it has become the failure.
  bool Check(const model::Violation& violation);
  // The same of what a verification that was passed should have missed.
  bool CheckDamage(const DamageCheck& damage, Subject* subject);
  // The disk has broken a promise without telling: from here on the subject may refuse, with
  // Corruption or IoError, whatever it is asked. False takes that back.
  void BreakStorage(bool broken = true) { storage_broken_ = broken; }
  bool storage_broken() const { return storage_broken_; }
  // Whether a fault, or a promise that was broken, stands behind an error.
  bool IsExcused(const Status& status) const;

  // For an error of the subject: true if it is excused; else it has become the failure.
  bool CheckInjected(const Status& status, std::string_view what);

  // Batches in flight. `batch` stays alive until Landed.
  model::KvModel::BatchId Issue(model::Batch changes, Durability durability,
                                const SubjectBatch* batch);
  void Landed(model::KvModel::BatchId id);
  // Tells the model which of them have got their numbers: before a read is judged, since readers
  // may see a batch before its writer hears of it.
  void PollInFlight();

  // Those made so far; none ever goes.
  std::vector<CheckpointCopy>& checkpoints() { return checkpoints_; }
  // Of its own for each try: one that failed may have left files.
  std::string NextCheckpointDirectory() {
    return std::string(kCheckpointPrefix) + std::to_string(++checkpoint_number_);
  }

  // Of its own for each table that is built outside.
  std::string NextTablePath() { return "/outside-" + std::to_string(++table_number_) + ".sst"; }

  // For the report: what clients do, and did last.
  void BeginStep(uint32_t client, uint32_t step) { current_steps_[client] = step; }
  void EndSteps(uint32_t client) { current_steps_[client] = kNoStep; }
  // A line for each client that is in the middle of its steps.
  std::string DescribeClients() const;
  void Remember(uint32_t client, uint32_t step, StatusCode code, uint64_t sequence);
  void RememberNote(std::string note);

 private:
  struct InFlight {
    model::KvModel::BatchId id;
    const SubjectBatch* batch;
    bool numbered;
  };
  struct Remembered {
    uint64_t micros = 0;
    uint32_t client = 0;
    uint32_t step = 0;
    StatusCode code = StatusCode::kOk;
    uint64_t sequence = 0;
    std::string note;  // instead of a step
  };
  std::string Describe(const Remembered& operation) const;
  Remembered& NextRemembered();
  static constexpr uint32_t kNoStep = UINT32_MAX;

  const Plan& plan_;
  Trace* const trace_;
  DeterministicScheduler* const scheduler_;
  model::KvModel model_;
  model::CrashOracle oracle_;
  EventCounter events_;
  RunResult result_;
  std::vector<std::string> keys_;
  std::vector<InFlight> in_flight_;
  std::vector<CheckpointCopy> checkpoints_;
  uint64_t checkpoint_number_ = 0;
  bool storage_broken_ = false;
  uint64_t table_number_ = 0;
  std::array<Remembered, 24> remembered_;
  uint64_t remembered_count_ = 0;
  std::vector<uint32_t> current_steps_;  // by client
};

}  // namespace shearpin::sim
