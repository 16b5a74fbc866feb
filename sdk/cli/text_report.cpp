#include "sdk/cli/text_report.h"

#include <cmath>
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

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", number);
  return text;
}

std::string rounded(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", number);
  return text;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, share < 0.1 ? "%.1f %%" : "%.0f %%", 100 * share);
  return text;
}

}  // namespace

std::string policy_text(const std::optional<Confidence>& confidence, bool has_answer, unsigned copies) {
  if (!confidence) return std::to_string(copies) + (copies == 1 ? " copy" : " copies") + " of each";
  std::string text = "confidence " + number_text(confidence->probability);
  text += has_answer && !confidence->per_unit ? " of the answer" : " of each unit";
  if (confidence->stream) text += ", final block by block";
  return text;
}

void TextReport::say(const std::string& line) {
  line_.erase();
  std::fprintf(stderr, "dugnad: %s\n", harmless(line).c_str());
}

void TextReport::started(const Started& started) {
  task_ = started.task;
  copies_ = started.confidence ? 1 : started.copies;
  std::string text = "job " + brief(started.job) + ": " +
                     (started.source.empty() ? command_line_of(started.task, started.parameters) : started.source) + ", ";
  if (started.units_expected) text += counted(*started.units_expected, "unit") + ", ";
  say(text + policy_text(started.confidence, started.has_answer, started.copies));
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
  } else if (progress.copies_in_reach < copies_ && copies_ > 1) {
    text += " (they disagree; one more is needed)";
  }
  line_.draw(text);
}

void TextReport::outvoted(const std::string& peer, std::uint64_t unit) {
  if (named_.insert(peer).second) say("peer " + brief(peer) + " was outvoted on unit " + std::to_string(unit));
}

void TextReport::convicted(const std::string& peer, std::uint64_t unit, bool branded) {
  const std::string what = "peer " + brief(peer) + " was proven wrong on unit " + std::to_string(unit) + "; what it did and is not final is void";
  if (branded && named_.insert(peer).second) say(what + ", and it gets nothing more");
  else if (erred_.insert(peer).second) say(what);
}

void TextReport::cost_expected(const Cost& cost) {
  checked_ = cost.checked;
  if (cost.checked) return say("expected: 1 attempt a unit, and each result checked here by the task's own check");
  if (cost.units == 0) return say("what it will cost cannot be told, since it is not known how many units there are");
  say("expected: " + rounded(cost.quiet) + " attempts a unit, " + percent(cost.own) + " of the units computed here; " + rounded(cost.attacked) +
      " under the costliest attack known");
}

void TextReport::alone() { say("nobody to compute; waiting for somebody"); }
void TextReport::donors_back() { say("somebody computes again"); }

void TextReport::stewards(unsigned holding, unsigned wanted) {
  say(std::to_string(holding) + " of " + counted(wanted, "steward") + (holding == 1 ? " holds" : " hold") + " the job" +
      (holding >= wanted ? "; this program may leave, and --resume comes back" : ""));
}

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
  for (const auto& [peer, times] : ending.convicted) say("proven wrong: peer " + brief(peer) + ", " + counted(times, "time"));
  for (const auto& [peer, times] : ending.outvoted) say("outvoted: peer " + brief(peer) + ", " + counted(times, "time"));
  if (ending.code != ExitCode::ok) return;
  std::string text = "done: " + counted(ending.progress.units_done, "unit");
  if (ending.progress.units_resumed > 0) text += ", " + std::to_string(ending.progress.units_resumed) + " of them by an earlier run";
  say(text + ", in " + describe(std::chrono::duration_cast<std::chrono::seconds>(ending.took)) + " with " +
      counted(ending.progress.attempts, "attempt"));
  const std::uint64_t computed = ending.progress.units_done - ending.progress.units_resumed;
  if (!ending.confidence || computed == 0) return;
  if (checked_) {
    const auto share = [computed](std::uint64_t count) { return static_cast<double>(count) / static_cast<double>(computed); };
    return say("every result was checked, or computed here; " + rounded(share(ending.progress.attempts)) + " attempts a unit, " +
               percent(share(ending.progress.units_own)) + " of the units computed here");
  }
  say("confidence " + number_text(std::floor(ending.progress.confidence * 1e6) / 1e6) + " reached, " +
      number_text(ending.confidence->probability) + " wanted; " +
      rounded(static_cast<double>(ending.progress.attempts) / static_cast<double>(computed)) + " attempts a unit, " +
      percent(static_cast<double>(ending.progress.units_own) / static_cast<double>(computed)) + " of the units computed here");
}

}  // namespace dugnad::sdk::cli
