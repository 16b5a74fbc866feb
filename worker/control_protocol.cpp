#include "worker/control_protocol.h"

#include <algorithm>

namespace dugnad::worker {
namespace {

constexpr std::string_view version = "dugnad/1 ";
constexpr std::string_view any_version = "dugnad/";
constexpr std::size_t word_max = 32;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string as_line(std::string text, std::size_t most) {
  std::replace_if(text.begin(), text.end(), is_control, ' ');
  if (text.size() > most - 1) text.resize(most - 1);
  return text + '\n';
}

bool is_word(std::string_view word) {
  return !word.empty() && word.size() <= word_max &&
         std::all_of(word.begin(), word.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

}  // namespace

std::string encode(const ControlRequest& request) {
  return as_line(std::string(version) + request.word + (request.argument.empty() ? "" : " " + request.argument), control_request_max);
}

std::string encode(const ControlAnswer& answer) {
  const std::string first = answer.ok ? "ok" : "no";
  return as_line(first + (answer.text.empty() ? "" : " " + answer.text), control_answer_max);
}

Result<ControlRequest> decode_request(std::string_view line) {
  if (std::any_of(line.begin(), line.end(), is_control)) return Error{"a question is one line of text"};
  if (!line.starts_with(version)) {
    if (line.starts_with(any_version)) return Error{"this program speaks version 1 at its control socket; use the same version of dugnad"};
    return Error{"a question begins with dugnad/1"};
  }
  line.remove_prefix(version.size());
  const std::size_t blank = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, blank);
  if (!is_word(word)) return Error{"what is asked for is a word of a-z"};
  return ControlRequest{std::string(word), blank == line.size() ? std::string() : std::string(line.substr(blank + 1))};
}

Result<ControlAnswer> decode_answer(std::string_view line) {
  if (std::any_of(line.begin(), line.end(), is_control)) return Error{"its answer is no text"};
  const std::string_view first = line.substr(0, 2);
  if ((first != "ok" && first != "no") || (line.size() > 2 && line[2] != ' ')) return Error{"its answer is not one of this version"};
  return ControlAnswer{first == "ok", line.size() > 3 ? std::string(line.substr(3)) : std::string()};
}

}  // namespace dugnad::worker
