// Wire: what a worker and a cage say to each other over their one socket. A frame is a u32 length (of what follows the header), a u8 kind, and
// the body; integers are little-endian. Each side gets its own small set of kinds and refuses any other.
//
//   to the cage    load    u64 bytes of memory, u8 whether fuel is counted, the packed module; the first frame, once
//                  unit    u64 fuel, the input
//                  check   u64 fuel, u32 length of the input, the input, the output that is claimed for it
//   from the cage  hello   u8 whether it is locked, text: its layers, or which one is missing and why
//                  loaded  nothing; or refused: text, why no donor runs this module
//                  result  u8 outcome, the output or the reason; one for each unit or check, in their order; of a check, a byte: 1 where it is right
#pragma once

#include <cstdint>
#include <optional>

#include "coordinatorless/base/attempt.h"
#include "coordinatorless/base/bytes.h"

namespace dugnad::worker::cage {

enum class Kind : std::uint8_t { load = 1, unit = 2, hello = 3, loaded = 4, refused = 5, result = 6, check = 7 };

struct Frame {
  Kind kind = Kind::hello;
  Bytes body;
};

/// Most bytes that the body of such a frame may have.
[[nodiscard]] std::size_t body_max(Kind kind);

/// `head` and `tail` together are the body.
void append_frame(Bytes& to, Kind kind, ByteView head, ByteView tail = {});

/// The head of a check, whose body goes on with the claimed output.
[[nodiscard]] Bytes check_head(std::uint64_t fuel, ByteView input);
struct WireCheck {
  std::uint64_t fuel = 0;
  ByteView input;
  ByteView claimed;
};
/// nullopt where the body is none. Its views point into the body.
[[nodiscard]] std::optional<WireCheck> check_of(ByteView body);

[[nodiscard]] Bytes u64_bytes(std::uint64_t number);
/// The number at the beginning of `bytes`, which are at least eight.
[[nodiscard]] std::uint64_t u64_at(ByteView bytes);

/// Cuts a stream into frames. Nothing is held beyond one frame of the largest size and what was read with it.
class FrameReader {
 public:
  /// Which side reads: a cage takes load and unit, a worker the others.
  enum class Side : std::uint8_t { cage, worker };
  explicit FrameReader(Side side) : side_(side) {}

  void feed(ByteView bytes);
  /// nullopt until there is a whole one, and for ever once broken().
  [[nodiscard]] std::optional<Frame> next();
  /// What came is no frame that this side takes.
  [[nodiscard]] bool broken() const { return broken_; }
  /// All that came was taken out.
  [[nodiscard]] bool empty() const { return at_ == held_.size(); }

 private:
  [[nodiscard]] bool takes(std::uint8_t kind) const;

  const Side side_;
  Bytes held_;
  std::size_t at_ = 0;  // up to here held_ was taken out
  bool broken_ = false;
};

/// A result as a cage may send it: ok, failed or the donor's fault, within its limits; nullopt for anything else.
struct WireResult {
  Outcome outcome = Outcome::ok;
  Bytes output;
};
[[nodiscard]] std::optional<WireResult> result_of(const Frame& frame);

}  // namespace dugnad::worker::cage
