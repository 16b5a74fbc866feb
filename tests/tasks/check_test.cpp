// A task's own check: it says yes to what the task returns, and to nothing else.
#include "coordinatorless/base/generator.h"
#include "tests/tasks/in_process.h"

using namespace dugnad;
using namespace dugnad::tasks;

namespace {

bool says_right(const Bytes& input, const Bytes& output) { return builtin("factors").check(input, output, {}); }

}  // namespace

TEST_CASE("a check finds right whatever the task returns, for small numbers and for the largest") {
  for (const Parameters& job : {Parameters{{"from", 1}, {"count", 5000}}, Parameters{{"from", 999'999'999'999'990}, {"count", 12}}}) {
    const Finished done = finish("factors", job);
    for (std::size_t i = 0; i < done.inputs.size(); ++i) CHECK(says_right(done.inputs[i], done.outputs[i]));
  }
}

TEST_CASE("a check finds wrong whatever differs from it by a byte, or is longer or shorter") {
  const Finished done = finish("factors", {{"from", 1'000'000'000'000}, {"count", 20}});
  const Bytes& input = done.inputs.front();
  const Bytes& right = done.outputs.front();
  for (std::size_t at = 0; at < right.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes wrong = right;
      wrong[at] ^= static_cast<std::uint8_t>(1 << bit);
      CHECK_FALSE(says_right(input, wrong));
    }
  }
  Bytes longer = right;
  longer.push_back(0);
  CHECK_FALSE(says_right(input, longer));
  CHECK_FALSE(says_right(input, Bytes(right.begin(), right.end() - 1)));
  CHECK_FALSE(says_right(input, {}));
  CHECK_FALSE(says_right({}, right));
}

TEST_CASE("a check takes no composite factor, no factors out of order, and no 1") {
  const Bytes fifteen = Writer().u64(15).u16(1).take();
  CHECK(says_right(fifteen, Writer().u8(2).u64(3).u64(5).take()));
  CHECK_FALSE(says_right(fifteen, Writer().u8(1).u64(15).take()));
  CHECK_FALSE(says_right(fifteen, Writer().u8(2).u64(5).u64(3).take()));
  CHECK_FALSE(says_right(fifteen, Writer().u8(3).u64(1).u64(3).u64(5).take()));
  CHECK_FALSE(says_right(fifteen, Writer().u8(2).u64(3).u64(0).take()));
}

TEST_CASE("a check survives any bytes") {
  Generator generator = Generator::from_seed(3);
  const Bytes input = finish("factors", {{"from", 1000}, {"count", 3}}).inputs.front();
  for (int i = 0; i < 2000; ++i) {
    Bytes noise(generator.below(64));
    for (std::uint8_t& byte : noise) byte = static_cast<std::uint8_t>(generator.next());
    CHECK_FALSE(says_right(input, noise));
    CHECK_FALSE(says_right(noise, noise));
  }
}
