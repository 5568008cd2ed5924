// TSV: key/value pairs as lines of text, "key<TAB>value", escaped as engine/base/tsv_field.h says.
// Empty lines are skipped.
//
// ci/make_dataset writes such a file; `scan` prints one.
// Thread safety: one thread at a time. Ownership: a reader owns its file.
#pragma once

#include <cstdint>
#include <fstream>
#include <istream>
#include <memory>
#include <string>
#include <string_view>

#include "engine/status.h"

namespace shearpin::tool {

class TsvReader {
 public:
  // "-" reads standard input. NotFound or IoError, naming the file.
  static StatusOr<std::unique_ptr<TsvReader>> Open(const std::string& path);

  // False at the end of the file. InvalidArgument "FILE:LINE: reason" for a malformed line,
  // IoError where the file cannot be read on.
  StatusOr<bool> Next(std::string* key, std::string* value);

 private:
  explicit TsvReader(std::string name) : name_(std::move(name)) {}

  const std::string name_;
  std::ifstream file_;
  std::istream* in_ = nullptr;
  uint64_t line_number_ = 0;
  std::string line_;
};

}  // namespace shearpin::tool
