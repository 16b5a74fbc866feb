// Bytes: what travels, is hashed and is stored. A unit's input and output are bytes to everybody but its task.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dugnad {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// Lower-case hex digits, two a byte.
[[nodiscard]] std::string to_hex(ByteView bytes);

/// The bytes that lower-case `hex` names; nullopt for an odd length, an upper-case letter or any other character.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view hex);

/// The bytes of `text`, and back; neither checks an encoding.
[[nodiscard]] Bytes to_bytes(std::string_view text);
[[nodiscard]] std::string to_text(ByteView bytes);
[[nodiscard]] ByteView view_of(std::string_view text);

}  // namespace dugnad
