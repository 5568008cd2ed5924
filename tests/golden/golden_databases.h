// The golden databases: small ones that together use every feature of the formats on disk.
//
// Made the same way each time, byte for byte: fixed entropy, one change after another, background
// work waited for. What each holds is known without reading it.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace shearpin::golden {

struct GoldenDatabase {
  std::string name;                          // a directory's
  std::map<std::string, std::string> files;  // name -> bytes
  std::map<std::string, std::string> pairs;  // what it holds
};

// As today's writer makes them.
std::vector<GoldenDatabase> MakeGoldenDatabases();

// The format versions that today's writer writes, as the name of a directory: "log1_table1".
std::string FormatVersionName();

}  // namespace shearpin::golden
