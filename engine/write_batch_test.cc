// Goal: a batch hands over its changes in order, survives its representation, and its decoder
// rejects or decodes any bytes without harm: they come off a disk.
// Method: RapidCheck round trips; of arbitrary batches every cut, of small ones every flipped bit.
#include "engine/write_batch.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shearpin {
namespace {

// Key, and value or nothing for a deletion: "P" + value, "D".
using Changes = std::vector<std::pair<std::string, std::string>>;

class Recorder : public WriteBatch::Handler {
 public:
  void Put(std::string_view key, std::string_view value) override {
    changes.emplace_back(key, "P" + std::string(value));
  }
  void Delete(std::string_view key) override { changes.emplace_back(key, "D"); }
  Changes changes;
};

WriteBatch Build(const Changes& changes) {
  WriteBatch batch;
  for (const auto& [key, change] : changes) {
    change[0] == 'P' ? batch.Put(key, change.substr(1)) : batch.Delete(key);
  }
  return batch;
}

rc::Gen<Changes> AnyChanges() {
  const auto change = rc::gen::oneOf(
      rc::gen::just(std::string("D")),
      rc::gen::map(rc::gen::arbitrary<std::string>(), [](std::string s) { return "P" + s; }));
  return rc::gen::container<Changes>(rc::gen::pair(rc::gen::arbitrary<std::string>(), change));
}

RC_GTEST_PROP(WriteBatch, RoundTrips, ()) {
  const Changes changes = *AnyChanges();
  const WriteBatch batch = Build(changes);
  RC_ASSERT(batch.count() == changes.size());
  RC_ASSERT(batch.empty() == changes.empty());
  RC_ASSERT(batch.ByteSize() == batch.representation().size());
  auto again = WriteBatch::FromRepresentation(batch.representation());
  RC_ASSERT(again.ok());
  Recorder recorder;
  RC_ASSERT(again->Iterate(&recorder).ok());
  RC_ASSERT(recorder.changes == changes);
  RC_ASSERT(again->representation() == batch.representation());
}

RC_GTEST_PROP(WriteBatch, EveryCutIsRejected, ()) {
  const WriteBatch batch = Build(*rc::gen::nonEmpty(AnyChanges()));
  const std::string_view whole = batch.representation();
  for (size_t length = 0; length < whole.size(); ++length) {
    const auto cut = WriteBatch::FromRepresentation(whole.substr(0, length));
    RC_ASSERT(cut.status().IsCorruption());
  }
  RC_ASSERT(WriteBatch::FromRepresentation(std::string(whole) + "x").status().IsCorruption());
}

RC_GTEST_PROP(WriteBatch, EveryFlipIsRejectedOrHarmless, ()) {
  const WriteBatch batch = Build(*rc::gen::resize(10, AnyChanges()));
  for (size_t bit = 0; bit < 8 * batch.ByteSize(); ++bit) {
    std::string damaged(batch.representation());
    damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
    const auto decoded = WriteBatch::FromRepresentation(damaged);
    if (!decoded.ok()) {
      RC_ASSERT(decoded.status().IsCorruption());
      continue;
    }
    Recorder recorder;
    RC_ASSERT(decoded->Iterate(&recorder).ok());
    RC_ASSERT(recorder.changes.size() == decoded->count());
  }
}

RC_GTEST_PROP(WriteBatch, GarbageDoesNoHarm, (const std::string& bytes)) {
  const auto decoded = WriteBatch::FromRepresentation(bytes);
  RC_ASSERT(decoded.ok() || decoded.status().IsCorruption());
}

TEST(WriteBatch, ClearsToEmpty) {
  WriteBatch batch;
  const size_t empty_size = batch.ByteSize();
  batch.Put("", "");
  batch.Delete("");
  EXPECT_EQ(batch.count(), 2u);
  EXPECT_EQ(batch.first_sequence(), 0u);
  batch.Clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.ByteSize(), empty_size);
}

}  // namespace
}  // namespace shearpin
