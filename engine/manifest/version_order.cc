#include "engine/manifest/version_order.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/internal_key.h"

namespace shearpin {
namespace {

Status CheckLevels(const Version& version) {
  for (int level = 1; level < kNumLevels; ++level) {
    const Version::Tables& tables = version.level(level);
    for (size_t i = 1; i < tables.size(); ++i) {
      if (EndsBefore(tables[i - 1]->meta().largest, UserKey(tables[i]->meta().smallest))) continue;
      return Status::Corruption(tables[i]->path() + ": overlaps " + tables[i - 1]->path() +
                                " in level " + std::to_string(level));
    }
  }
  return Status::Ok();
}

struct Source {
  std::string name;
  std::unique_ptr<InternalIterator> entries;
  RangeTombstones tombstones;
};

Status AddTombstones(const TableFile& file, std::vector<RangeTombstone>* tombstones) {
  SHEARPIN_ASSIGN_OR_RETURN(const Table* table, file.Open());
  table->range_tombstones().AppendTo(tombstones);
  return Status::Ok();
}

// In the order in which reads ask them.
Status FindSources(const Version& version, std::vector<Source>* sources) {
  std::vector<Version::Source> entries;
  version.AppendSources(&entries);
  for (const auto& file : version.level(0)) {
    std::vector<RangeTombstone> tombstones;
    SHEARPIN_RETURN_IF_ERROR(AddTombstones(*file, &tombstones));
    sources->push_back({file->path(), nullptr, RangeTombstones(std::move(tombstones))});
  }
  for (int level = 1; level < kNumLevels; ++level) {
    if (version.level(level).empty()) continue;
    std::vector<RangeTombstone> tombstones;
    for (const auto& file : version.level(level)) {
      SHEARPIN_RETURN_IF_ERROR(AddTombstones(*file, &tombstones));
    }
    sources->push_back(
        {"level " + std::to_string(level), nullptr, RangeTombstones(std::move(tombstones))});
  }
  for (size_t i = 0; i < sources->size(); ++i) {
    (*sources)[i].entries = std::move(entries[i].iterator);
    (*sources)[i].entries->SeekToFirst();
  }
  return Status::Ok();
}

// V3, for one entry of source `at`.
Status CheckTombstones(const std::vector<Source>& sources, size_t at) {
  const std::string_view key = sources[at].entries->key();
  const SequenceNumber sequence = SequenceOf(key);
  for (size_t i = 0; i < sources.size(); ++i) {
    const RangeTombstones& tombstones = sources[i].tombstones;
    const bool before = i < at && tombstones.CoverOf(UserKey(key), sequence) != 0;
    const bool behind = i > at && tombstones.CoverOf(UserKey(key), kMaxSequence) > sequence;
    if (!before && !behind) continue;
    return Status::Corruption(sources[i].name + ": a range tombstone is " +
                              (before ? "older" : "newer") + " than what it covers in " +
                              sources[at].name + ", which reads ask " +
                              (before ? "later" : "earlier"));
  }
  return Status::Ok();
}

}  // namespace

Status CheckVersionOrder(const Version& version) {
  SHEARPIN_RETURN_IF_ERROR(CheckLevels(version));
  std::vector<Source> sources;
  SHEARPIN_RETURN_IF_ERROR(FindSources(version, &sources));
  std::string last;  // the internal key before, and
  size_t found = 0;  // where it stood
  while (true) {
    size_t next = sources.size();
    for (size_t i = 0; i < sources.size(); ++i) {
      const InternalIterator& entries = *sources[i].entries;
      SHEARPIN_RETURN_IF_ERROR(entries.status());
      if (!entries.Valid()) continue;
      if (next == sources.size() ||
          CompareInternalKeys(entries.key(), sources[next].entries->key()) < 0) {
        next = i;
      }
    }
    if (next == sources.size()) return Status::Ok();
    const std::string_view key = sources[next].entries->key();
    // The very same version may stand twice, after a log was read again.
    if (!last.empty() && key != last && UserKey(key) == UserKey(last) && next < found) {
      return Status::Corruption(sources[next].name + ": holds an older version of a key than " +
                                sources[found].name + ", which reads ask later");
    }
    SHEARPIN_RETURN_IF_ERROR(CheckTombstones(sources, next));
    last.assign(key);
    found = next;
    sources[next].entries->Next();
  }
}

}  // namespace shearpin
