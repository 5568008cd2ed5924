#include "engine/compaction/growth_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string_view>
#include <utility>

#include "engine/compaction/policy.h"

namespace shearpin {
namespace {

// Small enough that a double holds each position.
constexpr uint64_t kLastPosition = (uint64_t{1} << 52) - 1;

// A position of the key space as a key: big endian, so that keys are ordered as positions are.
std::array<char, 8> KeyAt(uint64_t position) {
  std::array<char, 8> key;
  for (int i = 0; i < 8; ++i)
    key[static_cast<size_t>(i)] = static_cast<char>(position >> (56 - 8 * i));
  return key;
}

// Expected numbers of entries, and of those among them that shadow an older one.
struct Content {
  double entries = 0;
  double updates = 0;
  double inserts() const { return entries - updates; }
};

struct ModelTable {
  uint64_t number = 0;
  uint64_t first = 0;  // positions, both included
  uint64_t last = kLastPosition;
  Content content;
  std::array<char, 8> smallest = {};
  std::array<char, 8> largest = {};

  double Width() const { return static_cast<double>(last - first) + 1; }
};

using Run = std::vector<ModelTable>;  // by position, not overlapping

class GrowingTree {
 public:
  GrowingTree(const Options& options, const GrowthLoad& load)
      : policy_(NewCompactionPolicy(options)),
        flush_bytes_(std::max<uint64_t>(options.write_buffer_size, load.entry_size)),
        entry_size_(static_cast<double>(load.entry_size)),
        update_fraction_(load.update_fraction) {}

  void Flush();
  void Settle();
  GrowthPoint Point() const;
  uint64_t user_bytes() const { return counted_.user_bytes; }

 private:
  uint64_t Bytes(double entries) const {
    return static_cast<uint64_t>(std::llround(entries * entry_size_));
  }
  TreeShape Shape() const;
  Run Take(const CompactionInput& input);
  double InsertsBelow(int level, uint64_t first, uint64_t last) const;
  void Apply(const CompactionPlan& plan);
  // `newer`: how many tables of level 0 stand before the inputs, if the output goes there.
  Run Merge(const std::vector<Run>& runs, const CompactionPlan& plan, size_t newer) const;
  void Place(int level, Run run);
  double StoredEntries() const;

  const std::unique_ptr<const CompactionPolicy> policy_;
  const uint64_t flush_bytes_;
  const double entry_size_;
  const double update_fraction_;
  Run levels_[kNumLevels];  // level 0: newest first
  uint64_t next_number_ = 1;
  double live_ = 0;  // keys
  double runs_seen_ = 0;
  uint64_t looks_ = 0;
  GrowthPoint counted_;
};

void GrowingTree::Flush() {
  const double writes = static_cast<double>(flush_bytes_) / entry_size_;
  Content content;
  // Of so many draws from the live keys, how many differ.
  const double updates = writes * update_fraction_;
  if (live_ > 0) content.updates = live_ * -std::expm1(-updates / live_);
  const double inserts = live_ > 0 ? writes - updates : writes;
  content.entries = inserts + content.updates;
  live_ += inserts;
  counted_.user_bytes += flush_bytes_;
  counted_.flushed_bytes += Bytes(content.entries);
  ModelTable table;
  table.content = content;
  Place(0, {table});
}

TreeShape GrowingTree::Shape() const {
  TreeShape shape;
  for (int level = 0; level < kNumLevels; ++level) {
    for (const ModelTable& table : levels_[level]) {
      shape.levels[level].push_back(
          {.number = table.number,
           .size = Bytes(table.content.entries),
           .smallest = std::string_view(table.smallest.data(), table.smallest.size()),
           .largest = std::string_view(table.largest.data(), table.largest.size())});
    }
  }
  return shape;
}

void GrowingTree::Place(int level, Run run) {
  for (ModelTable& table : run) {
    table.number = next_number_++;
    table.smallest = KeyAt(table.first);
    table.largest = KeyAt(table.last);
  }
  Run& tables = levels_[level];
  if (level == 0) {
    // A flush is the newest. A merge within level 0 had the newest runs, or ones in the middle:
    // Apply puts those where they were.
    tables.insert(tables.begin(), run.begin(), run.end());
    return;
  }
  tables.insert(tables.end(), run.begin(), run.end());
  std::sort(tables.begin(), tables.end(),
            [](const ModelTable& a, const ModelTable& b) { return a.first < b.first; });
}

Run GrowingTree::Take(const CompactionInput& input) {
  Run taken, left;
  for (ModelTable& table : levels_[input.level]) {
    const bool chosen =
        std::find(input.tables.begin(), input.tables.end(), table.number) != input.tables.end();
    (chosen ? taken : left).push_back(table);
  }
  levels_[input.level] = std::move(left);
  return taken;
}

// Of the levels below `level` in a range of positions.
double GrowingTree::InsertsBelow(int level, uint64_t first, uint64_t last) const {
  double inserts = 0;
  for (int i = level + 1; i < kNumLevels; ++i) {
    for (const ModelTable& table : levels_[i]) {
      const uint64_t from = std::max(first, table.first), to = std::min(last, table.last);
      if (from > to) continue;
      inserts += table.content.inserts() * ((static_cast<double>(to - from) + 1) / table.Width());
    }
  }
  return inserts;
}

double GrowingTree::StoredEntries() const {
  double entries = 0;
  for (const Run& tables : levels_) {
    for (const ModelTable& table : tables) entries += table.content.entries;
  }
  return entries;
}

void GrowingTree::Apply(const CompactionPlan& plan) {
  // Where the inputs stood in level 0: newer tables before them stay before their merge.
  size_t newer = 0;
  if (plan.output_level == 0) {
    const auto& chosen = plan.inputs.front().tables;
    for (const ModelTable& table : levels_[0]) {
      if (std::find(chosen.begin(), chosen.end(), table.number) != chosen.end()) break;
      ++newer;
    }
  }
  const double before = StoredEntries();
  std::vector<Run> runs;  // newest first
  for (const CompactionInput& input : plan.inputs) {
    Run taken = Take(input);
    if (input.level != 0) {
      runs.push_back(std::move(taken));
    } else {
      for (const ModelTable& table : taken) runs.push_back({table});
    }
  }
  if (plan.trivial_move) {
    ++counted_.moves;
    Place(plan.output_level, std::move(runs.front()));
    return;
  }
  ++counted_.merges;
  Run output = Merge(runs, plan, newer);
  double written = 0;
  for (const ModelTable& table : output) written += table.content.entries;
  counted_.merged_bytes += Bytes(written);
  counted_.peak_bytes = std::max(counted_.peak_bytes, Bytes(before + written));
  Place(plan.output_level, std::move(output));
  if (plan.output_level == 0)
    std::rotate(levels_[0].begin(), levels_[0].begin() + 1,
                levels_[0].begin() + static_cast<ptrdiff_t>(newer) + 1);
}

// Between two neighbouring ends of inputs every run is even, so each such piece is merged by
// itself, oldest run first, and the outputs are cut within pieces.
Run GrowingTree::Merge(const std::vector<Run>& runs, const CompactionPlan& plan,
                       size_t newer) const {
  std::vector<uint64_t> starts;
  uint64_t first = kLastPosition, last = 0;
  for (const Run& run : runs) {
    for (const ModelTable& table : run) {
      starts.push_back(table.first);
      if (table.last != kLastPosition) starts.push_back(table.last + 1);
      first = std::min(first, table.first);
      last = std::max(last, table.last);
    }
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  // A merge within level 0 has older runs there too, which are even over all keys.
  double older = InsertsBelow(plan.output_level, first, last);
  if (plan.output_level == 0) {
    for (size_t i = newer; i < levels_[0].size(); ++i) older += levels_[0][i].content.inserts();
  }
  const double older_density = older / (static_cast<double>(last - first) + 1);

  Run output;
  ModelTable current;
  const double most = static_cast<double>(plan.max_table_size) / entry_size_;
  std::vector<size_t> at(runs.size(), 0);
  for (size_t i = 0; i < starts.size() && starts[i] <= last; ++i) {
    const uint64_t from = starts[i];
    const uint64_t to = i + 1 < starts.size() ? starts[i + 1] - 1 : last;
    const double width = static_cast<double>(to - from) + 1;
    Content piece;
    for (size_t r = runs.size(); r-- > 0;) {
      while (at[r] < runs[r].size() && runs[r][at[r]].last < from) ++at[r];
      if (at[r] == runs[r].size() || runs[r][at[r]].first > from) continue;
      const ModelTable& table = runs[r][at[r]];
      const double share = width / table.Width();
      const double entries = table.content.entries * share;
      const double updates = table.content.updates * share;
      const double keys = piece.inserts() + older_density * width;  // of that age
      const double met = keys > 0 ? updates * std::min(1.0, piece.entries / keys) : 0;
      piece.entries += entries - met;
      piece.updates += updates - met;
    }
    if (piece.entries <= 0) continue;
    // Cut as often as this piece fills the current table.
    double left = piece.entries;
    uint64_t begin = from;
    while (current.content.entries + left >= most && begin < to) {
      const double part = most - current.content.entries;
      const double offset = static_cast<double>(to - begin) * (part / left);
      const uint64_t end =
          begin + static_cast<uint64_t>(std::min(offset, static_cast<double>(to - begin - 1)));
      if (current.content.entries == 0) current.first = begin;
      current.last = end;
      current.content.entries += part;
      current.content.updates += piece.updates * (part / piece.entries);
      output.push_back(std::exchange(current, {}));
      left -= part;
      begin = end + 1;
    }
    if (left <= 0) continue;
    if (current.content.entries == 0) current.first = begin;
    current.last = to;
    current.content.entries += left;
    current.content.updates += piece.updates * (left / piece.entries);
  }
  if (current.content.entries > 0) output.push_back(current);
  return output;
}

void GrowingTree::Settle() {
  counted_.peak_bytes = std::max(counted_.peak_bytes, Bytes(StoredEntries()));
  while (const auto plan = policy_->Pick(Shape())) Apply(*plan);
  uint64_t runs = levels_[0].size();
  for (int level = 1; level < kNumLevels; ++level) runs += !levels_[level].empty();
  runs_seen_ += static_cast<double>(runs);
  ++looks_;
  counted_.most_runs = std::max(counted_.most_runs, runs);
}

GrowthPoint GrowingTree::Point() const {
  GrowthPoint point = counted_;
  point.live_bytes = Bytes(live_);
  point.stored_bytes = Bytes(StoredEntries());
  point.mean_runs = looks_ == 0 ? 0 : runs_seen_ / static_cast<double>(looks_);
  for (int level = 0; level < kNumLevels; ++level) {
    point.levels[level].tables = levels_[level].size();
    for (const ModelTable& table : levels_[level]) {
      point.levels[level].bytes += Bytes(table.content.entries);
    }
  }
  return point;
}

double Ratio(uint64_t a, uint64_t b) {
  return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b);
}

}  // namespace

double GrowthPoint::WriteAmplification() const {
  return Ratio(flushed_bytes + merged_bytes, user_bytes);
}

double GrowthPoint::SpaceAmplification() const { return Ratio(stored_bytes, live_bytes); }

std::vector<GrowthPoint> Grow(const Options& options, const GrowthLoad& load) {
  GrowingTree tree(options, load);
  std::vector<GrowthPoint> points;
  for (uint64_t divisor = 16; divisor > 0; divisor /= 2) {
    while (tree.user_bytes() < load.bytes / divisor) {
      tree.Flush();
      tree.Settle();
    }
    points.push_back(tree.Point());
  }
  return points;
}

}  // namespace shearpin
