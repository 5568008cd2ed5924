// The names of a database's files.
//
//   CURRENT          names the MANIFEST, with the length promised durable and a checksum
//   CURRENT.tmp      its replacement, before the rename
//   LOCK             held while the database is open
//   LOG, LOG.old     what happened, in words, if the options ask for it; nothing depends on it
//   MANIFEST-000012  the files that make up the database
//   000013.wal       a write-ahead log
//   000014.sst       a table
//
// Numbers come from one counter and are never used twice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shearpin {

enum class FileKind : uint8_t {
  kUnknown,
  kCurrent,
  kCurrentTemp,
  kLock,
  kManifest,
  kWal,
  kTable,
  kInfoLog
};

std::string CurrentName();
std::string CurrentTempName();
std::string LockName();
std::string InfoLogName();
std::string OldInfoLogName();
std::string ManifestName(uint64_t number);
std::string WalName(uint64_t number);
std::string TableName(uint64_t number);

// "directory/name".
std::string JoinPath(std::string_view directory, std::string_view name);
// The directory that holds `path`: "." where the path names none.
std::string ParentDirectory(std::string_view path);

// What a directory entry is; `*number` is set for the numbered kinds. kUnknown: not ours.
FileKind ParseFileName(std::string_view name, uint64_t* number);

}  // namespace shearpin
