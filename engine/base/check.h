// SHEARPIN_CHECK: what we did wrong. Always on, in every build: the code under test is the code
// that ships. Never for bytes read from a disk or for arguments of a caller: those are a Status.
#pragma once

namespace shearpin {

// Prints "file:line: CHECK failed: condition: message" to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const char* message);

}  // namespace shearpin

#define SHEARPIN_CHECK_1(condition) SHEARPIN_CHECK_2(condition, "")
#define SHEARPIN_CHECK_2(condition, message)                            \
  do {                                                                  \
    if (!(condition)) [[unlikely]]                                      \
      ::shearpin::CheckFailed(__FILE__, __LINE__, #condition, message); \
  } while (false)
#define SHEARPIN_CHECK_PICK(a, b, name, ...) name
#define SHEARPIN_CHECK(...) \
  SHEARPIN_CHECK_PICK(__VA_ARGS__, SHEARPIN_CHECK_2, SHEARPIN_CHECK_1, 0)(__VA_ARGS__)
