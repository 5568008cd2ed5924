// Shearpin as a Subject: engine/db.h and nothing below it.
#pragma once

#include "sim/subject/subject.h"

namespace shearpin::sim {

class ShearpinFactory : public SubjectFactory {
 public:
  StatusOr<std::unique_ptr<Subject>> Open(const SubjectConfig& config) override;
  Status CheckNoOrphans(Subject* subject, FileSystem* fs, const std::string& directory) override;
};

}  // namespace shearpin::sim
