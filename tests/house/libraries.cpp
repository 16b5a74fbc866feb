// Third-party libraries, each with the one place that touches it. Tests may use any: they play peers that break the rules.
#include <array>

#include "tests/house/includes.h"
#include "tests/house/rules.h"

namespace dugnad::house {
namespace {

struct Library {
  std::string_view name;
  std::vector<std::string_view> headers;  // how its includes begin
  bool (*allowed)(const Source&);
  std::string_view instead;
};

const std::array libraries{
    Library{"msgpack",
            {"msgpack"},
            [](const Source& s) { return s.path.starts_with("coordinatorless/core/codec"); },
            "encode and decode through coordinatorless/core/codec.h"},
    Library{"ZeroMQ",
            {"zmq.h", "zmq_addon.hpp"},
            [](const Source& s) { return s.is_under("coordinatorless/zmq"); },
            "reach sockets through coordinatorless/zmq"},
    Library{"SQLite",
            {"sqlite3"},
            [](const Source& s) { return s.is_under("coordinatorless/store"); },
            "keep rows through coordinatorless/store/store.h"},
    Library{"TBB",
            {"tbb/", "oneapi/"},
            [](const Source& s) { return s.path.starts_with("worker/arena_threads"); },
            "run attempts through worker/executor.h"},
    Library{"V8",
            {"v8", "libplatform/", "node.h", "node_"},
            [](const Source& s) { return s.path.starts_with("worker/cage/engine"); },
            "run guests through worker/cage/engine.h"},
    Library{"wabt",
            {"wabt/", "src/"},
            [](const Source& s) { return s.is_under("tasks/wasm"); },
            "prepare guests through tasks/wasm/guest_pass.h"},
    Library{"libseccomp",
            {"seccomp", "linux/seccomp", "linux/landlock"},
            [](const Source& s) { return s.is_under("worker/cage"); },
            "lock a process down in worker/cage, which is what a guest is confined by"},
    Library{"zstd",
            {"zstd"},
            [](const Source& s) { return s.is_cpp() && s.name().find("zstd") != s.name().npos; },
            "pack and unpack modules in the one file that is named after it"},
    Library{"libsodium",
            {"sodium"},
            [](const Source& s) { return s.is_under("coordinatorless/base"); },
            "use base's hash.h, crypto.h and generator.h"},
    Library{
        "libpng",
        {"png"},
        [](const Source& s) { return s.is_cpp() && (s.name().find("png") != s.name().npos || s.name().find("picture") != s.name().npos); },
        "write pictures in the one file that is named after them"},
    Library{"libwabt", {"wabt/"}, [](const Source& s) { return s.is_under("tasks/wasm"); }, "hand modules to tasks/wasm/guest_pass.h"},
    Library{"CLI11",
            {"CLI/", "CLI11"},
            [](const Source& s) {
              return s.name().starts_with("main") || s.path.starts_with("worker/run_worker") || s.is_under("sdk/cli") ||
                     s.is_under("examples");
            },
            "parse options in a main, and hand the rest a struct"},
    Library{
        "a printing or JSON library",
        {"spdlog/", "fmt/", "nlohmann/"},
        [](const Source& s) { return !s.is_under("coordinatorless/base") && !s.is_under("coordinatorless/core") && !s.is_under("tasks"); },
        "return a value or an Error: libraries never print, programs do"},
};

}  // namespace

Violations check_libraries(const Source& source) {
  Violations violations;
  if ((!source.is_header() && !source.is_cpp()) || source.is_under("tests")) return violations;
  for (const Include& include : includes_of(source)) {
    for (const Library& library : libraries) {
      for (const std::string_view header : library.headers) {
        if (!include.path.starts_with(header) || library.allowed(source)) continue;
        violations.push_back(
            {source.path, include.line,
             "<" + include.path + "> brings " + std::string(library.name) + " where it has no business: a library touches one place",
             std::string(library.instead)});
      }
    }
  }
  return violations;
}

}  // namespace dugnad::house
