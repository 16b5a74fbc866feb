// What a hostile frame makes the decoder allocate: counted by replacing this program's operator new.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {
std::atomic<std::size_t> allocated{0};
}

void* operator new(std::size_t size) {
  allocated += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

/// Bytes allocated in all while `frame` is decoded, whatever comes of it.
std::size_t cost_of(const Bytes& frame) {
  const std::size_t before = allocated;
  const auto message = decode(frame);
  static_cast<void>(message);
  return allocated - before;
}

Bytes filled(const Bytes& start, const Bytes& repeated, std::size_t size = limits::message_bytes_max) {
  Bytes frame = start;
  while (frame.size() + repeated.size() <= size) frame.insert(frame.end(), repeated.begin(), repeated.end());
  return frame;
}

}  // namespace

TEST_CASE("hostile frames of a mebibyte take next to no memory") {
  const Bytes revoke = [] {
    Bytes frame{0x94, 1, 9, 0xc4, 32};
    frame.resize(frame.size() + 32);
    return frame;
  }();
  const auto after = [&](Bytes tail) {
    Bytes frame = revoke;
    frame.insert(frame.end(), tail.begin(), tail.end());
    return frame;
  };
  const std::pair<const char*, Bytes> frames[] = {
      {"nils", filled({0xdd, 0x00, 0x0f, 0xff, 0xfb}, {0xc0})},
      {"nils in a list", filled(after({0xdd, 0x00, 0x0f, 0x00, 0x00}), {0xc0})},
      {"nested arrays", filled({}, {0x91})},
      {"nested long arrays", filled({}, {0xdc, 0x04, 0x00})},
      {"empty arrays", filled(after({0xdd, 0x00, 0x0f, 0x00, 0x00}), {0x90})},
      {"nested maps", filled({}, {0x81})},
      {"an array of four billion", {0xdd, 0xff, 0xff, 0xff, 0xff}},
      {"a map of four billion", {0xdf, 0xff, 0xff, 0xff, 0xff}},
      {"bytes of four gibibytes", {0x93, 1, 10, 0xc6, 0xff, 0xff, 0xff, 0xff}},
      {"text of four gibibytes", {0x93, 1, 10, 0xdb, 0xff, 0xff, 0xff, 0xff}},
      {"an extension of four gibibytes", {0xc9, 0xff, 0xff, 0xff, 0xff, 1}},
      {"a list of 1024 that is not there", after({0xdc, 0x04, 0x00})},
      {"a list of 65535 that is not there", after({0xdc, 0xff, 0xff})},
      {"zeros", Bytes(limits::message_bytes_max)},
  };
  for (const auto& [what, frame] : frames) {
    CHECK_FALSE_MESSAGE(decode(frame), what);
    CHECK_MESSAGE(cost_of(frame) < 64 << 10, what);
  }
}

TEST_CASE("a message takes little more memory than its frame") {
  Lease lease;
  lease.units.assign(limits::batch_units_max, {{~0ull}, Bytes(limits::batch_bytes_max / limits::batch_units_max)});
  const Bytes large = encode(lease);
  CHECK(cost_of(large) < large.size() + (128 << 10));
  lease.units.assign(limits::batch_units_max, {{1}, {}});
  CHECK(cost_of(encode(lease)) < 128 << 10);
  CHECK(cost_of(encode(Contacts{std::vector<Signed>(limits::welcome_records), false})) < 64 << 10);
}
