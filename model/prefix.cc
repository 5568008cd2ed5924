#include "model/prefix.h"

namespace shearpin::model {

bool Prefix::Includes(const CommitLog::Version& version) const {
  if (version.position >= n) return false;
  if (!version.logged && version.position >= flushed) return false;
  if (version.failed) {
    for (const auto& [begin, end] : skipped) {
      if (version.position >= begin && version.position < end) return false;
    }
  }
  return true;
}

const CommitLog::Version* Prefix::Latest(const CommitLog::KeyHistory& history) const {
  for (size_t i = history.versions.size(); i-- > 0;) {
    if (Includes(history.versions[i])) return &history.versions[i];
  }
  return nullptr;
}

uint64_t HashOf(const CommitLog::KeyHistory& history, const CommitLog::Version* version) {
  return version == nullptr ? history.base_hash : version->pair_hash;
}

bool ValueOf(const CommitLog::KeyHistory& history, const CommitLog::Version* version,
             std::string_view* value) {
  if (version == nullptr) {
    if (!history.base.has_value()) return false;
    *value = *history.base;
    return true;
  }
  if (version->deleted) return false;
  *value = version->value;
  return true;
}

State StateOf(const CommitLog& log, const Prefix& prefix) {
  State state;
  std::string_view value;
  for (const auto& [key, history] : log.keys()) {
    if (ValueOf(history, prefix.Latest(history), &value)) {
      state.emplace_hint(state.end(), key, value);
    }
  }
  return state;
}

}  // namespace shearpin::model
