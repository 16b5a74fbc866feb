// What runs modules in a submitting process's own threads: the launcher, where one is installed and its cages hold.
#pragma once

#include <memory>
#include <string>

#include "worker/launcher.h"

namespace dugnad::sdk {

struct Cages {
  std::unique_ptr<worker::Launcher> launcher = nullptr;
  std::string none_because = {};  // where there is none; empty: none was wanted
};

/// Starts the launcher and tries a cage.
[[nodiscard]] inline Cages find_cages() {
  auto launcher = worker::Launcher::start();
  if (!launcher) return {nullptr, launcher.error().message};
  if (const auto layers = (*launcher)->check(); !layers) return {nullptr, layers.error().message};
  return {*std::move(launcher), {}};
}

}  // namespace dugnad::sdk
