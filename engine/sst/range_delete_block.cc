#include "engine/sst/range_delete_block.h"

#include <utility>

#include "engine/sst/block_builder.h"
#include "engine/sst/block_iterator.h"

namespace shearpin {

StatusOr<std::string> EncodeRangeDeletes(const std::vector<RangeTombstones::Fragment>& fragments) {
  BlockBuilder block(kMaxBlockTarget, 1);
  std::string key;
  for (const RangeTombstones::Fragment& fragment : fragments) {
    for (const SequenceNumber sequence : fragment.sequences) {
      key.clear();
      AppendInternalKey(&key, fragment.begin, sequence, ValueType::kRangeDelete);
      if (!block.Add(key, fragment.end)) {
        return Status::NotSupported("a table whose range tombstones exceed " +
                                    std::to_string(kMaxBlockTarget) + " bytes");
      }
    }
  }
  std::string bytes;
  block.Finish(&bytes);
  return bytes;
}

StatusOr<RangeTombstones> DecodeRangeDeletes(std::string_view block) {
  BlockIterator it;
  // Bytewise, as an internal key of an entry has another type.
  it.Reset(block, BlockIterator::Order::kBytewise);
  std::vector<RangeTombstones::Fragment> fragments;
  for (it.SeekToFirst(); it.Valid(); it.Next()) {
    const std::string_view key = it.key();
    if (key.size() < kTrailerSize || TypeOf(key) != ValueType::kRangeDelete) {
      return Status::Corruption("a key that is no range tombstone");
    }
    const std::string_view begin = UserKey(key);
    const SequenceNumber sequence = SequenceOf(key);
    if (begin >= it.value()) return Status::Corruption("an empty range");
    if (sequence == 0) return Status::Corruption("a range tombstone without a sequence number");
    RangeTombstones::Fragment* last = fragments.empty() ? nullptr : &fragments.back();
    if (last != nullptr && begin == last->begin) {
      if (it.value() != last->end || sequence >= last->sequences.back()) {
        return Status::Corruption("entries of one fragment do not agree");
      }
      last->sequences.push_back(sequence);
      continue;
    }
    if (last != nullptr && begin < last->end) return Status::Corruption("fragments overlap");
    fragments.push_back({std::string(begin), std::string(it.value()), {sequence}});
  }
  if (it.damage() != nullptr) return Status::Corruption(it.damage());
  // A table without range tombstones has no such block.
  if (fragments.empty()) return Status::Corruption("no entries");
  return RangeTombstones::FromFragments(std::move(fragments));
}

}  // namespace shearpin
