#include "engine/write_batch.h"

#include "engine/base/coding.h"
#include "engine/base/internal_key.h"

namespace shearpin {
namespace {

constexpr size_t kCountSize = 4;

class NullHandler : public WriteBatch::Handler {
 public:
  void Put(std::string_view, std::string_view) override {}
  void Delete(std::string_view) override {}
  void DeleteRange(std::string_view, std::string_view) override {}
};

}  // namespace

WriteBatch::WriteBatch() { Clear(); }

void WriteBatch::Clear() {
  rep_.assign(kCountSize, '\0');
  first_sequence_ = 0;
}

uint32_t WriteBatch::count() const { return LoadFixed32(rep_.data()); }

void WriteBatch::Put(std::string_view key, std::string_view value) {
  StoreFixed32(rep_.data(), count() + 1);
  rep_.push_back(static_cast<char>(ValueType::kValue));
  AppendLengthPrefixed(&rep_, key);
  AppendLengthPrefixed(&rep_, value);
}

void WriteBatch::Delete(std::string_view key) {
  StoreFixed32(rep_.data(), count() + 1);
  rep_.push_back(static_cast<char>(ValueType::kDelete));
  AppendLengthPrefixed(&rep_, key);
}

void WriteBatch::DeleteRange(std::string_view begin, std::string_view end) {
  if (begin >= end) return;
  StoreFixed32(rep_.data(), count() + 1);
  rep_.push_back(static_cast<char>(ValueType::kRangeDelete));
  AppendLengthPrefixed(&rep_, begin);
  AppendLengthPrefixed(&rep_, end);
}

Status WriteBatch::Iterate(Handler* handler) const {
  std::string_view rest = std::string_view(rep_).substr(kCountSize);
  for (uint32_t i = 0; i < count(); ++i) {
    if (rest.empty()) return Status::Corruption("write batch ends before its last change");
    const auto type = static_cast<uint8_t>(rest.front());
    rest.remove_prefix(1);
    std::string_view key, value;
    if (!ConsumeLengthPrefixed(&rest, &key)) {
      return Status::Corruption("write batch has a key that runs past its end");
    }
    switch (type) {
      case static_cast<uint8_t>(ValueType::kValue):
        if (!ConsumeLengthPrefixed(&rest, &value)) {
          return Status::Corruption("write batch has a value that runs past its end");
        }
        handler->Put(key, value);
        break;
      case static_cast<uint8_t>(ValueType::kDelete):
        handler->Delete(key);
        break;
      case static_cast<uint8_t>(ValueType::kRangeDelete):
        if (!ConsumeLengthPrefixed(&rest, &value)) {
          return Status::Corruption("write batch has a range that runs past its end");
        }
        if (key >= value) return Status::Corruption("write batch has an empty range");
        handler->DeleteRange(key, value);
        break;
      default:
        return Status::Corruption("write batch has a change of unknown type " +
                                  std::to_string(type));
    }
  }
  if (!rest.empty()) return Status::Corruption("write batch has bytes after its last change");
  return Status::Ok();
}

StatusOr<WriteBatch> WriteBatch::FromRepresentation(std::string_view rep) {
  if (rep.size() < kCountSize) return Status::Corruption("write batch is shorter than its count");
  WriteBatch batch;
  batch.rep_ = rep;
  NullHandler check;
  SHEARPIN_RETURN_IF_ERROR(batch.Iterate(&check));
  return batch;
}

}  // namespace shearpin
