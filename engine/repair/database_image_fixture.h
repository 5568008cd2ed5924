// What the tests of repairs share: the files of a directory as a value, to be damaged and put back.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/env/file_system.h"
#include "engine/manifest/file_names.h"

namespace shearpin {

using Image = std::map<std::string, std::string>;  // name -> bytes

inline Image Capture(FileSystem* fs, const std::string& directory) {
  Image image;
  const auto names = fs->ListDir(directory);
  EXPECT_TRUE(names.ok()) << names.status().ToString();
  if (!names.ok()) return image;
  for (const std::string& name : *names) {
    EXPECT_TRUE(ReadFile(fs, JoinPath(directory, name), &image[name]).ok());
  }
  return image;
}

inline void Restore(const Image& image, FileSystem* fs, const std::string& directory) {
  ASSERT_TRUE(fs->CreateDir(directory).ok());
  for (const auto& [name, bytes] : image) {
    auto file = fs->OpenWritable(JoinPath(directory, name), OpenMode::kTruncate);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(bytes).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
}

inline std::vector<std::string> NamesOf(const Image& image, FileKind kind) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : image) {
    uint64_t number;
    if (ParseFileName(name, &number) == kind) names.push_back(name);
  }
  return names;
}

}  // namespace shearpin
