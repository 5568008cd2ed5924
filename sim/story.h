// Story: the lines of a trace in words, for whoever reads one. Each begins with the stream it
// belongs to, so that two traces can be compared stream by stream (trace_diff.h):
//
//   run, spawn, time   who runs, after whom, and where that one stopped
//   step:, answer:     a client's step, and what came of it
//   file:, fault:      a call of the file system; one that failed because a fault was injected
//   event:             what the engine says of itself
//   crash:             when, what was pending, what of it was kept and what was lost
//   check:             what a recovery brought back, as the model sees it
//   phase:             openings, images, the end
//
// Pure functions, made only while a trace has a sink.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/event_listener.h"
#include "engine/status.h"
#include "faultfs/fs_call.h"
#include "model/verdict.h"
#include "sim/plan.h"

namespace shearpin::sim {

// A line with when and by which fiber: microseconds since the beginning.
std::string StoryLine(uint64_t micros, std::string_view fiber, std::string_view line);

// `crashed`: the machine has stopped, and every call fails.
std::string TellCall(const faultfs::FsCall& call, uint64_t data_hash, const Status& result,
                     bool crashed);
std::string TellEvent(const Event& event);
std::string TellVerdict(const model::Verdict& verdict, size_t pairs);
std::string TellStep(uint32_t client, uint32_t index, const Step& step);
std::string TellAnswer(uint32_t client, uint32_t index, const Step& step, const Status& status,
                       uint64_t sequence);

}  // namespace shearpin::sim
