#include "sdk/cli/text_report.h"

#include <cstdio>

#include "sdk/cli/task_parameters.h"

namespace dugnad::sdk::cli {
namespace {

std::string counted(std::uint64_t number, const std::string& one) { return std::to_string(number) + " " + one + (number == 1 ? "" : "s"); }

/// Text from a peer may hold anything; a terminal would obey it.
std::string harmless(const std::string& text) {
  std::string shown;
  for (const char c : text) shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return shown;
}

}  // namespace

void TextReport::say(const std::string& line) {
  line_.erase();
  std::fprintf(stderr, "dugnad: %s\n", harmless(line).c_str());
}

void TextReport::started(const Started& started) {
  task_ = started.task;
  copies_ = started.copies;
  std::string text = "job " + brief(started.job) + ": " +
                     (started.source.empty() ? command_line_of(started.task, started.parameters) : started.source) + ", ";
  if (started.units_expected) text += counted(*started.units_expected, "unit") + ", ";
  text += std::to_string(started.copies) + (started.copies == 1 ? " copy" : " copies") + " of each";
  say(text);
}

void TextReport::progress(const Progress& progress) {
  // They are told apart one by one as the units are cut again; the number stands once it stands still.
  if (progress.units_resumed > 0 && progress.units_resumed == resumed_ && !resumed_said_) {
    resumed_said_ = true;
    say(counted(resumed_, "unit") + " known from an earlier run");
  }
  resumed_ = progress.units_resumed;
  std::string text = task_ + "  " + describe(progress);
  if (progress.donors < copies_) {
    text += " (" + std::to_string(copies_) + " needed)";
  } else if (progress.copies_in_reach < copies_) {
    text += " (they disagree; one more is needed)";
  }
  line_.draw(text);
}

void TextReport::outvoted(const std::string& peer, std::uint64_t unit) {
  if (named_.insert(peer).second) say("peer " + brief(peer) + " was outvoted on unit " + std::to_string(unit));
}

void TextReport::alone() { say("nobody to compute; waiting for somebody"); }
void TextReport::donors_back() { say("somebody computes again"); }

void TextReport::unreachable(const std::string& address, const std::string& reason) {
  say("cannot reach " + address + (reason.empty() ? "" : ": " + reason) + "; trying on");
}

void TextReport::trouble(const std::string& line) { say(line); }
void TextReport::interrupting() { say("stopping; a second signal stops at once"); }

void TextReport::unit_failed(std::uint64_t unit, const std::string& name, const std::string& reason) {
  say("unit " + std::to_string(unit) + (name.empty() ? "" : " (" + name + ")") + " failed: " + reason);
}

void TextReport::answer(const std::string& text, const std::string& file) {
  line_.erase();
  if (!file.empty()) say("written: " + file);
  std::printf("%s\n", text.c_str());
}

void TextReport::ended(const Ending& ending) {
  line_.erase();
  for (const auto& [peer, times] : ending.outvoted) say("outvoted: peer " + brief(peer) + ", " + counted(times, "time"));
  if (ending.code != ExitCode::ok) return;
  std::string text = "done: " + counted(ending.progress.units_done, "unit");
  if (ending.progress.units_resumed > 0) text += ", " + std::to_string(ending.progress.units_resumed) + " of them by an earlier run";
  say(text + ", in " + describe(std::chrono::duration_cast<std::chrono::seconds>(ending.took)) + " with " +
      counted(ending.progress.attempts, "attempt"));
}

}  // namespace dugnad::sdk::cli
