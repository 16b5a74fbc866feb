// Memory: what a guest may grow into it gets or the donor is at fault, and a long row of units leaves nothing behind.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <fstream>
#include <string>

#include "tests/wasm/engine.h"

namespace dugnad::tests {
namespace {

/// Grows by as many pages as the unit has bytes, and answers with what memory.grow said.
const std::string growing = running("(i64.store (i32.const 0) (i64.extend_i32_s (memory.grow (local.get $length)))) (i64.const 8)", "",
                                    "(memory (export \"memory\") 1 1024)");

std::size_t kib_of(std::string_view what) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == what) {
      std::size_t kib = 0;
      status >> kib;
      return kib;
    }
  }
  return 0;
}
std::size_t resident_kib() { return kib_of("VmRSS:"); }
/// What the limit on data is held against.
std::size_t data_bytes() { return kib_of("VmData:") << 10; }

class DataLimit {
 public:
  explicit DataLimit(rlim_t bytes) {
    getrlimit(RLIMIT_DATA, &before_);
    const rlimit tight{bytes, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_DATA, &tight) == 0);
  }
  ~DataLimit() { setrlimit(RLIMIT_DATA, &before_); }

 private:
  rlimit before_{};
};

TEST_CASE("memory grows within what was declared, and beyond it memory.grow answers -1") {
  auto& engine = loaded(growing);
  CHECK(engine.run(Bytes(1000), 0).output == Bytes{1, 0, 0, 0, 0, 0, 0, 0});
  CHECK(engine.run(Bytes(1024), 0).output == Bytes(8, 0xff));
}

TEST_CASE("memory that the donor cannot give is the donor's fault, and units run again once it can") {
  auto& engine = loaded(growing);
  {
    const DataLimit tight(16 << 20);
    const auto outcome = engine.run(Bytes(1000), 0);
    CHECK(outcome.outcome == Outcome::donor_fault);
    CHECK(text_of(outcome) == "this donor cannot give 64 MiB of memory");
  }
  CHECK(engine.run(Bytes(1000), 0).outcome == Outcome::ok);
}

TEST_CASE("memory.grow answers as the specification says to every step, growing by nothing and beyond 32 bits too") {
  auto& engine =
      loaded(running("(local $i i32) (local $f f64)"
                     "(i32.store (i32.const 0) (memory.grow (i32.const 0)))"
                     "(i32.store (i32.const 4) (memory.grow (i32.const 2)))"
                     "(i32.store (i32.const 8) (memory.grow (i32.const -1)))"
                     "(i32.store (i32.const 12) (memory.grow (i32.const 8)))"
                     "(i32.store (i32.const 16) (memory.grow (i32.const 7)))"
                     "(i32.store (i32.const 20) (memory.grow (i32.const 1)))"
                     "(i64.const 24)",
                     "", "(memory (export \"memory\") 1 10)"));
  const auto outcome = engine.run({}, 0);
  CHECK(to_hex(outcome.output) == "0100000001000000ffffffffffffffff03000000ffffffff");
}

TEST_CASE("memory that is lost between two steps of growing is the donor's fault too") {
  const auto guest = prepared(running("(i64.store (i32.const 0) (i64.extend_i32_s (memory.grow (i32.const 1000)))) (i64.const 8)", "",
                                      "(memory (export \"memory\") 1 1024)"));
  auto understated = guest;
  understated.memory_pages_max = 1;  // so that the engine looks for less than the guest will ask for
  REQUIRE(engine().load(understated).ok());
  {
    const DataLimit tight(data_bytes() + (40u << 20));
    const auto outcome = engine().run({}, 0);
    CHECK(outcome.outcome == Outcome::donor_fault);
    CHECK(text_of(outcome) == "this donor cannot give the memory that the guest grows into");
  }
  CHECK(engine().run({}, 0).outcome == Outcome::ok);
}

TEST_CASE("ten thousand units leave the process no larger") {
  auto& engine = loaded(running("(i64.const 0x0000040000000008)"));
  const auto some = [&](int count) {
    int right = 0;
    for (int i = 0; i < count; ++i) right += engine.run(view_of("12345678"), 0).output == to_bytes("12345678");
    return right;
  };
  REQUIRE(some(1000) == 1000);
  const std::size_t before = resident_kib();
  CHECK(some(10'000) == 10'000);
  CHECK(resident_kib() < before + 8 * 1024);
}

TEST_CASE("units that trap leave the process no larger either") {
  auto& engine = loaded(running("(unreachable)"));
  const auto some = [&](int count) {
    int failed = 0;
    for (int i = 0; i < count; ++i) failed += engine.run({}, 0).outcome == Outcome::failed;
    return failed;
  };
  REQUIRE(some(1000) == 1000);
  const std::size_t before = resident_kib();
  CHECK(some(3000) == 3000);
  CHECK(resident_kib() < before + 8 * 1024);
}

}  // namespace
}  // namespace dugnad::tests
