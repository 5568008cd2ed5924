// Write batches, the payload of a WAL record: accepted whole or refused, and then handed over as
// often as the count says.
#include "engine/base/check.h"
#include "engine/write_batch.h"
#include "tests/fuzz/fuzz_input.h"

namespace shearpin::fuzz {
namespace {

// Makes the batch again from what is handed over.
class Rebuild : public WriteBatch::Handler {
 public:
  void Put(std::string_view key, std::string_view value) override { batch.Put(key, value); }
  void Delete(std::string_view key) override { batch.Delete(key); }
  void DeleteRange(std::string_view begin, std::string_view end) override {
    batch.DeleteRange(begin, end);
  }
  WriteBatch batch;
};

}  // namespace

std::vector<std::string> Seeds() {
  WriteBatch batch;
  std::vector<std::string> seeds = {std::string(batch.representation())};
  for (size_t i = 0; i < 5; ++i) {
    batch.Put("key" + std::to_string(i), std::string(i * 50, 'v'));
    batch.Delete(std::string(i * 40, 'd'));
    batch.DeleteRange(std::string(i * 30, 'b'), std::string(i * 20, 'e'));
    seeds.emplace_back(batch.representation());
  }
  return seeds;
}

}  // namespace shearpin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shearpin;
  auto batch = WriteBatch::FromRepresentation({reinterpret_cast<const char*>(data), size});
  if (!batch.ok()) return 0;
  fuzz::Rebuild rebuild;
  SHEARPIN_CHECK(batch->Iterate(&rebuild).ok());
  SHEARPIN_CHECK(rebuild.batch.count() == batch->count());
  return 0;
}
