#include "worker/cage/wire.h"

#include "coordinatorless/base/panic.h"
#include "worker/cage/limits.h"

namespace dugnad::worker::cage {
namespace {

void append_u32(Bytes& to, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) to.push_back(static_cast<std::uint8_t>(number >> shift));
}

std::uint32_t u32_at(ByteView bytes) {
  std::uint32_t number = 0;
  for (int i = 3; i >= 0; --i) number = number << 8 | bytes[static_cast<std::size_t>(i)];
  return number;
}

}  // namespace

std::size_t body_max(Kind kind) {
  switch (kind) {
    case Kind::load: return 9 + limits::module_packed_max;
    case Kind::unit: return 8 + limits::unit_bytes_max;
    case Kind::check: return 8 + 4 + 2 * limits::unit_bytes_max;
    case Kind::hello: return 1 + limits::text_bytes_max;
    case Kind::loaded: return 0;
    case Kind::refused: return limits::text_bytes_max;
    case Kind::result: return 1 + limits::unit_bytes_max;
  }
  return 0;
}

void append_frame(Bytes& to, Kind kind, ByteView head, ByteView tail) {
  DUGNAD_ASSERT(head.size() + tail.size() <= body_max(kind), "a frame above the limit of its kind");
  append_u32(to, static_cast<std::uint32_t>(head.size() + tail.size()));
  to.push_back(static_cast<std::uint8_t>(kind));
  to.insert(to.end(), head.begin(), head.end());
  to.insert(to.end(), tail.begin(), tail.end());
}

Bytes check_head(std::uint64_t fuel, ByteView input) {
  Bytes head = u64_bytes(fuel);
  append_u32(head, static_cast<std::uint32_t>(input.size()));
  head.insert(head.end(), input.begin(), input.end());
  return head;
}

std::optional<WireCheck> check_of(ByteView body) {
  constexpr std::size_t numbers = 12;
  if (body.size() < numbers) return std::nullopt;
  const std::size_t length = u32_at(body.subspan(8));
  const ByteView rest = body.subspan(numbers);
  if (length > rest.size() || length > limits::unit_bytes_max || rest.size() - length > limits::unit_bytes_max) return std::nullopt;
  return WireCheck{u64_at(body), rest.first(length), rest.subspan(length)};
}

Bytes u64_bytes(std::uint64_t number) {
  Bytes bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<std::uint8_t>(number >> shift));
  return bytes;
}

std::uint64_t u64_at(ByteView bytes) { return u32_at(bytes) | std::uint64_t{u32_at(bytes.subspan(4))} << 32; }

bool FrameReader::takes(std::uint8_t kind) const {
  const bool to_cage = kind == static_cast<std::uint8_t>(Kind::load) || kind == static_cast<std::uint8_t>(Kind::unit) ||
                       kind == static_cast<std::uint8_t>(Kind::check);
  const bool from_cage = kind >= static_cast<std::uint8_t>(Kind::hello) && kind <= static_cast<std::uint8_t>(Kind::result);
  return side_ == Side::cage ? to_cage : from_cage;
}

void FrameReader::feed(ByteView bytes) {
  if (at_ > 0) {
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
  }
  held_.insert(held_.end(), bytes.begin(), bytes.end());
}

std::optional<Frame> FrameReader::next() {
  const ByteView rest = ByteView(held_).subspan(at_);
  if (broken_ || rest.size() < limits::header_bytes) return std::nullopt;
  const std::size_t length = u32_at(rest);
  const std::uint8_t kind = rest[4];
  if (!takes(kind) || length > body_max(static_cast<Kind>(kind))) {
    broken_ = true;
    return std::nullopt;
  }
  if (rest.size() < limits::header_bytes + length) return std::nullopt;
  const ByteView body = rest.subspan(limits::header_bytes, length);
  at_ += limits::header_bytes + length;
  return Frame{static_cast<Kind>(kind), Bytes(body.begin(), body.end())};
}

std::optional<WireResult> result_of(const Frame& frame) {
  if (frame.kind != Kind::result || frame.body.empty()) return std::nullopt;
  const std::uint8_t outcome = frame.body.front();
  // A cage has no say in what is cancelled.
  if (outcome > static_cast<std::uint8_t>(Outcome::donor_fault)) return std::nullopt;
  WireResult result{static_cast<Outcome>(outcome), Bytes(frame.body.begin() + 1, frame.body.end())};
  if (result.outcome != Outcome::ok && result.output.size() > limits::text_bytes_max) return std::nullopt;
  return result;
}

}  // namespace dugnad::worker::cage
