#include "engine/env/file_system.h"

namespace shearpin {

Status ReadFile(FileSystem* fs, const std::string& path, std::string* contents) {
  contents->clear();
  SHEARPIN_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, fs->OpenRandomAccess(path));
  SHEARPIN_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::string buffer(size, '\0');
  std::string_view result;
  SHEARPIN_RETURN_IF_ERROR(file->Read(0, buffer.size(), buffer.data(), &result));
  if (result.data() == buffer.data()) {
    buffer.resize(result.size());
    *contents = std::move(buffer);
  } else {
    contents->assign(result);
  }
  return Status::Ok();
}

}  // namespace shearpin
