// What is said at a control socket: one line asks, one line answers, and that is all of a connection.
//
//   dugnad/1 WORD [ARGUMENT]        the question, at most 4 KiB with its line break
//   ok [TEXT]                       the answer
//   no REASON                       or why there is none
//
// A line is text without control characters, so that an answer may be shown on a terminal as it is. The number is the version of the protocol; a
// program answers `no` to a version or a word that it does not know, and nothing else of what it is told can change what it does.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "coordinatorless/base/result.h"

namespace dugnad::worker {

struct ControlRequest {
  std::string word;           // a-z and -, at most 32
  std::string argument = {};  // without control characters; may be empty
};

struct ControlAnswer {
  bool ok = true;
  std::string text;  // where not ok, the reason
};

inline constexpr std::size_t control_request_max = 4096;  // bytes of a line, its break included
inline constexpr std::size_t control_answer_max = 64 << 10;

/// Lines with their breaks. What a line cannot hold becomes a blank; what is too long is cut.
[[nodiscard]] std::string encode(const ControlRequest& request);
[[nodiscard]] std::string encode(const ControlAnswer& answer);

/// Of a line without its break, which anybody may have written; the error says what is wrong with it.
[[nodiscard]] Result<ControlRequest> decode_request(std::string_view line);
[[nodiscard]] Result<ControlAnswer> decode_answer(std::string_view line);

/// Answers one question, on the thread of the control socket.
using ControlHandler = std::function<ControlAnswer(const ControlRequest& request)>;

}  // namespace dugnad::worker
