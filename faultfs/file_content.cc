#include "faultfs/file_content.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace shearpin::faultfs {
uint64_t Page::Hash() const {
  if (!hash_known) {
    // A page that ends in zeros reads like a shorter one, so it must hash like one.
    size_t end = used;
    while (end > 0 && bytes[end - 1] == 0) --end;
    hash = end == 0 ? 0 : XXH3_64bits(bytes, end);
    hash_known = true;
  }
  return hash;
}

uint64_t FileContent::Hash() const {
  if (!hash_known) {
    hash = CombineHashes(0, size);
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (!blocks[i].page || blocks[i].unwritten) continue;
      const uint64_t page_hash = blocks[i].page->Hash();
      if (page_hash != 0) hash = CombineHashes(CombineHashes(hash, i), page_hash);
    }
    hash_known = true;
  }
  return hash;
}

size_t FileContent::Read(uint64_t offset, size_t n, char* to) const {
  if (offset >= size) return 0;
  n = static_cast<size_t>(std::min<uint64_t>(n, size - offset));
  size_t done = 0;
  while (done < n) {
    const uint64_t block = (offset + done) / kBlockSize;
    const uint32_t from = static_cast<uint32_t>((offset + done) % kBlockSize);
    const size_t length = std::min<size_t>(n - done, kBlockSize - from);
    size_t stored = 0;
    if (block < blocks.size() && blocks[block].page && !blocks[block].unwritten) {
      const Page& page = *blocks[block].page;
      if (page.used > from) stored = std::min<size_t>(length, page.used - from);
      std::memcpy(to + done, page.bytes + from, stored);
    }
    std::memset(to + done + stored, 0, length - stored);
    done += length;
  }
  return n;
}

Page* FileContent::MutablePage(uint32_t block, uint32_t end) {
  hash_known = false;
  if (block >= blocks.size()) blocks.resize(block + 1);
  Ref<Page>& page = blocks[block].page;
  if (!page) {
    page = Ref<Page>(new Page);
  } else if (!page.exclusive()) {
    Ref<Page> copy(new Page);
    copy->used = page->used;
    std::memcpy(copy->bytes, page->bytes, page->used);
    page = std::move(copy);
  }
  if (page->used < end) {
    std::memset(page->bytes + page->used, 0, end - page->used);
    page->used = end;
  }
  page->hash_known = false;
  return page.get();
}

void FileContent::Write(uint32_t block, uint32_t offset, std::string_view data) {
  Page* page = MutablePage(block, offset);
  std::memcpy(page->bytes + offset, data.data(), data.size());
  page->used = std::max(page->used, offset + static_cast<uint32_t>(data.size()));
  if (blocks[block].unwritten) hidden_data = true;
  if (offset == 0 && page->used == data.size()) blocks[block].damaged = false;
}

void FileContent::Truncate(uint64_t new_size) {
  hash_known = false;
  size = new_size;
  const uint32_t count = BlocksFor(new_size);
  if (blocks.size() > count) blocks.resize(count);
  const uint32_t tail = static_cast<uint32_t>(new_size % kBlockSize);
  if (tail == 0 || blocks.size() < count) return;
  const Ref<Page>& last = blocks.back().page;
  if (last && last->used > tail) MutablePage(count - 1, 0)->used = tail;
}

void FileContent::Allocate(uint32_t first, uint32_t end) {
  hash_known = false;
  if (blocks.size() < end) blocks.resize(end);
  for (uint32_t i = first; i < end; ++i) {
    if (!blocks[i].page) blocks[i].unwritten = true;
  }
}

void FileContent::Convert(uint32_t block) {
  hash_known = false;
  if (block < blocks.size()) blocks[block].unwritten = false;
}

bool FileContent::NeedsTrim() const {
  if (hidden_data) return true;
  const uint32_t count = BlocksFor(size);
  if (blocks.size() > count) return true;
  const uint32_t tail = static_cast<uint32_t>(size % kBlockSize);
  return tail != 0 && blocks.size() == count && blocks.back().page &&
         blocks.back().page->used > tail;
}

void FileContent::Trim() {
  Truncate(size);
  if (!hidden_data) return;
  for (Block& block : blocks) {
    if (block.unwritten) block.page = Ref<Page>();
  }
  hidden_data = false;
}

Ref<FileContent> FileContent::Clone() const {
  Ref<FileContent> copy(new FileContent);
  copy->size = size;
  copy->blocks = blocks;
  copy->hash_known = hash_known;
  copy->hash = hash;
  copy->hidden_data = hidden_data;
  return copy;
}

}  // namespace shearpin::faultfs
