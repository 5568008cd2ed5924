// CompactionFilter: lets an application drop keys while tables are merged (expiry, dropped
// tenants).
//
// Applied to the newest version of a key in a merge if that is newer than every snapshot there is
// when the merge begins: never to what such a snapshot sees. A snapshot taken while the merge runs
// may see the key until the merge ends, and not afterwards. When a key is dropped, older versions
// do not come back. There is no promise when, or whether, a key is asked about: only merges ask.
// Thread safety: Drop may be called from several threads at once. Ownership: not owned; outlives
// the database. It must not call back into the DB, and must answer the same for the same input.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace shearpin {

class CompactionFilter {
 public:
  virtual ~CompactionFilter() = default;
  virtual bool Drop(std::string_view key, std::string_view value) const = 0;
};

// Drops every key that begins with a prefix.
class PrefixCompactionFilter : public CompactionFilter {
 public:
  explicit PrefixCompactionFilter(std::string prefix) : prefix_(std::move(prefix)) {}
  bool Drop(std::string_view key, std::string_view) const override {
    return key.substr(0, prefix_.size()) == prefix_;
  }

 private:
  const std::string prefix_;
};

}  // namespace shearpin
