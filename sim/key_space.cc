#include "sim/key_space.h"

#include <algorithm>
#include <string>
#include <utility>

namespace shearpin::sim {
namespace {

// Longest values of a run: nothing but small ones, about a block, several blocks, several pages.
constexpr uint32_t kLongestValues[] = {16, 64, 300, 1500, 6000, 20000};

std::string Numbered(std::string_view prefix, uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(prefix) + std::string(4 - std::min<size_t>(4, digits.size()), '0') + digits;
}

}  // namespace

KeySpace::KeySpace(const Dataset* dataset, KeyCount how_many, Rng* rng) : dataset_(dataset) {
  const size_t count = how_many == KeyCount::kMany  ? rng->Range(500, 3000)
                       : how_many == KeyCount::kFew ? rng->Range(2, 6)
                       : rng->OneIn(3)              ? rng->Range(5, 12)
                                                    : rng->Range(12, 200);
  const size_t longest = how_many == KeyCount::kUsual ? std::size(kLongestValues) : 3;
  longest_value_ = kLongestValues[rng->Uniform(longest)];
  empty_values_ = rng->OneIn(2);
  if (dataset_ == nullptr) {
    AddMadeUpKeys(count, rng);
  } else {
    for (size_t i = 0; i < count; ++i) {
      keys_.emplace_back((*dataset_)[rng->Uniform(dataset_->size())].first);
    }
  }
  hot_ = rng->Range(1, (keys_.size() + 3) / 4);
}

void KeySpace::AddMadeUpKeys(size_t count, Rng* rng) {
  const bool prefixed = rng->OneIn(2);
  const bool awkward = rng->OneIn(2);
  const bool long_keys = rng->OneIn(4);
  for (size_t i = 0; i < count; ++i) {
    if (awkward && rng->OneIn(6)) {
      // The ends of the order: the empty key, runs of 0xff and 0x00, a key and its successor.
      static constexpr std::string_view kAwkward[] = {
          {"", 0},         {"\xff", 1},      {"\xff\xff", 2},  {"\xff\xff\xff\xff", 4},
          {"\x00", 1},     {"\x00\x00", 2},  {"k\x00", 2},     {"k", 1},
          {"k\xff", 2},    {"k\xff\xff", 3}, {"k\xff\x00", 3}, {"\x7f", 1},
          {"\x80\x00", 2}, {"prefix/", 7},   {"prefix0", 7},   {"prefix/\xff", 8},
      };
      keys_.emplace_back(kAwkward[rng->Uniform(std::size(kAwkward))]);
    } else if (long_keys && rng->OneIn(8)) {
      keys_.push_back(Bytes::Fill(static_cast<uint32_t>(rng->Range(200, 1200)), i));
    } else if (prefixed) {
      static constexpr std::string_view kPrefixes[] = {"prefix/", "prefix/a/", "prefix/a/b/", "q"};
      keys_.emplace_back(Numbered(kPrefixes[rng->Uniform(std::size(kPrefixes))], i));
    } else {
      keys_.emplace_back(Numbered("k", i));
    }
  }
}

const Bytes& KeySpace::Key(Rng* rng) const {
  const uint64_t among = rng->OneIn(2) ? hot_ : keys_.size();
  return keys_[rng->Uniform(among)];
}

void KeySpace::Partition(uint64_t neighbours) {
  neighbours_ = neighbours;
  std::vector<std::pair<std::string, Bytes>> ordered;
  for (Bytes& key : keys_) {
    std::string bytes = key.Materialise();
    ordered.emplace_back(std::move(bytes), std::move(key));
  }
  const auto less = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::sort(ordered.begin(), ordered.end(), less);
  std::transform(ordered.begin(), ordered.end(), keys_.begin(),
                 [](auto& each) { return std::move(each.second); });
}

const Bytes& KeySpace::FirstOf(uint64_t neighbourhood) const {
  const uint64_t count = (keys_.size() + neighbours_ - 1) / neighbours_;
  return keys_[neighbourhood % count * neighbours_];
}

const Bytes& KeySpace::KeyWithin(uint64_t neighbourhood, Rng* rng) const {
  const uint64_t count = (keys_.size() + neighbours_ - 1) / neighbours_;
  const uint64_t place = neighbourhood % count * neighbours_ + rng->Uniform(neighbours_ + 1);
  return keys_[std::min<uint64_t>(place, keys_.size() - 1)];
}

Bytes KeySpace::Value(Rng* rng) const {
  if (empty_values_ && rng->OneIn(12)) return Bytes();
  if (dataset_ != nullptr) return Bytes((*dataset_)[rng->Uniform(dataset_->size())].second);
  // Half of the values stay small whatever the run's longest is.
  const uint32_t longest = rng->OneIn(2) ? longest_value_ : std::min<uint32_t>(24, longest_value_);
  return Bytes::Fill(static_cast<uint32_t>(rng->Range(1, longest)), rng->Next() >> 32);
}

Bytes KeySpace::Target(Rng* rng) const {
  const Bytes& key = Key(rng);
  if (!rng->OneIn(5)) return key;
  std::string bytes = key.Materialise();
  if (rng->OneIn(2)) {
    bytes += '\0';
  } else if (!bytes.empty()) {
    bytes.pop_back();
  }
  return Bytes(bytes);
}

}  // namespace shearpin::sim
