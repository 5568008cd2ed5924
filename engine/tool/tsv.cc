#include "engine/tool/tsv.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "engine/base/tsv_field.h"

namespace shearpin::tool {

StatusOr<std::unique_ptr<TsvReader>> TsvReader::Open(const std::string& path) {
  std::unique_ptr<TsvReader> reader(new TsvReader(path == "-" ? "(standard input)" : path));
  if (path == "-") {
    reader->in_ = &std::cin;
    return reader;
  }
  // A stream opens a directory as well, and then looks like an empty file.
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return Status::IoError("open " + path + ": " + std::strerror(EISDIR));
  }
  errno = 0;
  reader->file_.open(path, std::ios::binary);
  if (!reader->file_) {
    const std::string message = "open " + path + ": " + std::strerror(errno);
    return errno == ENOENT ? Status::NotFound(message) : Status::IoError(message);
  }
  reader->in_ = &reader->file_;
  return reader;
}

StatusOr<bool> TsvReader::Next(std::string* key, std::string* value) {
  do {
    if (!std::getline(*in_, line_)) {
      if (in_->bad()) return Status::IoError("read " + name_ + ": failed");
      return false;
    }
    ++line_number_;
  } while (line_.empty());

  const std::string where = name_ + ":" + std::to_string(line_number_) + ": ";
  const std::string_view line = line_;
  const size_t tab = line.find('\t');
  if (tab == std::string_view::npos) {
    return Status::InvalidArgument(where + "expected a key, a tab and a value, found no tab");
  }
  if (!UnescapeField(line.substr(0, tab), key)) {
    return Status::InvalidArgument(where + "unknown escape in the key (there are \\t, \\n, \\\\)");
  }
  if (!UnescapeField(line.substr(tab + 1), value)) {
    return Status::InvalidArgument(where +
                                   "unknown escape in the value (there are \\t, \\n, \\\\)");
  }
  return true;
}

}  // namespace shearpin::tool
