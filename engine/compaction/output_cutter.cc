#include "engine/compaction/output_cutter.h"

namespace shearpin {

bool OutputCutter::CutBefore(std::string_view user_key, uint64_t size) {
  while (passed_ < grandparents_->size()) {
    const FileMeta& meta = (*grandparents_)[passed_]->meta();
    if (UserKey(meta.largest) >= user_key) break;
    overlap_ += meta.size;
    ++passed_;
  }
  if (size < max_size_ && overlap_ <= max_overlap_) return false;
  overlap_ = 0;
  return true;
}

}  // namespace shearpin
