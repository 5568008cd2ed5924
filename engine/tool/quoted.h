// Quoted: any bytes as readable text, in double quotes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shearpin::tool {

// Bytes that do not print as \n, \t, \\, \" or \xHH. Beyond `limit` bytes only how many there are.
std::string Quoted(std::string_view bytes, size_t limit);

std::string QuotedKey(std::string_view key);

}  // namespace shearpin::tool
