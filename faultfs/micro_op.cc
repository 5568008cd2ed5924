#include "faultfs/micro_op.h"

namespace shearpin::faultfs {
namespace {

constexpr std::string_view kOpNames[] = {"data",    "size",      "truncate",     "allocate",
                                         "convert", "entry_add", "entry_remove", "rename"};
constexpr std::string_view kPurposeNames[kPurposes] = {"wal", "manifest", "table", "current",
                                                       "other"};

}  // namespace

std::string_view OpKindName(OpKind kind) { return kOpNames[static_cast<int>(kind)]; }
std::string_view PurposeName(Purpose purpose) { return kPurposeNames[static_cast<int>(purpose)]; }

Purpose PurposeOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (name.ends_with(".log") || name.ends_with(".wal")) return Purpose::kWal;
  if (name.starts_with("MANIFEST")) return Purpose::kManifest;
  if (name.ends_with(".sst")) return Purpose::kTable;
  if (name.starts_with("CURRENT")) return Purpose::kCurrent;
  return Purpose::kOther;
}

std::string PendingOp::ToString() const {
  std::string text(OpKindName(kind));
  text.append(" #").append(std::to_string(ordinal)).append(" ").append(path);
  switch (kind) {
    case OpKind::kData:
      text.append(" block ").append(std::to_string(block)).append(" [");
      text.append(std::to_string(offset)).append(",").append(std::to_string(offset + length));
      text.append(")");
      break;
    case OpKind::kConvert:
      text.append(" from block ").append(std::to_string(block));
      break;
    case OpKind::kSize:
    case OpKind::kTruncate:
    case OpKind::kAllocate:
      text.append(" to ").append(std::to_string(size)).append(" bytes");
      break;
    case OpKind::kRename:
      text.append(" to ").append(second_path);
      break;
    case OpKind::kEntryAdd:
    case OpKind::kEntryRemove:
      break;
  }
  return text;
}

}  // namespace shearpin::faultfs
