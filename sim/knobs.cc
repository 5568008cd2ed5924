#include "sim/knobs.h"

namespace shearpin::sim {

const Knob* FindKnob(std::string_view name) {
  for (const Knob& knob : kKnobs) {
    if (knob.name == name) return &knob;
  }
  return nullptr;
}

}  // namespace shearpin::sim
