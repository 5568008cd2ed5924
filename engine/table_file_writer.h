// TableFileWriter: builds a table outside of a database, for DB::IngestTable.
//
// Thread safety: one thread at a time. Ownership: borrows the options' file system. Errors: the
// first one sticks; the file is then useless and may be removed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/options.h"
#include "engine/status.h"

namespace shearpin {

class TableBuilder;
class WritableFile;

class TableFileWriter {
 public:
  // Creates `path`, which must not exist. Block sizes are those of `options`.
  static StatusOr<std::unique_ptr<TableFileWriter>> Create(const Options& options,
                                                           const std::string& path);
  // Without Finish the file stays as it is.
  ~TableFileWriter();

  // Keys ascend strictly, by bytes, over both calls together: InvalidArgument otherwise.
  Status Put(std::string_view key, std::string_view value);
  Status Delete(std::string_view key);

  // Writes the rest and syncs the file. Nothing may be called afterwards.
  Status Finish();

 private:
  TableFileWriter(const Options& options, std::unique_ptr<WritableFile> file);
  Status Add(std::string_view key, std::string_view value, bool deleted);

  const std::unique_ptr<WritableFile> file_;
  const std::unique_ptr<TableBuilder> builder_;
  bool any_ = false;
  std::string last_key_;
  std::string internal_key_;
  Status status_;
};

}  // namespace shearpin
