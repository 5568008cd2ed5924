// A key or a value as one field of a line of TSV: \t, \n and \\ stand for tab, newline and
// backslash; every other byte stands for itself.
//
// Thread safety: functions of their arguments.
#pragma once

#include <string>
#include <string_view>

namespace shearpin {

std::string EscapeField(std::string_view bytes);
// False for a backslash that no escape above begins.
bool UnescapeField(std::string_view text, std::string* bytes);

}  // namespace shearpin
