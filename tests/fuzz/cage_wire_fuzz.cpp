// What a worker reads from a cage, against any bytes at all: the cage may have been taken over by a stranger's code. However the bytes are cut,
// the same frames come, none above its limit, and nothing behind the first that is wrong.
#include <algorithm>

#include "tests/fuzz/fuzz_target.h"
#include "worker/cage/limits.h"
#include "worker/cage/wire.h"

using namespace dugnad;
using namespace dugnad::worker::cage;

namespace {

/// Every frame of `input`, given in pieces of `piece` bytes, written again.
Bytes read_again(ByteView input, std::size_t piece, FrameReader::Side side) {
  FrameReader reader(side);
  Bytes again;
  while (!input.empty()) {
    const std::size_t some = std::min(piece, input.size());
    reader.feed(input.first(some));
    input = input.subspan(some);
    while (const auto frame = reader.next()) {
      fuzz::check(frame->body.size() <= body_max(frame->kind), "no body is above the limit of its kind");
      if (const auto result = result_of(*frame)) {
        fuzz::check(result->outcome <= Outcome::donor_fault, "a cage says nothing of what is cancelled");
        fuzz::check(result->outcome == Outcome::ok || result->output.size() <= limits::text_bytes_max, "a reason is short");
      }
      append_frame(again, frame->kind, frame->body);
    }
  }
  return again;
}

}  // namespace

std::vector<Bytes> fuzz::seeds(Generator& generator) {
  std::vector<Bytes> inputs;
  for (const Kind kind : {Kind::load, Kind::unit, Kind::hello, Kind::loaded, Kind::refused, Kind::result}) {
    Bytes stream;
    for (int frames = 0; frames < 3; ++frames) {
      Bytes body(std::min<std::size_t>(body_max(kind), generator.below(300)));
      for (std::uint8_t& byte : body) byte = static_cast<std::uint8_t>(generator.below(4));
      append_frame(stream, kind, body);
    }
    inputs.push_back(std::move(stream));
  }
  return inputs;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  for (const auto side : {FrameReader::Side::worker, FrameReader::Side::cage}) {
    const Bytes whole = read_again(input, std::max<std::size_t>(1, size), side);
    fuzz::check(std::ranges::equal(whole, input.first(whole.size())), "what is read is what came");
    fuzz::check(read_again(input, 7, side) == whole, "how the bytes are cut changes nothing");
  }
  return 0;
}
