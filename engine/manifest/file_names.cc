#include "engine/manifest/file_names.h"

#include <charconv>
#include <cstdio>

namespace shearpin {
namespace {

constexpr std::string_view kManifestPrefix = "MANIFEST-";

std::string Numbered(const char* format, uint64_t number) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, format, static_cast<unsigned long long>(number));
  return buffer;
}

bool ParseNumber(std::string_view digits, uint64_t* number) {
  if (digits.empty() || digits.front() < '0' || digits.front() > '9') return false;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, *number);
  return result.ec == std::errc() && result.ptr == end;
}

}  // namespace

std::string CurrentName() { return "CURRENT"; }
std::string CurrentTempName() { return "CURRENT.tmp"; }
std::string LockName() { return "LOCK"; }
std::string InfoLogName() { return "LOG"; }
std::string OldInfoLogName() { return "LOG.old"; }
std::string ManifestName(uint64_t number) { return Numbered("MANIFEST-%06llu", number); }
std::string WalName(uint64_t number) { return Numbered("%06llu.wal", number); }
std::string TableName(uint64_t number) { return Numbered("%06llu.sst", number); }

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  path.append(directory);
  if (path.empty() || path.back() != '/') path.push_back('/');
  path.append(name);
  return path;
}

std::string ParentDirectory(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  if (slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

FileKind ParseFileName(std::string_view name, uint64_t* number) {
  *number = 0;
  if (name == "CURRENT") return FileKind::kCurrent;
  if (name == "CURRENT.tmp") return FileKind::kCurrentTemp;
  if (name == "LOCK") return FileKind::kLock;
  if (name == "LOG" || name == "LOG.old") return FileKind::kInfoLog;
  if (name.starts_with(kManifestPrefix)) {
    return ParseNumber(name.substr(kManifestPrefix.size()), number) ? FileKind::kManifest
                                                                    : FileKind::kUnknown;
  }
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || !ParseNumber(name.substr(0, dot), number)) {
    return FileKind::kUnknown;
  }
  const std::string_view suffix = name.substr(dot);
  if (suffix == ".wal") return FileKind::kWal;
  if (suffix == ".sst") return FileKind::kTable;
  return FileKind::kUnknown;
}

}  // namespace shearpin
