#include "sim/user_files.h"

#include <cstdlib>
#include <filesystem>

#include "engine/env/file_system.h"

namespace shearpin::sim {

namespace fs = std::filesystem;

std::string AbsoluteUserPath(std::string_view path) {
  const fs::path given(path);
  if (given.is_absolute()) return given.lexically_normal();
  const char* typed_in = std::getenv("BUILD_WORKING_DIRECTORY");
  const fs::path base = typed_in != nullptr ? fs::path(typed_in) : fs::current_path();
  return (base / given).lexically_normal();
}

StatusOr<std::string> ReadUserFile(const std::string& path) {
  std::string text;
  SHEARPIN_RETURN_IF_ERROR(ReadFile(PosixFileSystem(), path, &text));
  return text;
}

StatusOr<Plan> ReadPlan(const std::string& path) {
  SHEARPIN_ASSIGN_OR_RETURN(const std::string text, ReadUserFile(path));
  return ParsePlan(text, path);
}

StatusOr<Dataset> ReadDataset(const std::string& path) {
  SHEARPIN_ASSIGN_OR_RETURN(const std::string text, ReadUserFile(path));
  return ParseDataset(text, path);
}

Status WriteUserFile(const std::string& directory, const std::string& name,
                     std::string_view contents) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return Status::IoError("create directory " + directory + ": " + error.message());
  SHEARPIN_ASSIGN_OR_RETURN(
      const std::unique_ptr<WritableFile> file,
      PosixFileSystem()->OpenWritable(directory + "/" + name, OpenMode::kTruncate));
  SHEARPIN_RETURN_IF_ERROR(file->Append(contents));
  return file->Close();
}

}  // namespace shearpin::sim
