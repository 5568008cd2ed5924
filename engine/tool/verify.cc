#include "engine/tool/verify.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "engine/db.h"
#include "engine/env/env.h"
#include "engine/manifest/file_names.h"
#include "engine/manifest/manifest.h"
#include "engine/manifest/version.h"
#include "engine/manifest/version_order.h"

namespace shearpin::tool {
namespace {

Status Scan(DB* db, const std::string& directory, uint64_t* keys, uint64_t* bytes) {
  uint64_t backward = 0;
  const auto it = db->NewIterator();
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    ++*keys;
    *bytes += it->key().size() + it->value().size();
  }
  SHEARPIN_RETURN_IF_ERROR(it->status());
  for (it->SeekToLast(); it->Valid(); it->Prev()) ++backward;
  SHEARPIN_RETURN_IF_ERROR(it->status());
  if (*keys == backward) return Status::Ok();
  return Status::Corruption(directory + ": " + std::to_string(*keys) + " keys forward, " +
                            std::to_string(backward) + " backward");
}

Status CheckSequences(const std::string& directory, const ManifestState& state) {
  for (const auto& files : state.levels) {
    for (const auto& [number, meta] : files) {
      if (meta.largest_sequence <= state.flushed_sequence) continue;
      return Status::Corruption(JoinPath(directory, TableName(number)) + ": holds sequence " +
                                std::to_string(meta.largest_sequence) + ", though the MANIFEST " +
                                "says that tables hold changes up to " +
                                std::to_string(state.flushed_sequence));
    }
  }
  return Status::Ok();
}

Status CheckOrder(FileSystem* fs, const std::string& directory, const ManifestState& state) {
  Version::Change change;
  for (int level = 0; level < kNumLevels; ++level) {
    for (const auto& [number, meta] : state.levels[level]) {
      change.added.emplace_back(level,
                                std::make_shared<TableFile>(fs, RealScheduler(), directory, meta));
    }
  }
  return CheckVersionOrder(*Version().With(change));
}

Status PrintOrphans(FileSystem* fs, const std::string& directory, const ManifestState& state,
                    std::ostream& out) {
  SHEARPIN_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->ListDir(directory));
  for (const std::string& name : names) {
    uint64_t number = 0;
    bool orphan = false;
    switch (ParseFileName(name, &number)) {
      case FileKind::kTable:
        orphan = std::all_of(std::begin(state.levels), std::end(state.levels),
                             [&](const auto& files) { return files.count(number) == 0; });
        break;
      case FileKind::kWal:
        orphan = number < state.log_floor;
        break;
      case FileKind::kManifest:
        orphan = number != state.manifest_number;
        break;
      case FileKind::kCurrentTemp:
        orphan = true;
        break;
      case FileKind::kUnknown:
        out << name << ": not a file of a database\n";
        break;
      case FileKind::kCurrent:
      case FileKind::kLock:
      case FileKind::kInfoLog:
        break;
    }
    if (orphan) out << name << ": an orphan; the next open for writing removes it\n";
  }
  return Status::Ok();
}

}  // namespace

Status Verify(FileSystem* fs, const std::string& directory, std::ostream& out) {
  if (fs->Exists(directory).IsNotFound()) {
    return Status::InvalidArgument(directory + ": no such directory; give that of a database");
  }
  // Keeps writers out meanwhile. Without a LOCK file nobody has it open, and none is made.
  StatusOr<std::unique_ptr<FileLock>> lock = std::unique_ptr<FileLock>();
  const std::string lock_path = JoinPath(directory, LockName());
  if (fs->Exists(lock_path).ok()) lock = fs->LockFile(lock_path);
  Options options;
  options.env.file_system = fs;
  SHEARPIN_ASSIGN_OR_RETURN(const auto db, DB::OpenReadOnly(options, directory));
  SHEARPIN_RETURN_IF_ERROR(db->VerifyChecksums());
  uint64_t keys = 0, bytes = 0;
  SHEARPIN_RETURN_IF_ERROR(Scan(db.get(), directory, &keys, &bytes));
  if (lock.ok()) {
    SHEARPIN_ASSIGN_OR_RETURN(const auto recovered, Manifest::Recover(fs, directory));
    SHEARPIN_RETURN_IF_ERROR(CheckSequences(directory, recovered.state));
    SHEARPIN_RETURN_IF_ERROR(CheckOrder(fs, directory, recovered.state));
    SHEARPIN_RETURN_IF_ERROR(PrintOrphans(fs, directory, recovered.state, out));
  } else {
    out << directory << ": open elsewhere (" << lock.status().message()
        << "): the order between tables was not checked, nor were orphans looked for\n";
  }
  SHEARPIN_ASSIGN_OR_RETURN(const std::string levels, db->Property("levels"));
  out << directory << ": ok: " << keys << " keys, " << bytes
      << " bytes of keys and values, last sequence " << db->LatestSequence() << '\n'
      << levels;
  return db->Close();
}

}  // namespace shearpin::tool
