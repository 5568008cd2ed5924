#include "engine/log_sink/info_log.h"

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "engine/manifest/file_names.h"

namespace shearpin {
namespace {

// Lines that wait for a disk that does not answer do not grow beyond this.
constexpr size_t kMostWaiting = size_t{1} << 20;
constexpr uint64_t kPauseMicros = 1000 * 1000;

class LineSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit LineSink(std::string* lines) : lines_(lines) {
    set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%d %H:%M:%S.%fZ %L %v", spdlog::pattern_time_type::utc, "\n"));
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    lines_->append(line.data(), line.size());
  }
  void flush_() override {}

  std::string* const lines_;
};

// How an event is told. Names are empty where the event has no such figure.
struct Wording {
  InfoLog::Level level = InfoLog::Level::kInfo;
  std::string_view number;
  std::string_view amount;
  bool frequent = false;
};

// Nothing for what happens with every commit, or only says what another event says too.
std::optional<Wording> WordingOf(EventKind kind) {
  constexpr InfoLog::Level kInfo = InfoLog::Level::kInfo, kWarning = InfoLog::Level::kWarning,
                           kError = InfoLog::Level::kError;
  switch (kind) {
    case EventKind::kGroupCommit:
    case EventKind::kTransactionCommitted:
    case EventKind::kTransactionConflict:
    case EventKind::kNumEventKinds:
      return std::nullopt;
    case EventKind::kOpened:
    case EventKind::kClosed:
    case EventKind::kRetrySucceeded:
      return Wording{kInfo, "", ""};
    case EventKind::kRecoveredLog:
      return Wording{kInfo, "log", "bytes"};
    case EventKind::kTornTail:
      return Wording{kWarning, "log", "offset"};
    case EventKind::kDroppedLog:
      return Wording{kWarning, "log", ""};
    case EventKind::kWalCreated:
    case EventKind::kWalRetired:
    case EventKind::kResumed:
      return Wording{kInfo, "log", ""};
    case EventKind::kMemtableFrozen:
    case EventKind::kMemtableCut:
      return Wording{kInfo, "", "bytes"};
    case EventKind::kFlushBegun:
    case EventKind::kTrivialMove:
    case EventKind::kTableRemoved:
      return Wording{kInfo, "table", ""};
    case EventKind::kFlushDone:
    case EventKind::kTableIngested:
      return Wording{kInfo, "table", "bytes"};
    case EventKind::kCompactionBegun:
      return Wording{kInfo, "inputs", ""};
    case EventKind::kCompactionDone:
      return Wording{kInfo, "", "bytes"};
    case EventKind::kTombstoneDropped:
    case EventKind::kVersionDropped:
    case EventKind::kCoveredDropped:
    case EventKind::kRangeDeleteDropped:
    case EventKind::kFiltered:
      return Wording{kInfo, "", "count"};
    case EventKind::kManifestRotated:
      return Wording{kInfo, "manifest", ""};
    case EventKind::kManifestFallback:
      return Wording{kWarning, "manifest", ""};
    case EventKind::kOrphanRemoved:
      return Wording{kInfo, "file", ""};
    case EventKind::kWriteStalled:
      return Wording{kWarning, "", "", true};
    case EventKind::kWriteStallEnded:
    case EventKind::kWriteDelayed:
      return Wording{kWarning, "", "micros", true};
    case EventKind::kWriterPoisoned:
      return Wording{kError, "", ""};
    case EventKind::kBackgroundError:
      return Wording{kError, "", ""};
    case EventKind::kTableSetAside:
      return Wording{kError, "table", ""};
    case EventKind::kCheckpointDone:
      return Wording{kInfo, "sequence", ""};
    case EventKind::kFilterDamaged:
      return Wording{kWarning, "table", ""};
  }
  return std::nullopt;
}

spdlog::level::level_enum SpdlogLevel(InfoLog::Level level) {
  switch (level) {
    case InfoLog::Level::kInfo:
      return spdlog::level::info;
    case InfoLog::Level::kWarning:
      return spdlog::level::warn;
    case InfoLog::Level::kError:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

InfoLog::InfoLog(const Env& env, std::string directory, uint64_t rotate_size)
    : env_(env),
      directory_(std::move(directory)),
      rotate_size_(rotate_size),
      mutex_(env.scheduler),
      work_(&mutex_),
      // Made by hand: spdlog's registry, which outlives every database, never hears of it.
      logger_(std::make_unique<spdlog::logger>("", std::make_shared<LineSink>(&lines_))) {
  writer_ = env_.scheduler->Spawn("shearpin-log", [this] { WriteLoop(); });
}

InfoLog::~InfoLog() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    work_.NotifyOne();
  }
  writer_->Join();
}

void InfoLog::OnEvent(const Event& event) {
  const std::optional<Wording> wording = WordingOf(event.kind);
  if (!wording) return;
  if (wording->frequent) {
    const uint64_t now = env_.clock->NowMicros();
    std::lock_guard lock(mutex_);
    uint64_t& last = last_said_[static_cast<size_t>(event.kind)];
    if (last != 0 && now < last + kPauseMicros) return;
    last = now;
  }
  std::string text(EventKindName(event.kind));
  const auto append = [&text](std::string_view name, uint64_t figure) {
    if (!name.empty()) text.append(" ").append(name).append("=").append(std::to_string(figure));
  };
  append(wording->number, event.number);
  append(wording->amount, event.amount);
  if (!event.detail.empty()) text.append(" ").append(event.detail);
  Say(wording->level, text);
}

void InfoLog::Say(Level level, std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  // spdlog would ask the machine for the time, which in a simulation is another than the Clock's.
  const spdlog::log_clock::time_point time(std::chrono::duration_cast<spdlog::log_clock::duration>(
      std::chrono::microseconds(env_.clock->WallMicros())));
  std::lock_guard lock(mutex_);
  if (lines_.size() + line.size() > kMostWaiting) {
    ++lost_;
    lost_to_ = Status::IoError("the disk did not keep up");
    return;
  }
  logger_->log(time, spdlog::source_loc{}, SpdlogLevel(level), line);
  work_.NotifyOne();
}

void InfoLog::WriteLoop() {
  std::unique_lock<Mutex> lock(mutex_);
  for (;;) {
    while (lines_.empty() && !stopping_) work_.Wait();
    if (lines_.empty()) break;
    std::string text;
    if (lost_ != 0) {
      text = std::to_string(lost_) + " lines are missing here: " + lost_to_.ToString() + "\n";
    }
    text += std::exchange(lines_, {});
    const uint64_t lost_before = std::exchange(lost_, 0);
    lock.unlock();
    const Status status = Write(text);
    lock.lock();
    if (status.ok()) continue;
    const auto lines = static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
    lost_ += lost_before + lines - (lost_before != 0 ? 1 : 0);
    lost_to_ = status;
  }
  lock.unlock();
  // What could not be written has been counted; there is nobody left to tell.
  if (file_ != nullptr) file_->Close().IgnoreError();
}

Status InfoLog::Write(const std::string& text) {
  if (file_ == nullptr || file_->Size() >= rotate_size_) SHEARPIN_RETURN_IF_ERROR(Begin());
  // Not in a new file: as long as a disk is full, that would push out what was written before.
  const Status status = file_->Append((half_line_ ? "\n" : "") + text);
  half_line_ = !status.ok();
  return status;
}

Status InfoLog::Begin() {
  file_.reset();
  half_line_ = false;
  const std::string path = JoinPath(directory_, InfoLogName());
  const Status renamed = env_.file_system->Rename(path, JoinPath(directory_, OldInfoLogName()));
  if (!renamed.ok() && !renamed.IsNotFound()) return renamed;
  SHEARPIN_ASSIGN_OR_RETURN(file_, env_.file_system->OpenWritable(path, OpenMode::kTruncate));
  return Status::Ok();
}

}  // namespace shearpin
