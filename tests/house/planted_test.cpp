// The rules against planted violations: a checker that finds nothing in a clean tree proves nothing.
#include <doctest/doctest.h>

#include "tests/house/includes.h"
#include "tests/house/rules.h"

using namespace dugnad::house;

namespace {

std::size_t layers(const char* path, const char* text) { return check_layers(Source(path, text)).size(); }
std::size_t libraries(const char* path, const char* text) { return check_libraries(Source(path, text)).size(); }
std::size_t determinism(const char* path, const char* text) { return check_determinism(Source(path, text)).size(); }
std::size_t layout(const char* path, const std::string& text) { return check_layout(Source(path, text)).size(); }
std::size_t sleeps(const char* path, const char* text) { return check_tests_do_not_sleep(Source(path, text)).size(); }

}  // namespace

TEST_CASE("code is what is left without comments and the insides of literals") {
  const Source source("a.cpp",
                      "int a = 100'000; // one\n/* two\n three */ f(\"fo\\\"ur\", 'x');\nR\"(five\n#include \"six.h\"\n)\" seven;\n");
  REQUIRE(source.code.size() == source.lines.size());
  CHECK(source.code[0] == "int a = 100'000;       ");
  CHECK(source.code[2] == "          f(\"      \", ' ');");
  CHECK(source.code[5] == " \" seven;");
  CHECK(includes_of(source).empty());
}

TEST_CASE("a word is found where it stands alone") {
  CHECK(has_word("x = rand();", "rand()"));
  CHECK(has_word("std::time(&t)", "std::time"));
  CHECK_FALSE(has_word("operand()", "rand()"));
  CHECK_FALSE(has_word("std::time_point", "std::time"));
  CHECK(has_word("std::time_point a = std::time(0)", "std::time"));
}

TEST_CASE("an include upwards or sideways is caught, with file, line, reason and what to write") {
  const auto violations =
      check_layers(Source("coordinatorless/core/peer.cpp", "#include <vector>\n\n#include \"coordinatorless/zmq/node.h\"\n"));
  REQUIRE(violations.size() == 1);
  CHECK(violations[0].path == "coordinatorless/core/peer.cpp");
  CHECK(violations[0].line == 3);
  CHECK(violations[0].rule.find("core includes zmq") == 0);
  CHECK(violations[0].instead.find("core may include base") == 0);

  CHECK(layers("coordinatorless/base/ids.h", "#include \"coordinatorless/core/seam.h\"\n") == 1);
  CHECK(layers("coordinatorless/zmq/node.cpp", "#include \"coordinatorless/sim/net.h\"\n") == 1);
  CHECK(layers("coordinatorless/sim/net.cpp", "#include \"coordinatorless/zmq/node.h\"\n") == 1);
  CHECK(layers("coordinatorless/store/store.cpp", "#include \"coordinatorless/core/seam.h\"\n") == 1);
  CHECK(layers("tasks/pi.cpp", "#include \"worker/executor.h\"\n") == 1);
  CHECK(layers("worker/policy.cpp", "#include \"coordinatorless/core/seam.h\"\n") == 1);
  CHECK(layers("sdk/job.cpp", "#include \"coordinatorless/sim/net.h\"\n") == 1);
  CHECK(layers("sdk/job.cpp", "#include \"tests/sim/scenario.h\"\n") == 1);
  CHECK(layers("examples/hello_map.cpp", "#include \"coordinatorless/base/ids.h\"\n") == 1);
}

TEST_CASE("includes downwards, of libraries and in composition roots are fine") {
  CHECK(layers("coordinatorless/core/peer.cpp", "#include \"coordinatorless/base/ids.h\"\n#include <vector>\n") == 0);
  CHECK(layers("worker/main.cpp", "#include \"coordinatorless/zmq/node.h\"\n#include \"coordinatorless/store/store.h\"\n") == 0);
  CHECK(layers("sdk/cli/main.cpp", "#include \"coordinatorless/zmq/node.h\"\n#include \"worker/executor.h\"\n") == 0);
  CHECK(layers("examples/hello_map.cpp", "#include \"dugnad/dugnad.h\"\n#include <dugnad/dugnad.h>\n#include \"tasks/task.h\"\n") == 0);
  CHECK(layers("tests/sim/swarm_test.cpp", "#include \"coordinatorless/sim/net.h\"\n#include \"tests/sim/scenario.h\"\n") == 0);
}

TEST_CASE("a path that does not start at the root, and a folder that is no layer, are caught") {
  CHECK(layers("tasks/pi.cpp", "#include \"task.h\"\n") == 1);
  CHECK(layers("misc/odds.h", "int ends;\n") == 1);
}

TEST_CASE("a library outside its place is caught") {
  CHECK(libraries("coordinatorless/core/peer.cpp", "#include <msgpack.hpp>\n") == 1);
  CHECK(libraries("coordinatorless/core/codec_write.cpp", "#include <msgpack.hpp>\n") == 0);
  CHECK(libraries("worker/main.cpp", "#include <zmq.hpp>\n") == 1);
  CHECK(libraries("coordinatorless/core/peer.cpp", "#include <sqlite3.h>\n") == 1);
  CHECK(libraries("sdk/job.h", "#include <tbb/task_arena.h>\n") == 1);
  CHECK(libraries("worker/policy.cpp", "#include <oneapi/tbb.h>\n") == 1);
  CHECK(libraries("worker/arena_threads.cpp", "#include <oneapi/tbb.h>\n") == 0);
  CHECK(libraries("coordinatorless/zmq/curve.cpp", "#include <sodium.h>\n") == 1);
  CHECK(libraries("sdk/job.cpp", "#include <png.h>\n") == 1);
  CHECK(libraries("sdk/cli/picture.cpp", "#include <png.h>\n") == 0);
  CHECK(libraries("worker/policy.cpp", "#include <CLI/CLI.hpp>\n") == 1);
  CHECK(libraries("worker/main.cpp", "#include <CLI/CLI.hpp>\n") == 0);
  CHECK(libraries("tasks/pi.cpp", "#include <fmt/format.h>\n") == 1);
  CHECK(libraries("tests/zmq/hostile_test.cpp", "#include <zmq.hpp>\n") == 0);
}

TEST_CASE("a clock, chance, a thread or the environment in the core is caught") {
  for (const char* line :
       {"auto t = std::chrono::steady_clock::now();", "auto t = system_clock::now();", "srand(time(nullptr));",
        "std::random_device device;", "std::mt19937 engine;", "int x = rand();", "std::thread t;", "std::mutex m;", "thread_local int x;",
        "getenv(\"HOME\");", "randombytes_buf(p, n);", "#include <thread>", "#include <fstream>"}) {
    CAPTURE(line);
    CHECK(determinism("coordinatorless/core/peer.cpp", line) == 1);
    CHECK(determinism("coordinatorless/sim/net.cpp", line) == 1);
    CHECK(determinism("coordinatorless/zmq/node.cpp", line) == 0);
  }
  CHECK(determinism("coordinatorless/core/peer.cpp",
                    "// no std::thread here\nconst char* why = \"std::mutex\";\nauto age = time(now);\n") == 0);
}

TEST_CASE("an unordered container in the core must say that it is never iterated") {
  CHECK(determinism("coordinatorless/core/peer.h", "std::unordered_map<PeerId, Link> links_;\n") == 1);
  CHECK(determinism("coordinatorless/core/peer.h", "std::unordered_set<PeerId> seen_;\n") == 1);
  CHECK(determinism("coordinatorless/core/peer.h",
                    "#include <unordered_map>\nstd::unordered_map<A, B> m_;  // unordered: never iterated\n") == 0);
  CHECK(determinism("coordinatorless/zmq/node.h", "std::unordered_map<A, B> m_;\n") == 0);
}

TEST_CASE("tabs, long lines, blanks at the end and a missing last line end are caught") {
  CHECK(layout("tasks/a.cpp", "int\ta;\n") == 1);
  CHECK(layout("tasks/a.cpp", "int a; \n") == 1);
  CHECK(layout("tasks/a.cpp", "int a;\r\n") == 1);
  CHECK(layout("tasks/a.cpp", "int a;") == 1);
  CHECK(layout("tasks/a.cpp", std::string(151, 'x') + "\n") == 1);
  CHECK(layout("tasks/a.cpp", std::string(150, 'x') + "\n") == 0);
  CHECK(layout("tasks/a.cpp", "// " + std::string(147, 'x') + "\xc3\xb8\n") == 1);
  CHECK(layout("tasks/a.cpp", "// " + std::string(146, 'x') + "\xc3\xb8\n") == 0);
  CHECK(layout("README.md", std::string(400, 'x') + "\n") == 0);
}

TEST_CASE("a header without its purpose or its guard is caught") {
  CHECK(layout("tasks/a.h", "// A: what an a is.\n#pragma once\nint a;\n") == 0);
  CHECK(layout("tasks/a.h", "#pragma once\nint a;\n") == 1);
  CHECK(layout("tasks/a.h", "// a.h\n#pragma once\n") == 1);
  CHECK(layout("tasks/a.h", "// A: what an a is.\n// #pragma once\nint a;\n") == 1);
}

TEST_CASE("a sleeping test is caught, whatever it is written in") {
  CHECK(sleeps("tests/zmq/node_test.cpp", "std::this_thread::sleep_for(1s);\n") == 1);
  CHECK(sleeps("tests/e2e/three.sh", "sleep 1\n") == 1);
  CHECK(sleeps("tests/e2e/three.py", "time.sleep(1)\n") == 1);
  CHECK(sleeps("tests/e2e/three.sh", "# no sleep here\n") == 0);
  CHECK(sleeps("tests/core/lease_test.cpp", "TEST_CASE(\"sleep\") {}  // sleep\n") == 0);
  CHECK(sleeps("tests/bench/idle.cpp", "::nanosleep(&span, nullptr);  // sleep: idle CPU is measured over a span\n") == 0);
  CHECK(sleeps("worker/watchdog.cpp", "std::this_thread::sleep_for(1s);\n") == 0);
}

TEST_CASE("a README command that does not exist is caught") {
  const auto exists = [](const std::string& path) { return path == "try.sh"; };
  const Source readme("README.md", "Run ./nothing.\n```\n./try.sh --fast\n$ ./gone.sh\n./build/release/bin/dugnad tasks\n```\n");
  const auto violations = check_readme_commands(readme, exists);
  REQUIRE(violations.size() == 1);
  CHECK(violations[0].line == 4);
}
