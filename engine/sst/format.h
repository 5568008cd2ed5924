// Format of an SST file: block handles, block trailers, the footer. README.md draws the bytes.
//
// Integers are little endian. Decoders take bytes off a disk and never trust them: what is out of
// range is an error, and no read leaves the view that was given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/compression.h"
#include "engine/status.h"

namespace shearpin {

// Where a block lies. `size` counts the block without its trailer.
struct BlockHandle {
  uint64_t offset = 0;
  uint64_t size = 0;

  bool operator==(const BlockHandle&) const = default;
};

// varint64 offset, varint64 size.
void AppendBlockHandle(std::string* to, const BlockHandle& handle);
bool ConsumeBlockHandle(std::string_view* from, BlockHandle* handle);

enum class BlockKind : uint8_t {
  kData = 0,
  kIndex = 1,
  kFilter = 2,
  kProperties = 3,
  kMetaindex = 4,
  kRangeDelete = 5,
};
std::string_view BlockKindName(BlockKind kind);

// After every block: u8 type (kind << 4 | compression), u64 checksum of block and type byte.
constexpr size_t kBlockTrailerSize = 9;

constexpr uint8_t PackBlockType(BlockKind kind, Compression compression) {
  return static_cast<uint8_t>(static_cast<unsigned>(kind) << 4 |
                              static_cast<unsigned>(compression));
}

// The checksum of block bytes with their type byte. It is seeded with file and offset: a block
// written to the wrong place, or left over from another file, does not validate.
uint64_t BlockChecksum(std::string_view block_and_type, uint64_t file_id, uint64_t offset);

// Appends the trailer for the block that `*block` holds and that will stand at `offset`.
void AppendBlockTrailer(std::string* block, BlockKind kind, Compression compression,
                        uint64_t file_id, uint64_t offset);

// Checks block and trailer, which are all of `stored`. Corruption for a wrong checksum or kind;
// NotSupported for a compression this build does not know. Messages do not name the file.
Status CheckStoredBlock(std::string_view stored, BlockKind expected_kind, uint64_t file_id,
                        uint64_t offset, Compression* compression);

// The last bytes of the file. Size, checksum and the last 24 bytes stay as they are in every
// version, so that an unknown version can be told from damage.
struct Footer {
  static constexpr uint64_t kMagic = 0x3154'5353'4e50'4853;  // "SHPNSST1" in the file
  static constexpr uint32_t kFormatVersion = 1;
  static constexpr size_t kSize = 72;

  BlockHandle metaindex;
  BlockHandle index;
  uint64_t file_id = 0;
  // Bytes of the whole file, footer included.
  uint64_t file_size = 0;

  void AppendTo(std::string* to) const;

  // `bytes` are the last kSize bytes of a file of `file_size`. Corruption for damage or for
  // handles that leave the file, NotSupported for another version or unknown flags. Messages do
  // not name the file.
  Status DecodeFrom(std::string_view bytes, uint64_t actual_file_size);
};

// Names in the metaindex block. A reader ignores names it does not know if they begin with
// kFilterPrefix: without a filter a table answers the same. Any other unknown name is NotSupported.
constexpr std::string_view kPropertiesBlockName = "shearpin.properties";
constexpr std::string_view kFilterPrefix = "shearpin.filter.";
constexpr std::string_view kRangeDeletesBlockName = "shearpin.range_del";

// Appends a short internal key that is >= `last` and < `next`: the user key is cut where that
// leaves it between the two. Requires last < next, both internal keys.
void AppendSeparator(std::string* to, std::string_view last, std::string_view next);

}  // namespace shearpin
