// Outputs: where the outputs of a module's units go: to standard output, one after the other in unit order, each as soon as it is its turn; or
// each to a file of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dugnad/swarm.h"

namespace dugnad::sdk::cli {

class Outputs {
 public:
  virtual ~Outputs() = default;
  /// One unit's result, in any order, each once; a failed one only makes room for the next. An error in one line where it cannot be written.
  [[nodiscard]] virtual Result<void> take(UnitResult result) = 0;
  /// Lets everything that was written be seen, and outlast a power cut where it is files.
  [[nodiscard]] virtual Result<void> flush() { return {}; }
};

/// What comes before its turn waits in memory, and beyond `memory_most` bytes in a file without a name.
[[nodiscard]] std::unique_ptr<Outputs> outputs_in_order(std::size_t memory_most = 64u << 20);

/// Makes the directory where it is missing. Files 000000.out and so on, each by rename. `stored` hears of each unit, in batches, once its file
/// outlasts a power cut; of those with small outputs it does not.
[[nodiscard]] Result<std::unique_ptr<Outputs>> outputs_in(const std::string& directory,
                                                          std::function<void(const std::vector<std::uint64_t>&)> stored = {});
/// Of those: the file of unit `unit`.
[[nodiscard]] std::string output_file(const std::string& directory, std::uint64_t unit);
/// What is in it; nullopt where there is none, or it is larger than any output.
[[nodiscard]] std::optional<Bytes> stored_output(const std::string& directory, std::uint64_t unit);

}  // namespace dugnad::sdk::cli
