#include "coordinatorless/core/codec.h"

#include "coordinatorless/core/codec_wire.h"

namespace dugnad::core {
namespace {

constexpr std::size_t head_fields = 2;  // version, type

/// Enough room for nearly every message, so that encoding allocates once.
template <class M>
std::size_t size_hint(const M&) { return 256; }
std::size_t size_hint(const Lease& lease) {
  std::size_t size = 128;
  for (const LeasedUnit& unit : lease.units) size += 16 + unit.input.bytes.size();
  return size;
}
std::size_t size_hint(const Results& results) {
  std::size_t size = 192;
  for (const UnitResult& result : results.results) size += 24 + result.output.bytes.size();
  return size;
}
std::size_t size_hint(const Record& record) {
  std::size_t size = 192;
  for (const RecordEntry& entry : record.entries) size += 128 + entry.body.size();
  return size;
}
std::size_t size_hint(const Relay& relay) { return 128 + relay.sealed.size(); }

template <class M>
Bytes encode_one(const M& message) {
  static_assert(type_number<M> != 0, "codec_fields.h gives every message a type number");
  DUGNAD_ASSERT(is_sound(message), "a message over its limits");
  FieldWriter writer;
  writer.tokens().reserve(size_hint(message));
  writer.tokens().array(head_fields + field_count<M> - tail_missing(message));
  writer.tokens().number(limits::version);
  writer.tokens().number(type_number<M>);
  writer.all(fields_of(message));
  Bytes frame = writer.tokens().take();
  DUGNAD_ASSERT(frame.size() <= limits::message_bytes_max, "a message over its limits");
  return frame;
}

template <class M>
std::optional<Message> decode_one(FieldReader& reader, std::size_t count) {
  std::optional<Message> message(std::in_place, std::in_place_type<M>);
  M& value = std::get<M>(*message);
  if (count > field_count<M> || count + tail_most<M> < field_count<M>) return std::nullopt;
  if (!reader.all(fields_of(value)) || !is_sound(value)) return std::nullopt;
  return message;
}

/// Reads the alternative of Message whose type number is `type`.
template <std::size_t index = 0>
std::optional<Message> decode_as(std::uint64_t type, FieldReader& reader, std::size_t count) {
  if constexpr (index < std::variant_size_v<Message>) {
    using M = std::variant_alternative_t<index, Message>;
    return type == type_number<M> ? decode_one<M>(reader, count) : decode_as<index + 1>(type, reader, count);
  } else {
    return std::nullopt;
  }
}

}  // namespace

Bytes encode(const Message& message) {
  return std::visit([](const auto& one) { return encode_one(one); }, message);
}

std::optional<Message> decode(ByteView frame) {
  if (frame.size() > limits::message_bytes_max) return std::nullopt;
  const Tape tape(frame);
  FieldReader reader(tape);
  const auto count = reader.array_at_most(16);
  if (!count || *count < head_fields || !reader.spoken_version()) return std::nullopt;
  const auto type = reader.number(1, 0xff);
  if (!type) return std::nullopt;
  return decode_as(*type, reader, *count - head_fields);
}

}  // namespace dugnad::core
