// Cursor: the model's iterator over a range as of a sequence number, both ways.
//
// Positions and edges are those of the engine's iterator: Seek finds the first key at or after a
// target, SeekForPrev the last at or before it, both within the range; stepping off either end
// makes it invalid.
// Thread safety: as the model's. Writes to the model leave a cursor valid, Rebase does not.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/batch.h"
#include "model/kv_model.h"

namespace shearpin::model {

class Cursor {
 public:
  // `model` is not owned and outlives the cursor.
  Cursor(const KvModel* model, Range range, uint64_t at_sequence);

  bool Valid() const { return valid_; }
  void SeekToFirst();
  void SeekToLast();
  void Seek(std::string_view target);
  void SeekForPrev(std::string_view target);
  // These need Valid().
  void Next();
  void Prev();
  std::string_view key() const { return position_->first; }
  std::string_view value() const { return value_; }
  uint64_t sequence() const { return sequence_; }

 private:
  using Position = CommitLog::Keys::const_iterator;
  void SettleForward(Position from);   // the first live key at or after `from`
  void SettleBackward(Position from);  // the last live key before `from`
  bool Load(Position at);

  const KvModel* model_;
  Range range_;
  uint64_t sequence_;
  Position position_;
  std::string_view value_;
  bool valid_ = false;
};

}  // namespace shearpin::model
