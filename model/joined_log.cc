#include "model/joined_log.h"

#include <algorithm>

namespace shearpin::model {
namespace {

bool IsCarried(const EpochPart& part, size_t position) {
  if (part.carried == nullptr) return true;
  const CommitLog::Entry& entry = part.log->entries()[position];
  CommitLog::Version version;
  version.position = position;
  version.logged = entry.logged();
  version.failed = entry.fate == CommitLog::Fate::kFailed;
  return part.carried->Includes(version);
}

void Append(const EpochPart& part, CommitLog* joined) {
  const auto& entries = part.log->entries();
  for (size_t position = 0; position < entries.size(); ++position) {
    if (!IsCarried(part, position)) continue;
    const CommitLog::Entry& entry = entries[position];
    // Where several prefixes made the state that was recovered, an epoch's numbers may begin below
    // the last of the one before it.
    const uint64_t last = joined->entries().empty() ? joined->base_sequence()
                                                    : joined->entries().back().last_sequence;
    const size_t at = joined->Insert(entry.id, entry.batch, entry.durability,
                                     std::max(entry.first_sequence, last + 1), entry.epoch);
    // A failed batch that a recovery brought back is there as others are.
    joined->SetFate(at, part.carried ? CommitLog::Fate::kAcknowledged : entry.fate,
                    entry.acknowledged_at);
  }
}

State WithoutVanishing(const CommitLog& log, const Prefix& prefix) {
  State state = StateOf(log, prefix);
  std::erase_if(state, [&](const auto& pair) { return log.MayBeGone(pair.first, pair.second); });
  return state;
}

}  // namespace

Prefix LongestLike(const CommitLog& log, const Prefix& accepted) {
  if (!log.any_may_vanish()) return accepted;
  const State state = WithoutVanishing(log, accepted);
  Prefix longest = accepted;
  for (size_t n = log.entries().size(); n > accepted.n; --n) {
    longest.n = n;
    for (const size_t flushed : {n, accepted.flushed}) {
      longest.flushed = flushed;
      if (WithoutVanishing(log, longest) == state) return longest;
    }
  }
  return accepted;
}

size_t CarriedBefore(const EpochPart& part, size_t positions) {
  size_t carried = 0;
  for (size_t position = 0; position < positions; ++position) {
    if (IsCarried(part, position)) ++carried;
  }
  return carried;
}

std::shared_ptr<const CommitLog> JoinLogs(std::span<const EpochPart> parts) {
  const CommitLog& first = *parts.front().log;
  auto joined = std::make_shared<CommitLog>(first.may_vanish());
  joined->RebaseTo(StateOf(first, Prefix{}), first.base_sequence());
  for (const EpochPart& part : parts) Append(part, joined.get());
  return joined;
}

}  // namespace shearpin::model
