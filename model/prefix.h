// Prefix: which entries of a commit log a state is made of.
//
// state(n, F): everything in [0, flushed), the logged entries of [flushed, n), without the failed
// entries inside the `skipped` runs. See crash_oracle.h for why states have this shape.
//
// A value; thread-compatible.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "model/commit_log.h"

namespace shearpin::model {

struct Prefix {
  size_t n = 0;
  size_t flushed = 0;
  std::vector<std::pair<size_t, size_t>> skipped;

  bool Includes(const CommitLog::Version& version) const;
  // The newest version in the state; null for the base value.
  const CommitLog::Version* Latest(const CommitLog::KeyHistory& history) const;
};

// The hash of the (key, value) pair that `version` of `history` stands for; null is the base.
uint64_t HashOf(const CommitLog::KeyHistory& history, const CommitLog::Version* version);

// The value, or false for "no such key".
bool ValueOf(const CommitLog::KeyHistory& history, const CommitLog::Version* version,
             std::string_view* value);

// The state that the prefix of `log` makes.
State StateOf(const CommitLog& log, const Prefix& prefix);

}  // namespace shearpin::model
