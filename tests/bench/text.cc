#include "tests/bench/text.h"

#include <cstdarg>
#include <cstdio>

namespace shearpin::bench {

std::string Format(const char* format, ...) {
  char text[128];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return text;
}

}  // namespace shearpin::bench
