#include "engine/db/commit_history.h"

#include <iterator>
#include <utility>

#include "engine/base/check.h"

namespace shearpin {
namespace {

// Of a node of the map and an entry of the list, roughly.
constexpr uint64_t kChangeOverhead = 96;

Status Conflict(std::string_view key, SequenceNumber sequence) {
  std::string text = "conflict: ";
  for (const char c : key.substr(0, 64)) {
    const bool plain = c >= ' ' && c <= '~';
    text += plain ? c : '?';
  }
  if (sequence == 0) return Status::Busy(text + " is being changed");
  return Status::Busy(text + " was changed at sequence " + std::to_string(sequence));
}

// The first change of a batch that is in a set.
class ConflictFinder : public WriteBatch::Handler {
 public:
  explicit ConflictFinder(const KeySet& keys) : keys_(keys) {}
  void Put(std::string_view key, std::string_view) override { Delete(key); }
  void Delete(std::string_view key) override {
    if (status_.ok() && keys_.Contains(key)) status_ = Conflict(key, 0);
  }
  void DeleteRange(std::string_view begin, std::string_view end) override {
    if (status_.ok() && keys_.Intersects(begin, end)) status_ = Conflict(begin, 0);
  }
  const Status& status() const { return status_; }

 private:
  const KeySet& keys_;
  Status status_;
};

}  // namespace

class CommitHistory::Recorder : public WriteBatch::Handler {
 public:
  Recorder(CommitHistory* history, SequenceNumber first) : history_(history), sequence_(first) {}
  void Put(std::string_view key, std::string_view) override { Delete(key); }
  void Delete(std::string_view key) override {
    auto at = history_->keys_.find(key);
    if (at == history_->keys_.end()) at = history_->keys_.emplace(key, 0).first;
    at->second = sequence_;
    history_->changes_.push_back({sequence_, at});
    history_->bytes_ += kChangeOverhead + key.size();
    ++sequence_;
  }
  void DeleteRange(std::string_view begin, std::string_view end) override {
    history_->ranges_.push_back({std::string(begin), std::string(end), sequence_});
    history_->changes_.push_back({sequence_, history_->keys_.end()});
    history_->bytes_ += kChangeOverhead + begin.size() + end.size();
    ++sequence_;
  }

 private:
  CommitHistory* const history_;
  SequenceNumber sequence_;
};

void CommitHistory::Begin(SequenceNumber snapshot) {
  // What was written before the first of them was not recorded, and none needs it.
  if (unfinished_.empty()) floor_ = snapshot;
  unfinished_.insert(snapshot);
}

void CommitHistory::End(SequenceNumber snapshot) {
  unfinished_.erase(unfinished_.find(snapshot));
  while (!changes_.empty() &&
         (unfinished_.empty() || changes_.front().sequence <= *unfinished_.begin())) {
    ForgetOldest();
  }
}

void CommitHistory::Record(const WriteBatch& batch) {
  if (unfinished_.empty() || batch.empty()) return;
  Recorder recorder(this, batch.first_sequence());
  const Status status = batch.Iterate(&recorder);
  SHEARPIN_CHECK(status.ok(), "a batch that was built here does not decode");
  while (bytes_ > budget_) ForgetOldest();
}

void CommitHistory::RecordRange(std::string_view smallest, std::string_view largest,
                                SequenceNumber sequence) {
  if (unfinished_.empty()) return;
  Recorder recorder(this, sequence);
  // The least key after the largest ends a range that excludes its end.
  recorder.DeleteRange(smallest, std::string(largest) + '\0');
  while (bytes_ > budget_) ForgetOldest();
}

void CommitHistory::ForgetOldest() {
  const Change& oldest = changes_.front();
  floor_ = oldest.sequence;
  if (oldest.key == keys_.end()) {
    bytes_ -= kChangeOverhead + ranges_.front().begin.size() + ranges_.front().end.size();
    ranges_.pop_front();
  } else {
    bytes_ -= kChangeOverhead + oldest.key->first.size();
    // Unless the key was changed again.
    if (oldest.key->second == oldest.sequence) keys_.erase(oldest.key);
  }
  changes_.pop_front();
}

Status CommitHistory::Check(const KeySet& keys, SequenceNumber snapshot) const {
  if (keys.empty()) return Status::Ok();
  if (snapshot < floor_) {
    return Status::Busy("the transaction is older than the commits that are remembered");
  }
  for (const auto& [begin, end] : keys.ranges()) {
    for (auto at = keys_.lower_bound(begin); at != keys_.end() && (!end || at->first < *end);
         ++at) {
      if (at->second > snapshot) return Conflict(at->first, at->second);
    }
  }
  for (auto range = ranges_.rbegin(); range != ranges_.rend() && range->sequence > snapshot;
       ++range) {
    if (keys.Intersects(range->begin, range->end)) return Conflict(range->begin, range->sequence);
  }
  return Status::Ok();
}

Status CheckBatch(const KeySet& keys, const WriteBatch& batch) {
  ConflictFinder finder(keys);
  const Status status = batch.Iterate(&finder);
  SHEARPIN_CHECK(status.ok(), "a batch that was built here does not decode");
  return finder.status();
}

}  // namespace shearpin
