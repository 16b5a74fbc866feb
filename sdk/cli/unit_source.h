// UnitSource: where a module's units come from on the command line: lines of a file or of standard input, argument lists, or files.
//
// A reader is asked for them one after the other, from a thread of the job's. Only one unit is in memory at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dugnad/swarm.h"

namespace dugnad::sdk::cli {

struct UnitSource {
  enum class Kind : std::uint8_t {
    lines,           // each line of file `what` is one unit's standard input
    arguments,       // each line of file `what` is one unit's argument list, see words.h
    files,           // each file that pattern `what` matches is one unit's standard input, in the order of their names
    standard_input,  // as lines, `what` is empty
    listed,          // the files of the list `what`, see file_list.h; nobody types it
  };
  Kind kind = Kind::lines;
  std::string what;

  /// As it is typed behind the program, what names a file by its whole path: "--lines /home/ada/units.txt".
  [[nodiscard]] std::string text() const;
};

inline constexpr std::size_t input_bytes_most = 64u << 20;  // of one unit

/// The files that a pattern matches, in the order of their names; an error in one line where there is none, or one cannot be read.
[[nodiscard]] Result<std::vector<std::string>> matching_files(const std::string& pattern);

/// Waiting for input, and how another thread ends it.
class Stop {
 public:
  Stop();
  ~Stop();
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;
  /// For good; from any thread.
  void stop() const;
  /// False once stopped; else waits until `fd` can be read.
  [[nodiscard]] bool wait(int fd) const;

 private:
  int event_;
};

class UnitReader {
 public:
  /// An error in one line: a file that cannot be read, a pattern that nothing matches, arguments for a reactor. `stop` outlives the reader.
  [[nodiscard]] static Result<std::unique_ptr<UnitReader>> open(const UnitSource& source, Module::Kind kind, const Stop& stop);
  virtual ~UnitReader() = default;

  /// The next unit, nullopt behind the last; an error that names the place.
  [[nodiscard]] virtual Result<std::optional<CommandUnit>> next() = 0;
  /// How many there are, where that is known.
  [[nodiscard]] virtual std::optional<std::uint64_t> expected() const { return std::nullopt; }
  /// What a person calls unit `unit`; empty: its number alone.
  [[nodiscard]] virtual std::string name_of(std::uint64_t) const { return {}; }
};

}  // namespace dugnad::sdk::cli
