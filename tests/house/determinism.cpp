// What is replayed from a seed: base, core, tasks and the simulator but for its main. The same seed must give the same run, and the same
// unit the same bytes on every machine.
#include <algorithm>
#include <array>

#include "tests/house/includes.h"
#include "tests/house/rules.h"

namespace dugnad::house {
namespace {

struct Forbidden {
  std::string_view word;
  std::string_view rule;
  std::string_view instead;
};

constexpr std::string_view clock_rule = "reads a clock: the same seed would not give the same run";
constexpr std::string_view clock_instead = "take the time as an argument (dugnad::Now, base/time.h); the driver reads the clocks";
constexpr std::string_view chance_rule = "draws randomness that no seed gives back";
constexpr std::string_view chance_instead = "draw from the dugnad::Generator that is passed in (base/generator.h)";
constexpr std::string_view thread_rule = "brings threads into what one thread owns";
constexpr std::string_view thread_instead =
    "return an effect and take its completion as an event (core/seam.h); threads belong to worker, store and zmq";
constexpr std::string_view world_rule = "asks the machine: the answer differs from one to the next";
constexpr std::string_view world_instead = "pass the value in from a composition root";

constexpr std::array words{
    Forbidden{"steady_clock", clock_rule, clock_instead},
    Forbidden{"system_clock", clock_rule, clock_instead},
    Forbidden{"high_resolution_clock", clock_rule, clock_instead},
    Forbidden{"clock_gettime", clock_rule, clock_instead},
    Forbidden{"gettimeofday", clock_rule, clock_instead},
    Forbidden{"std::time", clock_rule, clock_instead},
    Forbidden{"time(nullptr)", clock_rule, clock_instead},
    Forbidden{"time(NULL)", clock_rule, clock_instead},
    Forbidden{"time(0)", clock_rule, clock_instead},
    Forbidden{"std::clock", clock_rule, clock_instead},
    Forbidden{"random_device", chance_rule, chance_instead},
    Forbidden{"rand()", chance_rule, chance_instead},
    Forbidden{"random()", chance_rule, chance_instead},
    Forbidden{"getrandom", chance_rule, chance_instead},
    Forbidden{"mt19937", chance_rule, chance_instead},
    Forbidden{"mt19937_64", chance_rule, chance_instead},
    Forbidden{"uniform_int_distribution", "draws differently from library to library: a seed would not travel", chance_instead},
    Forbidden{"uniform_real_distribution", "draws differently from library to library: a seed would not travel", chance_instead},
    Forbidden{"std::thread", thread_rule, thread_instead},
    Forbidden{"std::jthread", thread_rule, thread_instead},
    Forbidden{"std::async", thread_rule, thread_instead},
    Forbidden{"std::mutex", thread_rule, thread_instead},
    Forbidden{"std::shared_mutex", thread_rule, thread_instead},
    Forbidden{"std::condition_variable", thread_rule, thread_instead},
    Forbidden{"thread_local", thread_rule, thread_instead},
    Forbidden{"getenv", world_rule, world_instead},
    Forbidden{"secure_getenv", world_rule, world_instead},
    Forbidden{"getpid", world_rule, world_instead},
};

// Sockets and files: no I/O. <cstdio> and <arpa/inet.h> stay allowed, for panic()'s line and for reading an address from text.
constexpr std::array<std::string_view, 12> headers_of_io{"iostream",           "fstream",   "filesystem", "thread",   "mutex",
                                                         "condition_variable", "future",    "random",     "unistd.h", "fcntl.h",
                                                         "sys/socket.h",       "sys/stat.h"};

// Fresh keys come from the machine's randomness; composition roots ask for them.
bool makes_keys(const Source& source) { return source.path == "coordinatorless/base/crypto.cpp"; }

bool replayed(const Source& source) {
  if (source.is_under("coordinatorless/sim")) return !source.name().starts_with("main");
  return source.is_under("coordinatorless/base") || source.is_under("coordinatorless/core") || source.is_under("tasks");
}

bool ordered(const Source& source) { return source.is_under("coordinatorless/core") || source.is_under("coordinatorless/sim"); }

}  // namespace

Violations check_determinism(const Source& source) {
  Violations violations;
  if ((!source.is_header() && !source.is_cpp()) || !replayed(source)) return violations;
  const auto add = [&](std::size_t line, std::string rule, std::string_view instead) {
    violations.push_back({source.path, line, std::move(rule), std::string(instead)});
  };
  for (std::size_t i = 0; i < source.code.size(); ++i) {
    const std::string& code = source.code[i];
    for (const Forbidden& forbidden : words) {
      if (has_word(code, forbidden.word)) add(i + 1, std::string(forbidden.word) + " " + std::string(forbidden.rule), forbidden.instead);
    }
    if (code.find("randombytes") != code.npos && !makes_keys(source)) add(i + 1, "randombytes " + std::string(chance_rule), chance_instead);
    if (ordered(source) && code.find("std::unordered_") != code.npos &&
        source.lines[i].find("// unordered: never iterated") == std::string::npos) {
      add(i + 1, "an unordered container's order differs between libraries, and may reach an effect",
          "use std::map or a sorted vector; or, where it is only ever looked up, end the line with `// unordered: never iterated`");
    }
  }
  for (const Include& include : includes_of(source)) {
    if (std::find(headers_of_io.begin(), headers_of_io.end(), include.path) == headers_of_io.end()) continue;
    add(include.line, "<" + include.path + "> brings I/O, threads or foreign draws into what must replay from a seed",
        "make it an effect of core/seam.h, or pass the value in");
  }
  return violations;
}

}  // namespace dugnad::house
