// printf into a string, for tables.
#pragma once

#include <string>

namespace shearpin::bench {

// At most 127 bytes.
std::string Format(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace shearpin::bench
