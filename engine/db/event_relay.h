// EventRelay: where all events of a database pass through: its statistics, its log, then whoever
// the options name.
//
// Thread safety: as EventListener. Ownership: borrows all.
#pragma once

#include "engine/db/statistics.h"
#include "engine/event_listener.h"

namespace shearpin {

class EventRelay : public EventListener {
 public:
  // `user` may be null.
  EventRelay(Statistics* statistics, EventListener* user) : statistics_(statistics), user_(user) {}

  // Before other threads report events; null: none.
  void SetLog(EventListener* log) { log_ = log; }

  void OnEvent(const Event& event) override {
    statistics_->Count(event);
    if (log_ != nullptr) log_->OnEvent(event);
    if (user_ != nullptr) user_->OnEvent(event);
  }

 private:
  Statistics* const statistics_;
  EventListener* log_ = nullptr;
  EventListener* const user_;
};

}  // namespace shearpin
