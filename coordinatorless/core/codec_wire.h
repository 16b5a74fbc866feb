// Wire: what codec_fields.h describes, read from a Tape and written as tokens. Writing asserts the limits that reading enforces: a message
// over a limit is a bug in whoever made it, and would be refused by everybody else.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/codec_fields.h"
#include "coordinatorless/core/codec_tokens.h"

namespace dugnad::core {

class FieldReader {
 public:
  /// A tape is one whole item: once arrays have had their number of fields, nothing is left over.
  explicit FieldReader(const Tape& tape) : tape_(tape), rest_(tape.tokens()) {}

  template <class... T>
  [[nodiscard]] bool all(std::tuple<T...> fields) {
    return std::apply([this](auto&&... field) { return (this->read(field) && ...); }, fields);
  }
  /// The one place where a message's or a signed body's version is judged.
  [[nodiscard]] bool spoken_version() { return number(oldest_version, limits::version).has_value(); }
  [[nodiscard]] bool array(std::size_t count) {
    const Token* token = next(TokenKind::array);
    return token && token->value == count;
  }
  /// The fields of a signed body, of which the last may be left out, behind its version.
  [[nodiscard]] bool body(std::size_t fields, std::size_t tail_most) {
    const auto count = array_at_most(1 + fields);
    return count && *count >= 1 + fields - tail_most;
  }
  [[nodiscard]] std::optional<std::size_t> array_at_most(std::size_t most) {
    const Token* token = next(TokenKind::array);
    if (!token || token->value > most) return std::nullopt;
    return token->value;
  }
  [[nodiscard]] std::optional<std::uint64_t> number(std::uint64_t least, std::uint64_t most) {
    const Token* token = next(TokenKind::number);
    if (!token || token->value < least || token->value > most) return std::nullopt;
    return token->value;
  }

  bool read(bool& value) {
    const Token* token = next(TokenKind::boolean);
    if (!token) return false;
    value = token->value != 0;
    return true;
  }
  template <std::unsigned_integral T>
  bool read(T& value) { return read(Limited<T>{value, 0, std::numeric_limits<T>::max()}); }
  template <std::unsigned_integral T>
  bool read(Limited<T> field) {
    const auto value = number(field.least, field.most);
    if (!value) return false;
    field.value = static_cast<T>(*value);
    return true;
  }
  template <class Tag>
  bool read(Number<Tag>& value) { return read(value.value); }
  bool read(Outcome& outcome) {
    const auto value = number(0, outcome_last);
    if (!value) return false;
    outcome = static_cast<Outcome>(*value);
    return true;
  }
  bool read(Duration& duration) {
    const auto value = number(0, std::chrono::floor<std::chrono::microseconds>(duration_max).count());
    if (!value) return false;
    duration = std::chrono::microseconds(*value);
    return true;
  }
  bool read(WallTime& time) {
    const auto value = number(0, wall_time_max.time_since_epoch().count());
    if (!value) return false;
    time = WallTime(std::chrono::milliseconds(*value));
    return true;
  }

  template <std::size_t size>
  bool read(std::array<std::uint8_t, size>& value) {
    const Token* token = next(TokenKind::bytes);
    if (!token || token->size != size) return false;
    const ByteView content = tape_.content(*token);
    std::copy(content.begin(), content.end(), value.begin());
    return true;
  }
  template <class Tag>
  bool read(Id<Tag>& id) { return read(id.bytes); }
  bool read(Limited<Bytes> field) {
    const Token* token = next(TokenKind::bytes);
    if (!token || token->size < field.least || token->size > field.most) return false;
    const ByteView content = tape_.content(*token);
    field.value.assign(content.begin(), content.end());
    return true;
  }
  bool read(Value& value) {
    value.large = !rest_.empty() && rest_.front().kind == TokenKind::array;
    if (!value.large) return read(Limited<Bytes>{value.bytes, 0, limits::unit_bytes_max});
    BlobId blob;
    if (!read(blob) || !is_large(blob)) return false;
    value.bytes = to_bytes(blob);
    return true;
  }
  bool read(Limited<Signed> field) {
    return array(2) && read(Limited<Bytes>{field.value.body, field.least, field.most}) && read(field.value.signature);
  }
  bool read(TaskName<std::string> field) {
    const Token* token = next(TokenKind::text);
    if (!token || token->size > limits::task_name_max) return false;
    field.name = to_text(tape_.content(*token));
    return is_task_name(field.name);
  }

  template <class T>
  bool read(List<T> list) {
    const auto count = array_at_most(list.most);
    if (!count || *count > rest_.size()) return false;
    list.items.resize(*count);
    for (auto& item : list.items) {
      if constexpr (std::same_as<typename T::value_type, Signed>) {
        if (!read(Limited<Signed>{item, 0, list.body_most})) return false;
      } else {
        if (!read(item)) return false;
      }
    }
    return true;
  }
  template <class T>
  bool read(std::optional<T>& value) {
    if (next(TokenKind::nil)) {
      value.reset();
      return true;
    }
    return read(value.emplace());
  }
  template <class T>
  bool read(Tail<std::optional<T>> field) {
    field.value.reset();
    if (rest_.empty()) return true;
    return read(field.value) && (field.value || !rest_.empty());  // where nothing stands behind it, its absence is not said
  }
  template <Described T>
  bool read(T& value) {
    return array(field_count<T>) && all(fields_of(value));
  }

 private:
  /// The next token, taken, where it is of that kind.
  const Token* next(TokenKind kind) {
    if (rest_.empty() || rest_.front().kind != kind) return nullptr;
    const Token* token = &rest_.front();
    rest_ = rest_.subspan(1);
    return token;
  }

  const Tape& tape_;
  std::span<const Token> rest_;
};

class FieldWriter {
 public:
  [[nodiscard]] TokenWriter& tokens() { return tokens_; }

  template <class... T>
  void all(const std::tuple<T...>& fields) {
    std::apply([this](const auto&... field) { (this->write(field), ...); }, fields);
  }

  void write(bool value) { tokens_.boolean(value); }
  template <std::unsigned_integral T>
  void write(T value) { tokens_.number(value); }
  template <std::unsigned_integral T>
  void write(Limited<const T> field) {
    check(field.value, field.least, field.most);
    tokens_.number(field.value);
  }
  template <class Tag>
  void write(Number<Tag> value) { tokens_.number(value.value); }
  void write(Outcome outcome) {
    check(static_cast<std::uint8_t>(outcome), 0, outcome_last);
    tokens_.number(static_cast<std::uint8_t>(outcome));
  }
  void write(Duration duration) {
    DUGNAD_ASSERT(duration >= Duration::zero() && duration <= duration_max, "a duration that the wire does not carry");
    tokens_.number(static_cast<std::uint64_t>(std::chrono::floor<std::chrono::microseconds>(duration).count()));
  }
  void write(WallTime time) {
    DUGNAD_ASSERT(time >= WallTime{} && time <= wall_time_max, "a date that the wire does not carry");
    tokens_.number(static_cast<std::uint64_t>(time.time_since_epoch().count()));
  }

  template <std::size_t size>
  void write(const std::array<std::uint8_t, size>& value) { tokens_.bytes(value); }
  template <class Tag>
  void write(const Id<Tag>& id) { tokens_.bytes(id.bytes); }
  void write(Limited<const Bytes> field) {
    check(field.value.size(), field.least, field.most);
    tokens_.bytes(field.value);
  }
  void write(const Value& value) {
    if (!value.large) return write(Limited<const Bytes>{value.bytes, 0, limits::unit_bytes_max});
    const BlobId blob = value.blob();
    DUGNAD_ASSERT(is_large(blob), "a blob of a length that travels inline, or not at all");
    write(blob);
  }
  void write(Limited<const Signed> field) {
    tokens_.array(2);
    write(Limited<const Bytes>{field.value.body, field.least, field.most});
    write(field.value.signature);
  }
  void write(TaskName<const std::string> field) {
    DUGNAD_ASSERT(is_task_name(field.name), field.name);
    tokens_.text(field.name);
  }

  template <class T>
  void write(List<T> list) {
    check(list.items.size(), 0, list.most);
    tokens_.array(list.items.size());
    for (const auto& item : list.items) {
      if constexpr (std::same_as<typename T::value_type, Signed>) {
        write(Limited<const Signed>{item, 0, list.body_most});
      } else {
        write(item);
      }
    }
  }
  template <class T>
  void write(const std::optional<T>& value) { value ? write(*value) : tokens_.nil(); }
  template <class T>
  void write(Tail<const std::optional<T>> field) {
    if (field.value || field.followed) write(field.value);
  }
  template <Described T>
  void write(const T& value) {
    tokens_.array(field_count<T>);
    all(fields_of(value));
  }

 private:
  static void check(std::uint64_t value, std::uint64_t least, std::uint64_t most) {
    DUGNAD_ASSERT(value >= least && value <= most, "a message over its limits");
  }

  TokenWriter tokens_;
};

}  // namespace dugnad::core
