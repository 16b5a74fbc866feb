// A worker's slot against cages that say anything at all: a stranger's code may have taken them over. Whatever they say, and wherever they fall
// silent, each unit is done once, in order, with an outcome that is a cage's to give, and nobody starts cages without end.
//
// An input is [which unit is stopped, 255 none] and what each cage says, one after the other: [length, 2 bytes, little-endian][that many bytes].
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>

#include "tests/fuzz/fuzz_target.h"
#include "worker/cage/limits.h"
#include "worker/cage_slot.h"

using namespace dugnad;
using namespace dugnad::worker;

namespace {

std::deque<ByteView> to_say;  // by the cages to come
std::size_t spawned = 0;

}  // namespace

// The launcher that is linked here: its cages are a socket, with all that they will ever say in it, and nobody behind.
namespace dugnad::worker {

Result<std::unique_ptr<Launcher>> Launcher::start() { return std::unique_ptr<Launcher>(new Launcher(Programs{})); }
Launcher::Launcher(Programs programs) : programs_(std::move(programs)), end_(-1) {}
Launcher::~Launcher() = default;

Result<SpawnedCage> Launcher::spawn(std::uint64_t) {
  ++spawned;
  if (to_say.empty()) return Error{"there are no more"};
  int ends[2];
  fuzz::check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0, "there are descriptors");
  const ByteView words = to_say.front();
  to_say.pop_front();
  // What does not fit into the socket is lost, as it may be.
  if (!words.empty()) static_cast<void>(::send(ends[1], words.data(), words.size(), MSG_NOSIGNAL));
  ::close(ends[1]);
  return SpawnedCage{ends[0], -1};
}

}  // namespace dugnad::worker

namespace {

constexpr std::uint8_t no_unit = 255;
const Guest& guest(std::size_t which) {
  static const Guest guests[] = {guest_at_hand(Bytes(10, 1), 1 << 20), guest_at_hand(Bytes(10, 2), 1 << 20, 7)};
  return guests[which];
}

/// Runs a batch; checks what holds of every batch.
void run(CageSlot& slot, const Guest& of, std::size_t units, std::uint8_t stopped, ByteView said) {
  const std::vector<Bytes> inputs(units, Bytes(3, 'u'));
  const std::vector<ByteView> views(inputs.begin(), inputs.end());
  const std::size_t before = spawned;
  std::size_t next = 0;
  if (stopped < units) slot.stop(stopped);
  slot.run(of, views, [&](std::size_t index, const Ran& ran) {
    fuzz::check(index == next++, "units are done in order, each once");
    switch (ran.outcome) {
      case Outcome::cancelled: fuzz::check(index == stopped, "only what was stopped is cancelled"); break;
      case Outcome::ok: {
        fuzz::check(ran.output.size() <= cage::limits::unit_bytes_max, "an output is within its limit");
        fuzz::check(std::search(said.begin(), said.end(), ran.output.begin(), ran.output.end()) != said.end() || ran.output.empty(),
                    "an output is what a cage said");
        break;
      }
      case Outcome::failed:
      case Outcome::donor_fault: fuzz::check(ran.output.size() <= reason_max, "a reason is short"); break;
    }
  });
  fuzz::check(next == units, "every unit is done");
  fuzz::check(spawned - before <= 2 * units + cage::limits::starts_max, "cages are not started without end");
}

void say(Bytes& to, const std::vector<std::pair<cage::Kind, std::string>>& frames) {
  Bytes words;
  for (const auto& [kind, text] : frames) cage::append_frame(words, kind, view_of(text));
  to.push_back(static_cast<std::uint8_t>(words.size()));
  to.push_back(static_cast<std::uint8_t>(words.size() >> 8));
  to.insert(to.end(), words.begin(), words.end());
}

}  // namespace

std::vector<Bytes> fuzz::seeds(Generator& generator) {
  using cage::Kind;
  const std::pair hello(Kind::hello, "\1layers"), loaded(Kind::loaded, "");
  const std::pair right(Kind::result, std::string("\0right", 6)), failed(Kind::result, std::string("\1why", 4));
  const std::pair fault(Kind::result, std::string("\2why", 4));
  std::vector<Bytes> inputs;
  for (int round = 0; round < 8; ++round) {
    Bytes script{round % 2 == 0 ? no_unit : static_cast<std::uint8_t>(generator.below(5))};
    say(script, {hello, loaded, right, failed, right, fault, right});
    say(script, {hello, loaded, right});
    say(script, {hello, {Kind::refused, "it is no module"}});
    say(script, {{Kind::hello, std::string("\0Landlock is missing", 20)}});
    for (int more = 0; more < 3; ++more) say(script, {hello, loaded, right, right});
    inputs.push_back(std::move(script));
  }
  return inputs;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  to_say.clear();
  const std::uint8_t stopped = size > 0 ? data[0] : no_unit;
  for (std::size_t at = 1; at + 2 <= size;) {
    const std::size_t length = std::min<std::size_t>(data[at] | data[at + 1] << 8, size - at - 2);
    to_say.push_back(input.subspan(at + 2, length));
    at += 2 + length;
  }
  const auto launcher = Launcher::start();
  CageSlot slot(**launcher);
  run(slot, guest(0), 5, stopped, input);
  run(slot, guest(1), 3, no_unit, input);
  run(slot, guest(0), 4, no_unit, input);
  slot.rest();
  fuzz::check(!slot.awake(), "a slot at rest has no cage");
  return 0;
}
