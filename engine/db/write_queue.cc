#include "engine/db/write_queue.h"

#include "engine/base/check.h"
#include "engine/base/coding.h"

namespace shearpin {
namespace {

// A group larger than this makes its first member wait for the copy of the others.
constexpr size_t kMaxGroupBytes = size_t{1} << 20;
// A small leader is not made to wait for much more than itself.
constexpr size_t kSmallGroupBytes = size_t{128} << 10;

constexpr size_t kCountSize = 4;

}  // namespace

bool WriteQueue::Join(Writer* writer, Status* result) {
  writers_.push_back(writer);
  while (!writer->done_ && writer != writers_.front()) writer->turn_.Wait();
  if (writer->done_) *result = writer->status_;
  return !writer->done_;
}

WriteQueue::Group WriteQueue::TakeGroup(SequenceNumber first_sequence) {
  const Writer* leader = writers_.front();
  Group group;
  group.first_sequence = first_sequence;
  group.durability = leader->durability_;
  group_size_ = 1;
  if (leader->batch_ == nullptr) return group;

  size_t bytes = 0;
  size_t limit = kMaxGroupBytes;
  if (leader->batch_->ByteSize() <= kSmallGroupBytes) {
    limit = leader->batch_->ByteSize() + kSmallGroupBytes;
  }
  group_size_ = 0;
  for (Writer* writer : writers_) {
    if (writer != leader) {
      if (writer->batch_ == nullptr) break;
      // A batch that asks for a sync would make the others wait for it; one without a log cannot
      // share a record with one that has one.
      if (writer->durability_ == Durability::kSync && group.durability != Durability::kSync) break;
      if ((writer->durability_ == Durability::kNone) != (group.durability == Durability::kNone)) {
        break;
      }
      if (bytes + writer->batch_->ByteSize() > limit) break;
      // One that is in conflict leads next, and hears of it then.
      if (writer->validate_ != nullptr && !(*writer->validate_)(group.batches).ok()) break;
    }
    bytes += writer->batch_->ByteSize();
    ++group_size_;
    if (writer->batch_->empty()) continue;
    writer->batch_->first_sequence_ = first_sequence + group.count;
    group.count += writer->batch_->count();
    group.batches.push_back(writer->batch_);
  }
  return group;
}

void WriteQueue::Finish(const Status& status) {
  SHEARPIN_CHECK(group_size_ <= writers_.size());
  for (size_t i = 0; i < group_size_; ++i) {
    Writer* writer = writers_.front();
    writers_.pop_front();
    writer->done_ = true;
    writer->status_ = status;
    if (i != 0) writer->turn_.NotifyOne();  // the leader itself is not waiting
  }
  group_size_ = 1;
  if (!writers_.empty()) writers_.front()->turn_.NotifyOne();
}

void GroupPayload(const WriteQueue::Group& group, char (&count_bytes)[4],
                  std::vector<std::string_view>* parts) {
  StoreFixed32(count_bytes, group.count);
  parts->emplace_back(count_bytes, kCountSize);
  for (const WriteBatch* batch : group.batches) {
    parts->push_back(batch->representation().substr(kCountSize));
  }
}

}  // namespace shearpin
