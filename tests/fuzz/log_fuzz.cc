// Logs: the header, the records up to the first that is not whole, and what lies beyond it; of each
// input as it is, and with its checksums made right (sealed_log.h).
#include "engine/base/check.h"
#include "engine/wal/log_reader.h"
#include "engine/wal/log_writer.h"
#include "faultfs/mem_file_system.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/sealed_log.h"

namespace shearpin::fuzz {
namespace {

void ReadRecords(std::string_view file, LogReader* reader) {
  uint64_t end = reader->end();
  const auto check = [&](const LogRecord& record) {
    SHEARPIN_CHECK(record.offset >= end && record.end > record.offset &&
                   record.end <= file.size() + 7);
    SHEARPIN_CHECK(record.payload.empty() ||
                   (record.payload.data() >= file.data() &&
                    record.payload.data() + record.payload.size() <= file.data() + file.size()));
    end = record.end;
  };
  LogRecord record;
  while (reader->Next(&record)) check(record);
  reader->CleanEnd();
  reader->PromiseBeyondEnd();
  // As a salvage goes on.
  while (reader->Resume(&record) || reader->Next(&record)) check(record);
}

void ReadLog(std::string_view file) {
  for (const LogKind kind : {LogKind::kWal, LogKind::kManifest}) {
    auto reader = LogReader::Open(kind, file);
    if (reader.ok()) ReadRecords(file, &*reader);
  }
  LogReader salvage = LogReader::WithSaltOf(file);
  ReadRecords(file, &salvage);
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const LogKind kind : {LogKind::kWal, LogKind::kManifest}) {
    faultfs::MemFileSystem fs;
    auto log = LogWriter::Create(&fs, "/log", kind, {.database_id = 1, .number = 2, .salt = 3});
    SHEARPIN_CHECK(log.ok());
    std::string contents;
    for (uint64_t i = 0; i < 6; ++i) {
      const std::string payload(1 + i * 13, 'p');
      const std::string_view part = payload;
      const bool sync = i % 2 == 0;
      const auto fill = sync ? LogWriter::Fill::kNow : LogWriter::Fill::kLater;
      SHEARPIN_CHECK((*log)->Append(i + 1, std::span(&part, 1), fill).ok());
      if (sync) SHEARPIN_CHECK((*log)->Sync().ok());
      SHEARPIN_CHECK(ReadFile(&fs, "/log", &contents).ok());
      SHEARPIN_CHECK(SealedLog(contents) == contents);
      seeds.push_back(contents);
    }
    seeds.push_back(contents + std::string(100, '\0'));
  }
  return seeds;
}

}  // namespace shearpin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  using namespace shearpin::fuzz;
  ReadLog(file);
  ReadLog(SealedLog(file));
  return 0;
}
