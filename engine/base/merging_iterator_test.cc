// Goal: a merge is the sorted union of its children, in both directions and whatever turns it
// takes; a duplicate is emitted once, from the first child that has it; a child's error is never
// passed over. Method: RapidCheck walks of random moves against a std::map, with children that
// fail at a chosen entry.
#include "engine/base/merging_iterator.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/internal_key.h"

namespace shearpin {
namespace {

struct KeyOrder {
  bool operator()(const std::string& a, const std::string& b) const {
    return CompareInternalKeys(a, b) < 0;
  }
};
using Entries = std::map<std::string, std::string, KeyOrder>;

// A child over a map. Standing on `poison` is an error.
class MapIterator final : public InternalIterator {
 public:
  MapIterator(const Entries* entries, std::string poison)
      : entries_(entries), poison_(std::move(poison)) {}

  void SeekToFirst() override { Stand(entries_->begin()); }
  void SeekToLast() override {
    Stand(entries_->empty() ? entries_->end() : std::prev(entries_->end()));
  }
  void Seek(std::string_view target) override { Stand(entries_->lower_bound(std::string(target))); }
  void SeekForPrev(std::string_view target) override {
    StandBefore(entries_->upper_bound(std::string(target)));
  }
  void Next() override {
    ASSERT_TRUE(Valid());
    Stand(std::next(at_));
  }
  void Prev() override {
    ASSERT_TRUE(Valid());
    StandBefore(at_);
  }

 private:
  void StandBefore(Entries::const_iterator it) {
    Stand(it == entries_->begin() ? entries_->end() : std::prev(it));
  }
  void Stand(Entries::const_iterator it) {
    ClearError();
    at_ = it;
    if (it == entries_->end()) return SetEnd();
    if (it->first == poison_) return SetError(Status::Corruption("poisoned"));
    SetEntry(it->first, it->second);
  }

  const Entries* const entries_;
  const std::string poison_;
  Entries::const_iterator at_;
};

// In the order of the numbers; from 6 on user keys begin with the same eight bytes.
std::string Key(int user_key, int sequence) {
  const std::string shared = user_key < 6 ? "" : "ssssssss";
  std::string key;
  AppendInternalKey(&key, shared + static_cast<char>('a' + user_key), sequence, ValueType::kValue);
  return key;
}

std::string AnyKey() { return Key(*rc::gen::inRange(0, 12), *rc::gen::inRange(1, 4)); }

struct Family {
  std::vector<Entries> children;
  Entries sorted_union;  // with the first child's values
};

// Keys are drawn from few, so that duplicates are common.
Family AnyFamily() {
  Family family;
  family.children.resize(*rc::gen::inRange(0, 6));
  for (size_t i = 0; i < family.children.size(); ++i) {
    const int n = *rc::gen::inRange(0, 12);
    for (int j = 0; j < n; ++j) {
      const std::string key = AnyKey();
      const std::string value = "child " + std::to_string(i);
      family.children[i].emplace(key, value);
      family.sorted_union.emplace(key, value);
    }
  }
  return family;
}

std::unique_ptr<InternalIterator> Merge(const Family& family, const std::string& poison = "") {
  std::vector<std::unique_ptr<InternalIterator>> children;
  for (const Entries& entries : family.children) {
    children.push_back(std::make_unique<MapIterator>(&entries, poison));
  }
  return NewMergingIterator(std::move(children));
}

void AssertStandsOn(const InternalIterator& it, const Entries& entries,
                    Entries::const_iterator expected) {
  RC_ASSERT(it.status().ok());
  RC_ASSERT(it.Valid() == (expected != entries.end()));
  if (!it.Valid()) return;
  RC_ASSERT(it.key() == expected->first);
  RC_ASSERT(it.value() == expected->second);
}

// One random move of both. Next and Prev only where they are allowed.
void Move(InternalIterator* it, const Entries& entries, Entries::const_iterator* expected) {
  const auto before = [&entries](Entries::const_iterator at) {
    return at == entries.begin() ? entries.end() : std::prev(at);
  };
  // Mostly steps, so that turns happen in the middle.
  const int move = *rc::gen::inRange(0, 12);
  if (it->Valid() && move >= 4) {
    if (move % 2 == 0) {
      it->Next();
      ++*expected;
    } else {
      it->Prev();
      *expected = before(*expected);
    }
  } else if (move % 4 == 0) {
    it->SeekToFirst();
    *expected = entries.begin();
  } else if (move % 4 == 1) {
    it->SeekToLast();
    *expected = before(entries.end());
  } else if (move % 4 == 2) {
    const std::string target = AnyKey();
    it->Seek(target);
    *expected = entries.lower_bound(target);
  } else {
    const std::string target = AnyKey();
    it->SeekForPrev(target);
    *expected = before(entries.upper_bound(target));
  }
}

RC_GTEST_PROP(MergingIteratorTest, WalksTheSortedUnion, ()) {
  const Family family = AnyFamily();
  const auto it = Merge(family);
  auto expected = family.sorted_union.cend();
  for (int step = 0; step < 60; ++step) {
    Move(it.get(), family.sorted_union, &expected);
    AssertStandsOn(*it, family.sorted_union, expected);
  }
}

RC_GTEST_PROP(MergingIteratorTest, ForwardAndBackwardScansAreComplete, ()) {
  const Family family = AnyFamily();
  const auto it = Merge(family);
  Entries seen;
  for (it->SeekToFirst(); it->Valid(); it->Next()) seen.emplace(it->key(), it->value());
  RC_ASSERT(seen == family.sorted_union);
  seen.clear();
  for (it->SeekToLast(); it->Valid(); it->Prev()) seen.emplace(it->key(), it->value());
  RC_ASSERT(seen == family.sorted_union);
}

RC_GTEST_PROP(MergingIteratorTest, AnErrorEndsTheMergeAndIsNeverPassedOver, ()) {
  const Family family = AnyFamily();
  RC_PRE(!family.sorted_union.empty());
  const std::string poison = std::next(family.sorted_union.begin(),
                                       *rc::gen::inRange<size_t>(0, family.sorted_union.size()))
                                 ->first;
  const auto it = Merge(family, poison);
  auto expected = family.sorted_union.cend();
  for (int step = 0; step < 60; ++step) {
    Move(it.get(), family.sorted_union, &expected);
    if (!it->status().ok()) {
      RC_ASSERT(!it->Valid());
      RC_ASSERT(it->status().IsCorruption());
      expected = family.sorted_union.cend();
    } else {
      // No poisoned entry is ever reported, nor jumped over as if it were not there.
      const bool stands_on_poison =
          expected != family.sorted_union.cend() && expected->first == poison;
      RC_ASSERT(!stands_on_poison);
      AssertStandsOn(*it, family.sorted_union, expected);
    }
  }
}

TEST(MergingIteratorTest, NoChildrenAreAnEmptySource) {
  const auto it = NewMergingIterator({});
  it->SeekToFirst();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().ok());
}

TEST(MergingIteratorTest, EmptyIteratorKeepsItsStatus) {
  const auto it = NewEmptyIterator(Status::IoError("gone"));
  it->SeekToLast();
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(it->status().IsIoError());
}

}  // namespace
}  // namespace shearpin
