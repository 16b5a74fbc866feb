// The codec and the handshake against any bytes at all: whatever decodes is written back as the very same bytes.
#include <algorithm>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/handshake.h"
#include "tests/core/sample_messages.h"
#include "tests/fuzz/fuzz_target.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

Crypto& self() {
  static const auto crypto = make_sodium(SecretKeys{});
  return *crypto;
}

template <class T>
void check_canonical(const std::optional<T>& decoded, ByteView input) {
  if (decoded) fuzz::check(std::ranges::equal(encode(*decoded), input), "what decodes has one encoding");
}

}  // namespace

std::vector<Bytes> fuzz::seeds(Generator& generator) {
  std::vector<Bytes> inputs;
  for (int round = 0; round < 8; ++round) {
    samples::Sampler sampler(Generator(generator.key()), 4, 40);
    for (std::size_t kind = 0; kind < samples::Sampler::kinds; ++kind) inputs.push_back(encode(sampler.message(kind)));
    inputs.push_back(encode(sampler.record()));
    inputs.push_back(encode(sampler.manifest()));
    inputs.push_back(encode(sampler.delegation()));
    inputs.push_back(encode(sampler.announcement()));
  }
  const Introduced hello{.key = {}, .peer = {}};
  inputs.push_back(make_hello(self(), {}, {}, {}));
  inputs.push_back(make_welcome(self(), {}, {}, hello, {}));
  inputs.push_back(make_refused(Refusal::full));
  return inputs;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const auto message = decode(input);
  check_canonical(message, input);
  if (message && std::holds_alternative<Results>(*message)) static_cast<void>(results_root(std::get<Results>(*message)));
  check_canonical(decode_contact_record(input), input);
  check_canonical(decode_goodbye(input), input);
  check_canonical(decode_manifest(input), input);
  check_canonical(decode_delegation(input), input);
  check_canonical(decode_announcement(input), input);
  static_cast<void>(read_hello(self(), {}, {}, input));
  static_cast<void>(read_welcome(self(), {}, {}, {}, input));
  return 0;
}
