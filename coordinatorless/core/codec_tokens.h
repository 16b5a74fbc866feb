// Tokens: a frame as a flat row of msgpack's items, and back. codec_tokens.cpp is the only file that knows msgpack.
//
// A frame becomes a Tape before anything else is made of it. The tape has a fixed number of places, and its tokens point into the frame:
// whatever sizes a hostile frame claims, reading it allocates nothing that grows with them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

enum class TokenKind : std::uint8_t { nil, boolean, number, text, bytes, array };

/// No initialisers: a tape is too long to be cleared for every frame.
struct Token {
  std::uint64_t value;  // boolean, number: itself; array: how many items follow as its own; text, bytes: where they start in the frame
  std::uint32_t size;   // text, bytes
  TokenKind kind;
};

inline constexpr std::size_t tokens_max = limits::batch_units_max * 7 + 16;  // a full Results: array, lease, unit, outcome, a large output's three
inline constexpr std::size_t nesting_max = 8;

/// A frame's tokens. Empty unless the frame is one whole item, in the shortest encoding throughout, with nothing behind it: of all frames
/// that mean the same, one alone is accepted, and it is the one that TokenWriter makes.
class Tape {
 public:
  explicit Tape(ByteView frame);
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  [[nodiscard]] std::span<const Token> tokens() const { return {tokens_.data(), count_}; }
  /// The content of a text or bytes token.
  [[nodiscard]] ByteView content(const Token& token) const { return frame_.subspan(token.value, token.size); }

 private:
  ByteView frame_;
  std::size_t count_ = 0;
  std::array<Token, tokens_max> tokens_;
};

/// Appends items to a frame.
class TokenWriter {
 public:
  void nil();
  void boolean(bool value);
  void number(std::uint64_t value);
  void text(std::string_view value);
  void bytes(ByteView value);
  void array(std::size_t count);

  void reserve(std::size_t size) { frame_.reserve(size); }
  [[nodiscard]] Bytes take() { return std::move(frame_); }

 private:
  Bytes frame_;
};

}  // namespace dugnad::core
