// What the tests of tables share: entries in a map, a table of them in memory, a random walk.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/internal_key.h"
#include "engine/sst/memory_file.h"
#include "engine/sst/table.h"
#include "engine/sst/table_builder.h"

namespace shearpin {

struct InternalKeyOrder {
  bool operator()(const std::string& a, const std::string& b) const {
    return CompareInternalKeys(a, b) < 0;
  }
};
using Entries = std::map<std::string, std::string, InternalKeyOrder>;

inline std::string InternalKey(std::string_view user_key, SequenceNumber sequence,
                               ValueType type = ValueType::kValue) {
  std::string key;
  AppendInternalKey(&key, user_key, sequence, type);
  return key;
}

// Few letters, so that prefixes are shared and separators are put to the test; some keys share more
// than a word of eight bytes.
inline std::string AnyUserKey() {
  return *rc::gen::element<std::string>("", "abcabcab") +
         *rc::gen::resize(6, rc::gen::container<std::string>(
                                 rc::gen::element<char>('a', 'b', 'c', '\0', '\xff')));
}

inline std::string AnyInternalKey() {
  return InternalKey(AnyUserKey(), *rc::gen::inRange<uint64_t>(1, 20),
                     *rc::gen::element(ValueType::kDelete, ValueType::kValue));
}

inline Entries AnyEntries(int max_entries) {
  Entries entries;
  const int n = *rc::gen::inRange(0, max_entries);
  for (int i = 0; i < n; ++i) {
    std::string key = AnyInternalKey();
    std::string value;
    if (TypeOf(key) == ValueType::kValue) value = *rc::gen::arbitrary<std::string>();
    entries.emplace(std::move(key), std::move(value));
  }
  return entries;
}

inline TableBuilderOptions AnyTableOptions() {
  TableBuilderOptions options;
  options.file_id = *rc::gen::arbitrary<uint64_t>();
  options.block_size = *rc::gen::element<size_t>(64, 128, 300, 4096);
  options.block_restart_interval = *rc::gen::inRange(1, 20);
  options.compression =
      *rc::gen::element(Compression::kNone, Compression::kLz4, Compression::kZstd);
  options.filter_bits_per_key = *rc::gen::element(0, 1, 10);
  return options;
}

struct BuiltTable {
  std::string bytes;
  TableInfo info;
};

inline BuiltTable BuildTable(const TableBuilderOptions& options, const Entries& entries) {
  MemoryWritableFile file;
  TableBuilder builder(options, &file);
  for (const auto& [key, value] : entries) {
    SHEARPIN_CHECK(builder.Add(key, value).ok());
  }
  StatusOr<TableInfo> info = builder.Finish();
  SHEARPIN_CHECK(info.ok());
  return {file.contents(), *std::move(info)};
}

// Opens `bytes`, which must outlive the table, as `table` was built.
inline StatusOr<std::unique_ptr<Table>> OpenBytes(const std::string* bytes, const TableInfo& info) {
  return Table::Open(std::make_unique<MemoryReadableFile>(bytes), "t.sst",
                     {info.properties.file_id, info.file_size});
}

// Makes the same random moves on an iterator of the engine and on a map.
template <typename EngineIterator>
class Walk {
 public:
  Walk(EngineIterator* it, const Entries* entries)
      : it_(it), entries_(entries), expected_(entries->end()) {}

  void Step() {
    // Mostly steps, so that turns happen in the middle.
    const int move = *rc::gen::inRange(0, 16);
    if (it_->Valid() && move >= 4) {
      if (move % 2 == 0) {
        it_->Next();
        ++expected_;
      } else {
        it_->Prev();
        expected_ = Before(expected_);
      }
    } else if (move % 4 == 0) {
      it_->SeekToFirst();
      expected_ = entries_->begin();
    } else if (move % 4 == 1) {
      it_->SeekToLast();
      expected_ = Before(entries_->end());
    } else {
      const std::string target = AnyInternalKey();
      if constexpr (requires { it_->SeekForPrev(target); }) {
        if (move % 4 == 2) {
          it_->SeekForPrev(target);
          expected_ = Before(entries_->upper_bound(target));
          return;
        }
      }
      it_->Seek(target);
      expected_ = entries_->lower_bound(target);
    }
  }

  void AssertAgreement() const {
    RC_ASSERT(it_->Valid() == (expected_ != entries_->end()));
    if (!it_->Valid()) return;
    RC_ASSERT(it_->key() == expected_->first);
    RC_ASSERT(it_->value() == expected_->second);
  }

 private:
  Entries::const_iterator Before(Entries::const_iterator at) const {
    return at == entries_->begin() ? entries_->end() : std::prev(at);
  }

  EngineIterator* const it_;
  const Entries* const entries_;
  Entries::const_iterator expected_;
};

}  // namespace shearpin
