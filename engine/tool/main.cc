// tool: a command line for a database directory. Exit status: 0 done; 1 an error in the data, or
// nothing found, or not all salvaged; 2 a wrong command line, or a repair of what is no database.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "engine/tool/commands.h"
#include "engine/tool/dump.h"
#include "engine/tool/repair_command.h"
#include "engine/tool/shape.h"
#include "engine/tool/verify.h"

namespace shearpin::tool {
namespace {

constexpr int kDataError = 1;
constexpr int kUsageError = 2;

struct CommandLine {
  Options options;
  LoadRequest load;
  std::string durability = "process";
  std::string directory;
  std::string key;
  std::string property;
  ScanRequest scan;
  DumpRequest dump;
  RepairRequest repair;
  ShapeRequest shape;
  uint64_t gigabytes = 10;
  uint64_t key_size = 16;
  uint64_t value_size = 100;
};

CLI::App* AddLoad(CLI::App* app, CommandLine* line) {
  LoadRequest& load = line->load;
  CLI::App* command =
      app->add_subcommand("load", "Put the pairs of a TSV file into a database, creating it");
  command->add_option("DIR", load.directory, "directory of the database")->required();
  command
      ->add_option("FILE", load.file,
                   "lines of key<TAB>value, with \\t \\n \\\\ escaped; - reads standard input")
      ->required();
  command->add_option("--batch", load.batch, "records written together")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command
      ->add_option("--durability", line->durability,
                   "what an acknowledged batch survives: the end of the process, or a loss of "
                   "power (sync), or neither before a flush (none)")
      ->check(CLI::IsMember({"none", "process", "sync"}))
      ->capture_default_str();
  command->add_option("--sync-every", load.sync_every, "batches between two Sync() calls; 0: none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--skip", load.skip, "records of FILE to pass over, loaded before")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--acknowledge", load.acknowledge,
                    "print \"acknowledged N\" after each batch, at once");
  Options& options = line->options;
  command->add_option("--write-buffer", options.write_buffer_size, "bytes of a memtable")
      ->check(CLI::Range(size_t{1024}, size_t{1} << 40))
      ->capture_default_str();
  command->add_option("--write-buffers", options.max_write_buffers, "memtables before a stall")
      ->check(CLI::Range(2, 1024))
      ->capture_default_str();
  command->add_option("--manifest-rotate", options.manifest_rotate_size, "bytes of a MANIFEST")
      ->check(CLI::Range(size_t{256}, size_t{1} << 40))
      ->capture_default_str();
  command->add_option("--wal-preallocate", options.wal_preallocate_size, "bytes reserved for a WAL")
      ->check(CLI::Range(size_t{0}, size_t{1} << 40))
      ->capture_default_str();
  command->add_flag("--wal-mapped", options.wal_mapped,
                    "write to a WAL's reserved bytes by stores into memory");
  command->add_option("--block-size", options.block_size, "bytes of a table's data block")
      ->check(CLI::Range(size_t{64}, size_t{64} << 20))
      ->capture_default_str();
  command->add_flag("--log", options.info_log,
                    "write what the database does, in words, to the file LOG in DIR");
  return command;
}

CLI::App* AddGet(CLI::App* app, CommandLine* line) {
  CLI::App* command = app->add_subcommand("get", "Print the value of a key");
  command->add_option("DIR", line->directory, "directory of the database")->required();
  command->add_option("KEY", line->key, "the key's bytes, as they are")->required();
  return command;
}

CLI::App* AddScan(CLI::App* app, CommandLine* line) {
  ScanRequest& scan = line->scan;
  CLI::App* command =
      app->add_subcommand("scan", "Print the pairs between two keys, as lines that load reads");
  command->add_option("DIR", scan.directory, "directory of the database")->required();
  command->add_option("--from", scan.from, "the lowest key, included");
  command->add_option("--to", scan.to, "the highest key, included");
  command->add_flag("--exclude-from", scan.exclude_from, "leave out the key of --from")
      ->needs("--from");
  command->add_flag("--exclude-to", scan.exclude_to, "leave out the key of --to")->needs("--to");
  command->add_flag("--reverse", scan.reverse, "from the highest key down");
  command->add_option("--limit", scan.limit, "at most so many pairs")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--keys-only", scan.keys_only, "without the values");
  return command;
}

CLI::App* AddDump(CLI::App* app, CommandLine* line) {
  CLI::App* command = app->add_subcommand(
      "dump", "Print what a directory, or one file of it, holds; changes nothing, takes no lock");
  command->add_option("PATH", line->dump.path, "a directory, or a .sst, .wal, MANIFEST or CURRENT")
      ->required();
  command->add_flag("--full", line->dump.full, "print values whole");
  return command;
}

CLI::App* AddVerify(CLI::App* app, CommandLine* line) {
  CLI::App* command = app->add_subcommand(
      "verify",
      "Check every checksum, every reference and the order of a database; changes nothing");
  command->add_option("DIR", line->directory, "directory of the database")->required();
  return command;
}

CLI::App* AddProperty(CLI::App* app, CommandLine* line) {
  CLI::App* command = app->add_subcommand("property", "Print what a database says of itself");
  command->add_option("DIR", line->directory, "directory of the database")->required();
  command->add_option("NAME", line->property, "levels, last-sequence, counters, histogram.NAME")
      ->required();
  return command;
}

CLI::App* AddRepair(CLI::App* app, CommandLine* line) {
  CLI::App* command = app->add_subcommand(
      "repair",
      "Write what can be read of a damaged database into a new directory, and tell what cannot");
  command->add_option("DIR", line->repair.damaged, "the damaged database; it is only read")
      ->required();
  command->add_option("NEWDIR", line->repair.repaired, "directory to make; it must not exist")
      ->required();
  command->add_flag("--json", line->repair.json, "one JSON object instead of lines");
  return command;
}

CLI::App* AddShape(CLI::App* app, CommandLine* line) {
  ShapeRequest& shape = line->shape;
  CLI::App* command = app->add_subcommand(
      "shape", "Print how each compaction policy shapes a growing tree; computed, without a disk");
  command->add_option("--policy", shape.policy, "leveled, tiered, simple or all")
      ->check(CLI::IsMember({"leveled", "tiered", "simple", "all"}))
      ->capture_default_str();
  command->add_option("--gigabytes", line->gigabytes, "GiB of keys and values written in all")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--key-size", line->key_size, "bytes of a key")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--value-size", line->value_size, "bytes of a value")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command
      ->add_option("--update-fraction", shape.load.update_fraction,
                   "share of the writes that overwrite a key, drawn evenly from all")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  Options& options = shape.options;
  command->add_option("--write-buffer", options.write_buffer_size, "bytes of a memtable")
      ->capture_default_str();
  command->add_option("--table-size", options.target_table_size, "bytes of a table")
      ->capture_default_str();
  command->add_option("--base-size", options.base_level_size, "leveled: bytes of the first level")
      ->capture_default_str();
  command->add_option("--multiplier", options.level_size_multiplier, "leveled: growth of levels")
      ->capture_default_str();
  command
      ->add_option("--trigger", options.level0_compaction_trigger,
                   "tables of level 0, or sorted runs if tiered, at which merging starts")
      ->capture_default_str();
  command
      ->add_option("--space-amplification", options.tiered_max_space_amplification_percent,
                   "tiered: percent of the oldest run at which everything is merged")
      ->capture_default_str();
  command->add_flag("--json", shape.json, "one JSON object instead of tables");
  return command;
}

int Run(int argc, char** argv) {
  // `bazel run` starts programs elsewhere; paths mean what they meant where the user typed them.
  const char* typed_in = std::getenv("BUILD_WORKING_DIRECTORY");
  if (typed_in != nullptr && ::chdir(typed_in) != 0) {
    std::cerr << "tool: chdir " << typed_in << ": " << std::strerror(errno) << '\n';
    return kDataError;
  }
  CommandLine line;
  CLI::App app("Works on a Shearpin database directory.", "tool");
  app.require_subcommand(1);
  CLI::App* const load = AddLoad(&app, &line);
  CLI::App* const get = AddGet(&app, &line);
  CLI::App* const scan = AddScan(&app, &line);
  CLI::App* const dump = AddDump(&app, &line);
  CLI::App* const property = AddProperty(&app, &line);
  CLI::App* const repair = AddRepair(&app, &line);
  CLI::App* const shape = AddShape(&app, &line);
  AddVerify(&app, &line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }

  Status status;
  bool all = true;  // salvaged
  if (load->parsed()) {
    line.load.durability = line.durability == "none"   ? Durability::kNone
                           : line.durability == "sync" ? Durability::kSync
                                                       : Durability::kProcess;
    status = Load(line.options, line.load, std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1);
  } else if (get->parsed()) {
    status = Get(line.directory, line.key, std::cout);
  } else if (scan->parsed()) {
    status = Scan(line.scan, std::cout);
  } else if (dump->parsed()) {
    status = Dump(line.dump, std::cout);
  } else if (property->parsed()) {
    status = PrintProperty(line.directory, line.property, std::cout);
  } else if (repair->parsed()) {
    const auto repaired = RepairDatabase(line.options, line.repair, std::cout);
    status = repaired.status();
    all = repaired.ok() && *repaired;
  } else if (shape->parsed()) {
    line.shape.load.bytes = line.gigabytes << 30;
    line.shape.load.entry_size = line.key_size + line.value_size;
    status = Shape(line.shape, std::cout);
  } else {
    status = Verify(PosixFileSystem(), line.directory, std::cout);
  }
  std::cout.flush();
  if (status.ok() && !std::cout) status = Status::IoError("write to standard output failed");
  if (status.ok()) return all ? 0 : kDataError;
  std::cerr << "tool: " << status.ToString() << '\n';
  if (status.IsCorruption() && !repair->parsed() && !dump->parsed()) {
    std::cerr << "tool: `repair DIR NEWDIR` writes what can be read into a new directory\n";
  }
  const bool bad_input = status.IsInvalidArgument() || status.IsAlreadyExists() || status.IsBusy();
  return repair->parsed() && bad_input ? kUsageError : kDataError;
}

}  // namespace
}  // namespace shearpin::tool

int main(int argc, char** argv) { return shearpin::tool::Run(argc, argv); }
