// What a fuzz target provides. LLVMFuzzerTestOneInput must return for every input: it aborts where
// a decoder breaks its word (a CHECK, a sanitizer), and is called again and again in one process.
//
// Thread safety: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace shearpin::fuzz {

// Valid inputs, from which mutation starts; always the same.
std::vector<std::string> Seeds();

}  // namespace shearpin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
