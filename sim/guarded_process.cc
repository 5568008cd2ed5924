#include "sim/guarded_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "engine/base/check.h"
#include "sim/stopwatch.h"

namespace shearpin::sim {
namespace {

// In memory that both processes see.
struct Shared {
  std::atomic<uint64_t> trying = 0;
  std::atomic<int> result = -1;
};

// True when the other end of the pipe is closed, which is when the process has ended.
bool HasEnded(int pipe, double seconds) {
  pollfd end = {.fd = pipe, .events = POLLIN, .revents = 0};
  return poll(&end, 1, static_cast<int>(seconds * 1000) + 1) > 0;
}

std::string TailOf(int file) {
  constexpr off_t kMost = 4000;
  const off_t size = std::max<off_t>(lseek(file, 0, SEEK_END), 0);
  const off_t from = std::max<off_t>(size - kMost, 0);
  std::string words(static_cast<size_t>(size - from), '\0');
  const ssize_t got = pread(file, words.data(), words.size(), from);
  words.resize(got > 0 ? static_cast<size_t>(got) : 0);
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words;
}

[[noreturn]] void Work(const GuardedWork& work, int words, Shared* shared) {
  // Without a parent it would work for nobody.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(words, STDERR_FILENO);
  const int result = work(&shared->trying);
  std::fflush(nullptr);
  shared->result = result;
  _exit(0);
}

}  // namespace

GuardedEnd RunGuarded(const GuardedWork& work, double hang_seconds) {
  void* const memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  SHEARPIN_CHECK(memory != MAP_FAILED, "mmap");
  auto* const shared = new (memory) Shared;
  int ends[2];
  SHEARPIN_CHECK(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
  const int words = memfd_create("guarded-stderr", MFD_CLOEXEC);
  SHEARPIN_CHECK(words >= 0, "memfd_create");
  std::fflush(nullptr);  // or the child would write it again
  const pid_t child = fork();
  SHEARPIN_CHECK(child >= 0, "fork");
  if (child == 0) {
    close(ends[0]);
    Work(work, words, shared);
  }
  close(ends[1]);

  bool hung = false;
  uint64_t at = 0;
  Stopwatch watch;
  double since = 0;
  while (!HasEnded(ends[0], std::min(hang_seconds / 4, 1.0))) {
    const uint64_t now = shared->trying;
    if (now != at || now == 0) {
      at = now;
      since = watch.seconds();
    } else if (watch.seconds() - since >= hang_seconds) {
      hung = true;
      kill(child, SIGKILL);
      break;
    }
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  GuardedEnd end;
  end.trying = shared->trying;
  const int result = shared->result;
  std::string last = TailOf(words);
  if (result >= 0) {
    end.result = result;
    if (!last.empty()) std::fprintf(stderr, "%s\n", last.c_str());
  } else {
    end.failure_class = hung ? FailureClass::kProcessHung : FailureClass::kProcessCrashed;
    if (hung) {
      end.message = "it was at one recovery for too long";
    } else if (WIFSIGNALED(status)) {
      end.message = "killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
                    strsignal(WTERMSIG(status)) + ")";
    } else {
      end.message = "exited with status " + std::to_string(WEXITSTATUS(status));
    }
    if (!last.empty()) end.message += "\n" + last;
  }
  close(ends[0]);
  close(words);
  munmap(memory, sizeof(Shared));
  return end;
}

}  // namespace shearpin::sim
