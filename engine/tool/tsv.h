// TSV: key/value pairs as lines of text, "key<TAB>value". In both, \t, \n and \\ stand for tab,
// newline and backslash; every other byte stands for itself. Empty lines are skipped.
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

std::string EscapeField(std::string_view bytes);

// False for a backslash that no escape above begins.
bool UnescapeField(std::string_view text, std::string* bytes);

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
