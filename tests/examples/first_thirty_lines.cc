// The first thirty lines of a program that uses Shearpin, as they stand in the README.
#include <cstdio>

#include "engine/db.h"

shearpin::Status Run(const char* directory) {
  shearpin::Options options;
  auto db = shearpin::DB::Open(options, directory);
  if (!db.ok()) return db.status();

  // Survives the end of the process; with kSync also a loss of power.
  SHEARPIN_RETURN_IF_ERROR((*db)->Put("fruit/apple", "red"));
  shearpin::WriteBatch batch;  // all of it or none of it
  batch.Put("fruit/pear", "green");
  batch.Delete("fruit/apple");
  SHEARPIN_RETURN_IF_ERROR((*db)->Write(&batch, {.durability = shearpin::Durability::kSync}));

  std::string value;
  SHEARPIN_RETURN_IF_ERROR((*db)->Get("fruit/pear", &value));
  std::printf("pear is %s\n", value.c_str());

  auto fruit =
      (*db)->Scan(shearpin::Bound::Inclusive("fruit/"), shearpin::Bound::Exclusive("fruit0"));
  for (; fruit->Valid(); fruit->Next()) {
    std::printf("%.*s\n", static_cast<int>(fruit->key().size()), fruit->key().data());
  }
  SHEARPIN_RETURN_IF_ERROR(fruit->status());  // the end of the range, or an error?
  fruit.reset();                              // iterators go before their database
  return (*db)->Close();
}

int main(int argc, char** argv) {
  const shearpin::Status status = Run(argc > 1 ? argv[1] : "/tmp/fruit-db");
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
