// Goal: a Status keeps code, message and marks through copies and prefixes; a StatusOr holds its
// value or the error, and owns neither twice.
// Method: examples; a type that counts its lives.
#include "engine/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace shearpin {
namespace {

TEST(Status, OkIsEmpty) {
  const Status ok;
  EXPECT_TRUE(ok.ok());
  EXPECT_EQ(ok.code(), StatusCode::kOk);
  EXPECT_EQ(ok.message(), "");
  EXPECT_EQ(ok.ToString(), "OK");
  EXPECT_TRUE(Status(StatusCode::kOk, "a message that OK does not carry").ok());
  EXPECT_TRUE(ok.Prefixed("context").ok());
  EXPECT_FALSE(Status().MarkIndeterminate().indeterminate()) << "only a failure can be that";
}

TEST(Status, EachCodeHasItsNameAndQuestion) {
  EXPECT_EQ(Status::NotFound("m").ToString(), "Not found: m");
  EXPECT_EQ(Status::Corruption("m").ToString(), "Corruption: m");
  EXPECT_EQ(Status::IoError("m").ToString(), "IO error: m");
  EXPECT_EQ(Status::NoSpace("m").ToString(), "No space: m");
  EXPECT_EQ(Status::InvalidArgument("m").ToString(), "Invalid argument: m");
  EXPECT_EQ(Status::NotSupported("m").ToString(), "Not supported: m");
  EXPECT_EQ(Status::Busy("m").ToString(), "Busy: m");
  EXPECT_EQ(Status::AlreadyExists("m").ToString(), "Already exists: m");
  EXPECT_EQ(Status::Aborted("m").ToString(), "Aborted: m");
  EXPECT_TRUE(Status::NotFound("").IsNotFound() && !Status::NotFound("").IsCorruption());
  EXPECT_TRUE(Status::Aborted("").IsAborted() && !Status::Aborted("").ok());
}

TEST(Status, MarksAndCodeSurviveCopiesAndPrefixes) {
  Status status = Status::IoError("pwrite /x: broken");
  status.MarkInjected().MarkIndeterminate();
  const Status copy = status;
  status = Status::Ok();
  const Status prefixed = copy.Prefixed("writes stopped");
  EXPECT_TRUE(copy.injected() && copy.indeterminate());
  EXPECT_TRUE(prefixed.injected() && prefixed.indeterminate() && prefixed.IsIoError());
  EXPECT_EQ(prefixed.message(), "writes stopped: pwrite /x: broken");
  EXPECT_EQ(copy.message(), "pwrite /x: broken");
  EXPECT_EQ(prefixed.ToString(),
            "IO error: writes stopped: pwrite /x: broken [fate indeterminate until the next "
            "recovery] [injected]");
}

TEST(Status, TheFirstErrorWins) {
  Status status;
  status.Update(Status::Ok());
  EXPECT_TRUE(status.ok());
  status.Update(Status::NoSpace("first"));
  status.Update(Status::Corruption("second"));
  EXPECT_EQ(status.ToString(), "No space: first");
}

// Counts the objects alive.
class Counted {
 public:
  explicit Counted(int* alive) : alive_(alive) { ++*alive_; }
  Counted(Counted&& other) noexcept : alive_(other.alive_) { ++*alive_; }
  ~Counted() { --*alive_; }

 private:
  int* const alive_;
};

TEST(StatusOr, OwnsItsValueOnce) {
  int alive = 0;
  {
    StatusOr<Counted> first{Counted(&alive)};
    EXPECT_EQ(alive, 1);
    StatusOr<Counted> second = std::move(first);
    EXPECT_TRUE(second.ok());
    second = StatusOr<Counted>(Status::NotFound("gone"));
    EXPECT_FALSE(second.ok());
    second = StatusOr<Counted>(Counted(&alive));
    EXPECT_TRUE(second.ok());
  }
  EXPECT_EQ(alive, 0);
}

StatusOr<std::unique_ptr<int>> Make(bool fail) {
  if (fail) return Status::Busy("taken");
  return std::make_unique<int>(7);
}

Status Use(bool fail, int* value) {
  SHEARPIN_ASSIGN_OR_RETURN(const std::unique_ptr<int> made, Make(fail));
  *value = *made;
  return Status::Ok();
}

TEST(StatusOr, MacrosHandOnErrorsAndValues) {
  int value = 0;
  EXPECT_TRUE(Use(/*fail=*/true, &value).IsBusy());
  EXPECT_EQ(value, 0);
  EXPECT_TRUE(Use(/*fail=*/false, &value).ok());
  EXPECT_EQ(value, 7);
}

}  // namespace
}  // namespace shearpin
