#include "sim/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/base/check.h"

namespace shearpin::sim {
namespace {

// False at the end of the stream.
bool ReadFully(int fd, void* to, size_t n) {
  auto* bytes = static_cast<char*>(to);
  while (n > 0) {
    const ssize_t got = read(fd, bytes, n);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    n -= static_cast<size_t>(got);
  }
  return true;
}

bool SendFully(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    // MSG_NOSIGNAL: that the other end is gone is an answer, not a SIGPIPE.
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace

Worker::Worker(const RunSeed& run_seed) {
  int ends[2];
  SHEARPIN_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
  stderr_ = memfd_create("worker-stderr", MFD_CLOEXEC);
  SHEARPIN_CHECK(stderr_ >= 0, "memfd_create");
  std::fflush(nullptr);  // or the child would write it again
  pid_ = fork();
  SHEARPIN_CHECK(pid_ >= 0, "fork");
  if (pid_ == 0) {
    // A worker without a parent would run for nobody.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(stderr_, STDERR_FILENO);
    close(ends[0]);
    Serve(ends[1], run_seed);
  }
  close(ends[1]);
  socket_ = ends[0];
}

Worker::~Worker() {
  if (pid_ > 0) {
    Kill();
    static_cast<void>(Reap());
  }
  close(socket_);
  close(stderr_);
}

void Worker::Serve(int socket, const RunSeed& run_seed) {
  uint64_t seed = 0;
  while (ReadFully(socket, &seed, sizeof seed)) {
    const SeedReport report = run_seed(seed);
    if (!SendFully(socket, SeedReportToJson(report) + "\n")) break;
    // After a deadlock abandoned fibers hold memory for ever; a fresh process is cheap.
    if (report.abandoned) _exit(0);
  }
  std::exit(0);  // not _exit: a leak sanitizer wants to have its say
}

void Worker::HandOver(uint64_t seed, double now) {
  if (seeds_.empty()) begun_ = now;
  seeds_.push_back(seed);
  // If the worker is dead, Receive will tell.
  static_cast<void>(
      SendFully(socket_, std::string_view(reinterpret_cast<const char*>(&seed), sizeof seed)));
}

void Worker::Finish() { shutdown(socket_, SHUT_WR); }

void Worker::Kill() {
  killed_ = true;
  kill(pid_, SIGKILL);
}

bool Worker::Receive() {
  char buffer[65536];
  for (;;) {
    const ssize_t got = recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) {
      received_.append(buffer, static_cast<size_t>(got));
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
}

std::optional<SeedReport> Worker::TakeReport(double now) {
  const size_t end = received_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::optional<SeedReport> report = SeedReportFromJson(received_.substr(0, end));
  received_.erase(0, end + 1);
  SHEARPIN_CHECK(report.has_value() && !seeds_.empty() && report->seed == seeds_.front(),
                 "a worker answered what it was not asked");
  seeds_.pop_front();
  begun_ = now;
  abandoned_ = report->abandoned;
  return report;
}

std::string Worker::LastWords() const {
  constexpr off_t kMost = 4000;
  const off_t size = lseek(stderr_, 0, SEEK_END);
  const off_t from = size > kMost ? size - kMost : 0;
  std::string words(static_cast<size_t>(size > 0 ? size - from : 0), '\0');
  const ssize_t got = pread(stderr_, words.data(), words.size(), from);
  words.resize(got > 0 ? static_cast<size_t>(got) : 0);
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words;
}

std::string Worker::Reap() {
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = waitpid(pid_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  pid_ = -1;
  std::string how;
  if (WIFSIGNALED(status)) {
    how = "killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
          strsignal(WTERMSIG(status)) + ")";
  } else if (WEXITSTATUS(status) != 0) {
    how = "exited with status " + std::to_string(WEXITSTATUS(status));
  } else if (!seeds_.empty() && !abandoned_) {
    how = "exited in the middle of a run";
  } else {
    return {};
  }
  const std::string words = LastWords();
  return words.empty() ? how : how + "\n" + words;
}

}  // namespace shearpin::sim
