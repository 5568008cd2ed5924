#include "faultfs/test_disk.h"

#include <algorithm>

#include "engine/base/check.h"
#include "faultfs/standard_plans.h"

namespace shearpin::faultfs {
namespace {

std::string PathOf(const std::string& name) { return name.starts_with("/") ? name : "/" + name; }

std::string Readable(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size();) {
    const size_t end = std::min(bytes.find_first_not_of(bytes[i], i), bytes.size());
    const char c = bytes[i] == 0 ? '.' : bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '#';
    if (end - i >= 16) {
      text.append({c, '*'}).append(std::to_string(end - i)).append(" ");
    } else {
      text.append(end - i, c);
    }
    i = end;
  }
  return text;
}

void MustBeOk(const Status& status) { SHEARPIN_CHECK(status.ok(), status.ToString().c_str()); }

}  // namespace

std::string Show(const DiskImage& image) {
  std::vector<std::string> lines;
  for (const std::string& path : image.ListAll()) {
    const StatusOr<std::string> contents = image.ReadFile(path);
    lines.push_back(contents.ok() ? path + "=" + Readable(*contents) : path);
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text.append(text.empty() ? "" : " ").append(line);
  return text;
}

TestDisk::TestDisk(const Profile& profile) : disk_(profile) {}

TestDisk::TestDisk(std::string_view profile) : disk_(*FindProfile(profile)) {}

TestDisk::Appender* TestDisk::Open(const std::string& name) {
  auto known = files_.find(name);
  if (known == files_.end()) {
    StatusOr<OpenFile> file = disk_.Open(PathOf(name), OpenHow::kAppend);
    MustBeOk(file.status());
    const uint64_t size = disk_.Size(*file);
    known = files_.emplace(name, Appender{*std::move(file), size}).first;
  }
  return &known->second;
}

OpenFile* TestDisk::File(const std::string& name) { return &Open(name)->file; }

void TestDisk::Append(const std::string& name, std::string_view data) {
  Appender* const to = Open(name);
  SHEARPIN_CHECK(disk_.Write(to->file, to->position, data) == data.size());
  to->position += data.size();
}

void TestDisk::Write(const std::string& name, uint64_t offset, std::string_view data) {
  SHEARPIN_CHECK(disk_.Write(*File(name), offset, data) == data.size());
}

void TestDisk::Preallocate(const std::string& name, uint64_t size) {
  SHEARPIN_CHECK(disk_.Allocate(*File(name), size));
}

void TestDisk::Sync(const std::string& name) {
  OpenFile* const file = File(name);
  if (!syncs_) return;
  MustBeOk(disk_.FinishSync(file, disk_.StartSync(*file)));
}

Status TestDisk::FailSync(const std::string& name, SyncFailure mode) {
  OpenFile* const file = File(name);
  return disk_.FailSync(file, disk_.StartSync(*file), mode);
}

void TestDisk::Close(const std::string& name) { files_.erase(name); }

std::string TestDisk::Read(const std::string& name) {
  const OpenFile& file = *File(name);
  std::string contents(disk_.Size(file), '?');
  SHEARPIN_CHECK(disk_.Read(file, 0, contents.size(), contents.data()) == contents.size());
  return Readable(contents);
}

Status TestDisk::MakeDir(const std::string& name) { return disk_.CreateDir(PathOf(name)); }

Status TestDisk::RemoveDir(const std::string& name) { return disk_.RemoveDir(PathOf(name)); }

void TestDisk::SyncDir(const std::string& name) {
  const StatusOr<SyncTicket> ticket = disk_.StartSyncDir(PathOf(name));
  MustBeOk(ticket.status());
  if (!syncs_) return;
  disk_.FinishSyncDir(*ticket);
}

Status TestDisk::Rename(const std::string& from, const std::string& to) {
  return disk_.Rename(PathOf(from), PathOf(to));
}

Status TestDisk::Link(const std::string& from, const std::string& to) {
  return disk_.Link(PathOf(from), PathOf(to));
}

Status TestDisk::Unlink(const std::string& name) { return disk_.Unlink(PathOf(name)); }

Status TestDisk::Truncate(const std::string& name, uint64_t size) {
  // The open descriptor appends where the file now ends.
  const Status status = disk_.Truncate(PathOf(name), size);
  const auto known = files_.find(name);
  if (status.ok() && known != files_.end()) known->second.position = size;
  return status;
}

void TestDisk::SyncAll() { disk_.WriteBack(disk_.pending_count()); }

std::string TestDisk::Crash(std::string_view text) const {
  const StatusOr<CrashPlan> plan = CrashPlan::Parse(text);
  MustBeOk(plan.status());
  return Show(disk_.Materialise(*plan));
}

std::set<std::string> TestDisk::Outcomes() const {
  std::set<std::string> outcomes;
  for (const CrashPlan& plan : AllLegalChoices(disk_)) {
    outcomes.insert(Show(disk_.Materialise(plan)));
  }
  return outcomes;
}

}  // namespace shearpin::faultfs
