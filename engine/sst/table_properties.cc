#include "engine/sst/table_properties.h"

#include <array>

#include "engine/base/check.h"
#include "engine/base/coding.h"
#include "engine/sst/block_builder.h"
#include "engine/sst/block_iterator.h"

namespace shearpin {
namespace {

struct NumberName {
  std::string_view name;
  uint64_t TableProperties::*field;
};
struct TextName {
  std::string_view name;
  std::string TableProperties::*field;
};

// Each list sorted; Encode merges them.
constexpr std::array<NumberName, 9> kNumbers = {{
    {"shearpin.data_blocks", &TableProperties::data_blocks},
    {"shearpin.data_bytes", &TableProperties::data_bytes},
    {"shearpin.deletions", &TableProperties::deletions},
    {"shearpin.entries", &TableProperties::entries},
    {"shearpin.file_id", &TableProperties::file_id},
    {"shearpin.key_bytes", &TableProperties::key_bytes},
    {"shearpin.largest_sequence", &TableProperties::largest_sequence},
    {"shearpin.smallest_sequence", &TableProperties::smallest_sequence},
    {"shearpin.value_bytes", &TableProperties::value_bytes},
}};
constexpr std::array<TextName, 4> kTexts = {{
    {"shearpin.compression", &TableProperties::compression},
    {"shearpin.largest_key", &TableProperties::largest_key},
    {"shearpin.smallest_key", &TableProperties::smallest_key},
    {"shearpin.writer_version", &TableProperties::writer_version},
}};

Status Bad(std::string_view name, std::string_view reason) {
  return Status::Corruption("property " + std::string(name) + ": " + std::string(reason));
}

Status CheckRanges(const TableProperties& p) {
  if (p.deletions > p.entries) return Bad("shearpin.deletions", "more than entries");
  if (p.largest_sequence > kMaxSequence) return Bad("shearpin.largest_sequence", "out of range");
  if (p.entries == 0) {
    if (!p.smallest_key.empty() || !p.largest_key.empty()) {
      return Bad("shearpin.smallest_key", "in a table without entries");
    }
    return Status::Ok();
  }
  if (p.smallest_sequence > p.largest_sequence) {
    return Bad("shearpin.smallest_sequence", "greater than the largest");
  }
  if (!IsInternalKey(p.smallest_key)) return Bad("shearpin.smallest_key", "not an internal key");
  if (!IsInternalKey(p.largest_key)) return Bad("shearpin.largest_key", "not an internal key");
  if (CompareInternalKeys(p.smallest_key, p.largest_key) > 0) {
    return Bad("shearpin.smallest_key", "greater than the largest");
  }
  return Status::Ok();
}

}  // namespace

std::string TableProperties::Encode() const {
  BlockBuilder block(kMaxBlockTarget, 1);
  auto number = kNumbers.begin();
  auto text = kTexts.begin();
  while (number != kNumbers.end() || text != kTexts.end()) {
    bool fits;
    if (text == kTexts.end() || (number != kNumbers.end() && number->name < text->name)) {
      std::string value;
      AppendVarint64(&value, this->*number->field);
      fits = block.Add(number->name, value);
      ++number;
    } else {
      fits = block.Add(text->name, this->*text->field);
      ++text;
    }
    // Only keys of a gigabyte and more can come here; TableBuilder refuses them.
    SHEARPIN_CHECK(fits);
  }
  std::string bytes;
  block.Finish(&bytes);
  return bytes;
}

StatusOr<TableProperties> TableProperties::Decode(std::string_view block) {
  TableProperties properties;
  BlockIterator it;
  it.Reset(block, BlockIterator::Order::kBytewise);
  // One walk over the block, past the names that are not known, in the order of Encode.
  it.SeekToFirst();
  const auto find = [&it](std::string_view name) {
    while (it.Valid() && it.key() < name) it.Next();
    return it.Valid() && it.key() == name;
  };
  auto number = kNumbers.begin();
  auto text = kTexts.begin();
  while (number != kNumbers.end() || text != kTexts.end()) {
    if (text == kTexts.end() || (number != kNumbers.end() && number->name < text->name)) {
      if (!find(number->name)) return Bad(number->name, it.damage() ? it.damage() : "missing");
      std::string_view value = it.value();
      if (!ConsumeVarint64(&value, &(properties.*number->field)) || !value.empty()) {
        return Bad(number->name, "malformed number");
      }
      ++number;
    } else {
      if (!find(text->name)) return Bad(text->name, it.damage() ? it.damage() : "missing");
      properties.*text->field = it.value();
      ++text;
    }
  }
  SHEARPIN_RETURN_IF_ERROR(CheckRanges(properties));
  return properties;
}

}  // namespace shearpin
