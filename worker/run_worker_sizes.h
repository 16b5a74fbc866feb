// Sizes on the command line, as in 500K, 64M or 2GiB, and numbers: how the worker, and the programs that have the same options, read them.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <string>
#include <system_error>

namespace dugnad::worker {

/// K, M, G, T, P and E are powers of 1024, with B or iB behind them or not, in either case. CLI11's own would take -5 for a number just below 2^64,
/// what is above 2^64 for the highest there is, and answers a unit that it does not know with a list of all.
[[nodiscard]] inline CLI::Validator size_value() {
  return CLI::Validator(
      [](std::string& value) -> std::string {
        const std::string wrong = "'" + value + "' is no size: whole bytes, K, M, G or T of them, as in 64M or 2GiB";
        std::uint64_t number = 0;  // of what stands before the unit
        if (std::from_chars(value.data(), value.data() + value.size(), number).ec != std::errc()) return wrong;
        try {
          return CLI::AsSizeValue(false)(value).empty() ? std::string() : wrong;
        } catch (const CLI::Error&) {
          return wrong;
        }
      },
      "");
}

/// CLI11's own says of -1 that it could not convert it.
[[nodiscard]] inline CLI::Validator whole_number() {
  return CLI::Validator(
      [](std::string& value) -> std::string {
        unsigned number = 0;
        const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), number);
        return wrong == std::errc() && end == value.data() + value.size() ? std::string() : "'" + value + "' is no whole number";
      },
      "");
}

}  // namespace dugnad::worker
