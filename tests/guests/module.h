// A module of this build, through the guest pass and into the one engine of a test program.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "tasks/wasm/command_unit.h"
#include "tasks/wasm/guest_pass.h"
#include "worker/cage/engine.h"

namespace dugnad::tests {

inline std::string module_path(const std::string& name) { return std::string(DUGNAD_GUEST_DIR) + "/" + name + ".wasm"; }

inline worker::cage::Engine& engine_with(const std::string& name) {
  static const auto engine = worker::cage::Engine::start().value();
  std::ifstream file(module_path(name), std::ios::binary);
  REQUIRE_MESSAGE(file, module_path(name));
  const std::string raw{std::istreambuf_iterator<char>(file), {}};
  const auto guest = tasks::wasm::prepare(view_of(raw), {});
  REQUIRE_MESSAGE(guest.ok(), name << ": " << (guest ? "" : guest.error().message));
  const auto loaded = engine->load(*guest);
  REQUIRE_MESSAGE(loaded.ok(), name << ": " << (loaded ? "" : loaded.error().message));
  return *engine;
}

inline worker::cage::UnitOutcome run_command(worker::cage::Engine& engine, std::vector<std::string> arguments, std::string_view input) {
  return engine.run(encode(tasks::wasm::CommandUnit{std::move(arguments), to_bytes(input)}), 0);
}

inline std::string text_of(const worker::cage::UnitOutcome& outcome) { return to_text(outcome.output); }

}  // namespace dugnad::tests
