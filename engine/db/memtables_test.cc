// Goal: several memtables wait for their flush at once and are read meanwhile, and a close flushes
// exactly if it was asked to. Method: a file system on which no table can be made while it lasts.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/db.h"
#include "engine/db/failing_file_system.h"
#include "faultfs/mem_file_system.h"

namespace shearpin {
namespace {

size_t Tables(FileSystem* fs) {
  size_t tables = 0;
  for (const std::string& name : *fs->ListDir("/db")) tables += name.ends_with(".sst") ? 1 : 0;
  return tables;
}

TEST(Memtables, SeveralAreInFlightAndReadableUntilTheirFlush) {
  faultfs::MemFileSystem memory;
  FailingFileSystem fs(&memory);
  Options options;
  options.env.file_system = &fs;
  options.write_buffer_size = 4096;
  options.max_write_buffers = 4;
  auto db = *DB::Open(options, "/db");
  fs.FailAt(0, UINT64_MAX, StatusCode::kNoSpace, ".sst");
  int written = 0;
  const std::string value(500, 'v');
  // Until the fourth memtable is full.
  while (db->Put("k" + std::to_string(written), value + std::to_string(written)).ok()) {
    ASSERT_LT(++written, 1000);
  }
  EXPECT_NE(db->Property("stats")->find("frozen-memtables=3"), std::string::npos)
      << *db->Property("stats");
  for (int i = 0; i < written; ++i) {
    std::string found;
    ASSERT_TRUE(db->Get("k" + std::to_string(i), &found).ok()) << i;
    EXPECT_EQ(found, value + std::to_string(i));
  }
  EXPECT_EQ(Tables(&memory), 0u);
  fs.Heal();
  ASSERT_TRUE(db->WaitForBackground().ok());
  EXPECT_GE(Tables(&memory), 3u);
  EXPECT_TRUE(db->Put("k", "goes on").ok());
}

TEST(Memtables, ACloseFlushesIfItIsAskedTo) {
  for (const bool flush : {false, true}) {
    faultfs::MemFileSystem fs;
    Options options;
    options.env.file_system = &fs;
    options.flush_on_close = flush;
    {
      auto db = *DB::Open(options, "/db");
      ASSERT_TRUE(db->Put("a", "logged").ok());
      ASSERT_TRUE(db->Put("b", "not logged", {.durability = Durability::kNone}).ok());
      ASSERT_TRUE(db->Close().ok());
    }
    EXPECT_EQ(Tables(&fs), flush ? 1u : 0u);
    auto db = *DB::Open(options, "/db");
    std::string found;
    EXPECT_TRUE(db->Get("a", &found).ok());
    // A change without a log lives until a flush.
    EXPECT_EQ(db->Get("b", &found).ok(), flush);
  }
}

}  // namespace
}  // namespace shearpin
