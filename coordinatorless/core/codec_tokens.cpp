#include "coordinatorless/core/codec_tokens.h"

#include <msgpack.hpp>

namespace dugnad::core {
namespace {

/// What msgpack's parser calls. False ends the parse. `at_` is where the present item starts if all before it were in their shortest
/// encoding; since it is compared with the byte that stands there, an item in a longer one is noticed at once.
class Recorder : public msgpack::null_visitor {
 public:
  Recorder(ByteView frame, std::span<Token> tokens) : frame_(frame), tokens_(tokens) {}

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t end() const { return at_; }

  bool visit_nil() { return head(0xc0, 1) && put({0, 0, TokenKind::nil}); }
  bool visit_boolean(bool value) { return head(value ? 0xc3 : 0xc2, 1) && put({value, 0, TokenKind::boolean}); }

  bool visit_positive_integer(std::uint64_t value) {
    const bool shortest = value < 0x80        ? head(static_cast<std::uint8_t>(value), 1)
                          : value <= 0xff       ? head(0xcc, 2)
                          : value <= 0xffff     ? head(0xcd, 3)
                          : value <= 0xffffffff ? head(0xce, 5)
                                                : head(0xcf, 9);
    return shortest && put({value, 0, TokenKind::number});
  }

  bool visit_str(const char*, std::uint32_t size) {
    const bool shortest = size < 32        ? head(static_cast<std::uint8_t>(0xa0 | size), 1)
                          : size <= 0xff   ? head(0xd9, 2)
                          : size <= 0xffff ? head(0xda, 3)
                                           : head(0xdb, 5);
    return shortest && put_content(size, TokenKind::text);
  }

  bool visit_bin(const char*, std::uint32_t size) {
    const bool shortest = size <= 0xff ? head(0xc4, 2) : size <= 0xffff ? head(0xc5, 3) : head(0xc6, 5);
    return shortest && put_content(size, TokenKind::bytes);
  }

  bool start_array(std::uint32_t count) {
    if (++depth_ > nesting_max || count > tokens_.size()) return false;
    const bool shortest = count < 16 ? head(static_cast<std::uint8_t>(0x90 | count), 1) : head(0xdc, 3);
    return shortest && put({count, 0, TokenKind::array});
  }
  bool end_array() {
    --depth_;
    return true;
  }

  bool visit_negative_integer(std::int64_t) { return false; }
  bool visit_float32(float) { return false; }
  bool visit_float64(double) { return false; }
  bool visit_ext(const char*, std::uint32_t) { return false; }
  bool start_map(std::uint32_t) { return false; }

 private:
  bool head(std::uint8_t byte, std::size_t length) {
    if (at_ >= frame_.size() || frame_[at_] != byte) return false;
    at_ += length;
    return true;
  }
  bool put(Token token) {
    if (count_ == tokens_.size()) return false;
    tokens_[count_++] = token;
    return true;
  }
  bool put_content(std::uint32_t size, TokenKind kind) {
    const std::size_t start = at_;
    at_ += size;
    return put({start, size, kind});
  }

  ByteView frame_;
  std::span<Token> tokens_;
  std::size_t count_ = 0;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

/// The stream that msgpack packs into.
struct Sink {
  Bytes& frame;
  void write(const char* data, std::size_t size) { frame.insert(frame.end(), data, data + size); }
};

msgpack::packer<Sink> packer(Sink& sink) { return msgpack::packer<Sink>(sink); }

}  // namespace

Tape::Tape(ByteView frame) : frame_(frame) {
  Recorder recorder(frame, tokens_);
  std::size_t read = 0;
  try {
    const bool whole = msgpack::parse(reinterpret_cast<const char*>(frame.data()), frame.size(), read, recorder);
    if (whole && read == frame.size() && recorder.end() == read) count_ = recorder.count();
  } catch (const std::exception&) {  // msgpack throws at some malformed input; an empty tape is the answer to all of it
  }
}

void TokenWriter::nil() {
  Sink sink{frame_};
  packer(sink).pack_nil();
}

void TokenWriter::boolean(bool value) {
  Sink sink{frame_};
  value ? packer(sink).pack_true() : packer(sink).pack_false();
}

void TokenWriter::number(std::uint64_t value) {
  Sink sink{frame_};
  packer(sink).pack_uint64(value);
}

void TokenWriter::text(std::string_view value) {
  Sink sink{frame_};
  packer(sink).pack_str(static_cast<std::uint32_t>(value.size())).pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
}

void TokenWriter::bytes(ByteView value) {
  Sink sink{frame_};
  packer(sink).pack_bin(static_cast<std::uint32_t>(value.size()));
  frame_.insert(frame_.end(), value.begin(), value.end());
}

void TokenWriter::array(std::size_t count) {
  Sink sink{frame_};
  packer(sink).pack_array(static_cast<std::uint32_t>(count));
}

}  // namespace dugnad::core
