#include "tests/bench/store.h"

#include <cstdio>
#include <cstdlib>

namespace shearpin::bench {

const std::vector<Engine>& AllEngines() {
  static const auto* const engines = new std::vector<Engine>{
      {"shearpin", OpenShearpin},
      {"leveldb", OpenLevelDb},
      {"rocksdb", OpenRocksDb},
      {"lmdb", OpenLmdb},
  };
  return *engines;
}

void Require(bool ok, std::string_view what) {
  if (ok) return;
  std::fprintf(stderr, "bench: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

}  // namespace shearpin::bench
