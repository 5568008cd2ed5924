#include "engine/db/table_writer.h"

#include <optional>
#include <utility>

#include "engine/base/hash.h"
#include "engine/manifest/file_names.h"

namespace shearpin {
namespace {

// So much is written between two looks at the clock.
constexpr uint64_t kPacedBytes = 4096;

}  // namespace

StatusOr<FileMeta> WriteTable(FileSystem* fs, const std::string& directory, uint64_t database_id,
                              uint64_t number, TableBuilderOptions options,
                              CompactionIterator* entries, RangeTombstoneCutter* ranges,
                              OutputCutter* cutter,
                              const std::function<void(uint64_t bytes)>& pace) {
  options.file_id = Mix64(database_id ^ Mix64(number));
  const std::string path = JoinPath(directory, TableName(number));
  SHEARPIN_ASSIGN_OR_RETURN(auto file, fs->OpenWritable(path, OpenMode::kCreateNew));
  TableBuilder builder(options, file.get());
  std::string last_user_key;
  uint64_t paced = 0;
  for (; entries->Valid(); entries->Next()) {
    const std::string_view user_key = UserKey(entries->key());
    if (cutter != nullptr && (builder.entries() == 0 || user_key != last_user_key)) {
      const bool cut = cutter->CutBefore(user_key, builder.EstimatedSize());
      if (cut && builder.entries() > 0) break;
      last_user_key.assign(user_key);
    }
    // By what the file grows, which is a block at a time.
    if (const uint64_t size = builder.EstimatedSize();
        pace != nullptr && size > paced + kPacedBytes) {
      pace(size - paced);
      paced = size;
    }
    SHEARPIN_RETURN_IF_ERROR(builder.Add(entries->key(), entries->value()));
  }
  SHEARPIN_RETURN_IF_ERROR(entries->status());
  std::optional<std::string_view> end;
  if (entries->Valid()) end = UserKey(entries->key());
  SHEARPIN_RETURN_IF_ERROR(builder.SetRangeDeletes(ranges->TakeBefore(end)));
  SHEARPIN_ASSIGN_OR_RETURN(TableInfo info, builder.Finish());
  if (pace != nullptr && info.file_size > paced) pace(info.file_size - paced);

  // The MANIFEST will name this file: before that, its bytes must be durable, and then its entry,
  // since a sync of the file does not promise the entry. Close before SyncDir, so that an error
  // that only close reports still keeps the table out of the MANIFEST.
  SHEARPIN_RETURN_IF_ERROR(file->Sync());
  SHEARPIN_RETURN_IF_ERROR(file->Close());
  SHEARPIN_RETURN_IF_ERROR(fs->SyncDir(directory));

  return FileMeta{.number = number,
                  .file_id = options.file_id,
                  .size = info.file_size,
                  .checksum = info.file_checksum,
                  .entries = info.properties.entries,
                  .smallest_sequence = info.smallest_sequence,
                  .largest_sequence = info.largest_sequence,
                  .smallest = std::move(info.smallest),
                  .largest = std::move(info.largest),
                  .range_deletes = info.range_deletes};
}

}  // namespace shearpin
