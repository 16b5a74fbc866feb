// The guest pass against any bytes at all: it refuses or prepares them, and what it prepares is a valid module that it would prepare again.
#include "tasks/wasm/guest_pass.h"
#include "tasks/wasm/read_module.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/wasm/wat.h"

using namespace dugnad;
using namespace dugnad::tasks::wasm;

std::vector<Bytes> fuzz::seeds(Generator&) {
  using namespace tests;
  return {wat(reactor(a_bit_of_everything)), wat(reactor("")), wat(command(a_bit_of_everything))};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const bool fuel : {false, true}) {
    const Result<Guest> guest = prepare(ByteView(data, size), {.memory_bytes = 64 << 20, .fuel = fuel});
    if (guest) {
      const Result<Module> again = read_module(guest->code);
      fuzz::check(again.ok(), again ? "" : again.error().message);
    } else {
      fuzz::check(guest.error().message.size() < 400 && guest.error().message.find('\n') == std::string::npos, "a refusal is one line");
    }
  }
  return 0;
}
