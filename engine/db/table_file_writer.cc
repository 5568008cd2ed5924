#include "engine/table_file_writer.h"

#include <utility>

#include "engine/base/internal_key.h"
#include "engine/sst/table_builder.h"

namespace shearpin {

StatusOr<std::unique_ptr<TableFileWriter>> TableFileWriter::Create(const Options& options,
                                                                   const std::string& path) {
  SHEARPIN_RETURN_IF_ERROR(ValidateOptions(options));
  SHEARPIN_ASSIGN_OR_RETURN(auto file,
                            options.env.file_system->OpenWritable(path, OpenMode::kCreateNew));
  return std::unique_ptr<TableFileWriter>(new TableFileWriter(options, std::move(file)));
}

// File id 0: of no database. Sequence 0: older than everything, until it is ingested.
TableFileWriter::TableFileWriter(const Options& options, std::unique_ptr<WritableFile> file)
    : file_(std::move(file)),
      builder_(std::make_unique<TableBuilder>(
          TableBuilderOptions{.file_id = 0,
                              .block_size = options.block_size,
                              .block_restart_interval = options.block_restart_interval},
          file_.get())) {}

TableFileWriter::~TableFileWriter() = default;

Status TableFileWriter::Add(std::string_view key, std::string_view value, bool deleted) {
  SHEARPIN_RETURN_IF_ERROR(status_);
  if (key.size() > (size_t{64} << 20) || value.size() > (size_t{1} << 30)) {
    return Status::InvalidArgument("a key is larger than 64 MiB, or a value than 1 GiB");
  }
  if (any_ && key <= last_key_) {
    return Status::InvalidArgument("keys of a table must ascend strictly");
  }
  any_ = true;
  last_key_.assign(key);
  internal_key_.clear();
  AppendInternalKey(&internal_key_, key, 0, deleted ? ValueType::kDelete : ValueType::kValue);
  status_ = builder_->Add(internal_key_, value);
  return status_;
}

Status TableFileWriter::Put(std::string_view key, std::string_view value) {
  return Add(key, value, false);
}

Status TableFileWriter::Delete(std::string_view key) { return Add(key, {}, true); }

Status TableFileWriter::Finish() {
  SHEARPIN_RETURN_IF_ERROR(status_);
  status_ = builder_->Finish().status();
  if (status_.ok()) status_ = file_->Sync();
  if (status_.ok()) status_ = file_->Close();
  return status_;
}

}  // namespace shearpin
