#include "sim/recovery_check.h"

#include "sim/story.h"

namespace shearpin::sim {

RecoveryCheck::RecoveryCheck(RunContext* context)
    : context_(context), reader_([context](std::string_view key, std::string_view value) {
        return context->model().MayBeGone(key, value);
      }) {}

RecoveryCheck::Outcome RecoveryCheck::Check(Subject* subject, const KindNow& kind,
                                            model::Verdict* verdict) {
  if (const Outcome outcome = Read(subject); outcome != Outcome::kLegal) return outcome;
  *verdict = context_->oracle().CheckRecovery(reader_.pairs(), kind());
  return Judge(*verdict);
}

RecoveryCheck::Outcome RecoveryCheck::CheckSame(Subject* subject, const model::Verdict& first) {
  if (const Outcome outcome = Read(subject); outcome != Outcome::kLegal) return outcome;
  return Judge(context_->oracle().CheckSameRecovery(reader_.pairs(), first));
}

RecoveryCheck::Outcome RecoveryCheck::Read(Subject* subject) {
  const Status status = ReadAll(subject);
  if (context_->failed()) return Outcome::kFailed;
  if (status.ok()) return Outcome::kLegal;
  return context_->CheckInjected(status, "reading the recovered store") ? Outcome::kFaulted
                                                                        : Outcome::kFailed;
}

RecoveryCheck::Outcome RecoveryCheck::Judge(const model::Verdict& verdict) {
  Trace& trace = context_->trace();
  trace.RecordUntold("recovered", verdict.n, verdict.flushed, reader_.pairs().size());
  if (trace.has_sink()) trace.Note(TellVerdict(verdict, reader_.pairs().size()));
  if (verdict.ok()) return Outcome::kLegal;
  context_->Fail(ClassOf(verdict.failure_class), verdict.message);
  return Outcome::kFailed;
}

Status RecoveryCheck::ReadAll(Subject* subject) {
  model::Violation violation;
  SHEARPIN_RETURN_IF_ERROR(reader_.Read(subject, context_->keys(), &violation));
  if (!context_->Check(violation)) return {};
  return subject->VerifyChecksums();
}

}  // namespace shearpin::sim
