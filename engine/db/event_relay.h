// EventRelay: where all events of a database pass through: its statistics, then whoever the options
// name.
//
// Thread safety: as EventListener. Ownership: borrows both.
#pragma once

#include "engine/db/statistics.h"
#include "engine/event_listener.h"

namespace shearpin {

class EventRelay : public EventListener {
 public:
  // `user` may be null.
  EventRelay(Statistics* statistics, EventListener* user) : statistics_(statistics), user_(user) {}

  void OnEvent(const Event& event) override {
    statistics_->Count(event);
    if (user_ != nullptr) user_->OnEvent(event);
  }

 private:
  Statistics* const statistics_;
  EventListener* const user_;
};

}  // namespace shearpin
