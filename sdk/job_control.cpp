#include "sdk/job_control.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include "coordinatorless/store/data_dir.h"
#include "sdk/session.h"
#include "worker/control_socket.h"

namespace dugnad::sdk {
namespace {

// Each name once, for both ways.
constexpr std::array counts{
    std::pair{"units_known", &Progress::units_known},   std::pair{"units_done", &Progress::units_done},
    std::pair{"units_failed", &Progress::units_failed}, std::pair{"units_resumed", &Progress::units_resumed},
    std::pair{"attempts", &Progress::attempts},         std::pair{"units_held", &Progress::units_held},
    std::pair{"units_own", &Progress::units_own},       std::pair{"convicted", &Progress::convicted},
};
constexpr std::array small_counts{std::pair{"donors", &Progress::donors}, std::pair{"copies_in_reach", &Progress::copies_in_reach}};
constexpr std::array measures{
    std::pair{"units_per_second", &Progress::units_per_second},
    std::pair{"unit_seconds", &Progress::unit_seconds},
    std::pair{"confidence", &Progress::confidence},
};
constexpr std::string_view expected_name = "units_expected";

/// The number, or what was there before where it is none.
template <class Number>
Number read_number(std::string_view text, Number before) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : before;
}

std::string measure_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", number);
  return text;
}

/// A program that was killed leaves its socket. It goes only with the lock that its owner would hold.
void remove_stale(const std::string& data_dir, const std::string& program) {
  const auto dir = store::DataDir::open(data_dir);
  if (!dir) return;
  if (const auto lock = dir->lock(program)) ::unlink(dir->file(control_name_of(program)).c_str());
}

/// The answer of whichever program says yes; an error where one that should know cannot be asked.
Result<std::optional<std::string>> ask_all(const std::string& data_dir, const worker::ControlRequest& request) {
  std::optional<Error> trouble;
  for (unsigned number = 1; number <= swarms_per_data_dir_max; ++number) {
    const std::string program = number == 1 ? submitter_role : std::string(submitter_role) + "-" + std::to_string(number);
    const worker::Asked asked = worker::ask(data_dir + "/" + control_name_of(program), request);
    if (asked.answer && asked.answer->ok) return std::optional(asked.answer->text);
    if (asked.answer) continue;
    if (asked.why_not == worker::NotAsked::stale) remove_stale(data_dir, program);
    if (asked.why_not == worker::NotAsked::trouble) trouble = Error{asked.reason};
  }
  if (trouble) return *trouble;
  return std::optional<std::string>();
}

}  // namespace

std::string control_name_of(const std::string& program) { return program + ".sock"; }

worker::ControlAnswer answer_for(Session* session, const worker::ControlRequest& asked) {
  if (asked.word != "status" && asked.word != "cancel") return {false, "a submitter does not know the word " + asked.word};
  if (session == nullptr || session->mailbox().finished()) return {false, "that job does not run here"};
  if (asked.word == "status") return {true, text_of(session->progress())};
  session->cancel();
  return {true, {}};
}

std::optional<Progress> ask_progress(const std::string& data_dir, const JobId& job) {
  const auto said = ask_all(data_dir, {"status", job.hex()});
  if (!said || !*said) return std::nullopt;
  return progress_of(**said);
}

Result<bool> ask_to_cancel(const std::string& data_dir, const JobId& job) {
  const auto said = ask_all(data_dir, {"cancel", job.hex()});
  if (!said) return said.error();
  return said->has_value();
}

std::string text_of(const Progress& progress) {
  std::string text;
  const auto add = [&text](std::string_view name, const std::string& number) {
    text += (text.empty() ? "" : " ") + std::string(name) + "=" + number;
  };
  for (const auto& [name, member] : counts) add(name, std::to_string(progress.*member));
  for (const auto& [name, member] : small_counts) add(name, std::to_string(progress.*member));
  for (const auto& [name, member] : measures) add(name, measure_text(progress.*member));
  if (progress.units_expected) add(expected_name, std::to_string(*progress.units_expected));
  return text;
}

Progress progress_of(std::string_view text) {
  Progress progress;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
    const std::size_t equals = field.find('=');
    if (equals == field.npos) continue;
    const std::string_view name = field.substr(0, equals), number = field.substr(equals + 1);
    for (const auto& [known, member] : counts) {
      if (name == known) progress.*member = read_number(number, progress.*member);
    }
    for (const auto& [known, member] : small_counts) {
      if (name == known) progress.*member = read_number(number, progress.*member);
    }
    for (const auto& [known, member] : measures) {
      if (name != known) continue;
      const double read = read_number(number, 0.0);
      if (std::isfinite(read)) progress.*member = read;
    }
    if (name == expected_name) {
      const auto units = read_number(number, std::uint64_t{0});
      if (units > 0) progress.units_expected = units;
    }
  }
  return progress;
}

}  // namespace dugnad::sdk
