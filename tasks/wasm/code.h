// Code: a few instructions, written one after the other.
#pragma once

#include "tasks/wasm/binary.h"
#include "tasks/wasm/guest_pass.h"

namespace dugnad::tasks::wasm {

class Code {
 public:
  Code& op(std::uint8_t opcode) { return bytes_.push_back(opcode), *this; }
  Code& vector_op(std::uint32_t opcode) { return bytes_.push_back(0xfd), append_u32(bytes_, opcode), *this; }
  Code& local_get(std::uint32_t index) { return indexed(0x20, index); }
  Code& local_set(std::uint32_t index) { return indexed(0x21, index); }
  Code& local_tee(std::uint32_t index) { return indexed(0x22, index); }
  Code& global_get(std::uint32_t index) { return indexed(0x23, index); }
  Code& global_set(std::uint32_t index) { return indexed(0x24, index); }
  Code& call(std::uint32_t index) { return indexed(0x10, index); }
  Code& i32_const(std::int32_t value) { return bytes_.push_back(0x41), append_signed(bytes_, value), *this; }
  Code& i64_const(std::int64_t value) { return bytes_.push_back(0x42), append_signed(bytes_, value), *this; }
  Code& raw(ByteView bytes) { return append(bytes_, bytes), *this; }

  /// Where the i32 on the stack is not zero, the guest ends and says why.
  Code& stop_if(std::uint32_t stopped, Stopped why) {
    return op(0x04).op(0x40).i32_const(static_cast<std::int32_t>(why)).global_set(stopped).op(0x00).op(0x0b);
  }

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Code& indexed(std::uint8_t opcode, std::uint32_t index) { return bytes_.push_back(opcode), append_u32(bytes_, index), *this; }
  Bytes bytes_;
};

}  // namespace dugnad::tasks::wasm
