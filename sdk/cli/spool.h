// The spool: what a detached job needs of the terminal that it was submitted from. A directory for each in `spool/`, named by what is in it, so that
// the same program with the same units lies there once: PROGRAM.wasm, and `units`, the lines of standard input or of a file, read to their end.
//
// Of files that are units themselves (--files) a list lies there, with a hash of each (file_list.h), so that the units are those of that moment.
// Up to a thousand of 64 MiB in all are copied too; more may be gigabytes, and stay where they are until the job has ended.
#pragma once

#include <optional>
#include <string>

#include "coordinatorless/base/result.h"
#include "coordinatorless/store/files.h"
#include "sdk/cli/journal.h"
#include "sdk/cli/submit_options.h"

namespace dugnad::sdk::cli {

/// Nobody releases anything while it lives: between spooling and the journal's row that names what was spooled.
class SpoolLock {
 public:
  [[nodiscard]] static Result<SpoolLock> take(const std::string& data_dir);

 private:
  explicit SpoolLock(store::Descriptor file) : file_(std::move(file)) {}
  store::Descriptor file_;
};

struct Spooled {
  ModuleOrder order;  // the same as it was given, from files that stay
  SpoolLock lock;
};

/// Reads the source of units to its end, or until stopped. An error in one line.
[[nodiscard]] Result<Spooled> spool(const std::string& data_dir, const ModuleOrder& order, const Module& module, const Stop& stop);

/// For people: "prog.wasm, its units kept here"; nullopt where nothing was spooled.
[[nodiscard]] std::optional<std::string> spooled_text(const Recipe& recipe);

/// Removes what was spooled for a job, where no unfinished job of the journal needs it.
void release_spooled(const Journal& journal, const Recipe& recipe);

}  // namespace dugnad::sdk::cli
