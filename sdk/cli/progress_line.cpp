#include "sdk/cli/progress_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace dugnad::sdk::cli {
namespace {

constexpr auto redraw_after = std::chrono::milliseconds(200);
constexpr double days_left_most = 1000;  // beyond, a rate says nothing

bool can_redraw() {
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string printed(const char* format, double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, number);
  return text.data();
}

std::string rate_of(double per_second) {
  if (per_second <= 0) return "";
  if (per_second < 0.1) return "  " + printed("%.1f", per_second * 60) + "/min";
  return "  " + printed(per_second < 100 ? "%.1f" : "%.0f", per_second) + "/s";
}

std::string time_left(const Progress& progress) {
  if (!progress.units_expected || progress.units_per_second <= 0) return "";
  const double units = static_cast<double>(*progress.units_expected) - static_cast<double>(progress.units_done);
  const double seconds = units / progress.units_per_second;
  if (units <= 0 || seconds > days_left_most * 86400) return "";
  return "  " + describe(std::chrono::seconds(std::lround(std::ceil(seconds)))) + " left";
}

}  // namespace

std::string describe(std::chrono::seconds time) {
  const auto all = time.count();
  const auto pair = [](std::int64_t large, const char* unit, std::int64_t small, const char* part) {
    return std::to_string(large) + " " + unit + (small > 0 ? " " + std::to_string(small) + " " + part : "");
  };
  if (all < 60) return std::to_string(all) + " s";
  if (all < 3600) return pair(all / 60, "min", all % 60, "s");
  if (all < 2 * 86400) return pair(all / 3600, "h", all % 3600 / 60, "min");
  return std::to_string(all / 86400) + " days";
}

std::string describe(const Progress& progress) {
  std::string text = std::to_string(progress.units_done);
  if (progress.units_expected) text += "/" + std::to_string(*progress.units_expected);
  text += " units";
  if (progress.units_expected && *progress.units_expected > 0) {
    text += "  " + std::to_string(100 * progress.units_done / *progress.units_expected) + " %";
  }
  text += rate_of(progress.units_per_second) + time_left(progress);
  text += "  " + std::to_string(progress.donors) + (progress.donors == 1 ? " donor" : " donors");
  const std::uint64_t computed = progress.units_done - progress.units_resumed;
  if (computed > 0)
    text += "  " + printed("%.1f", static_cast<double>(progress.attempts) / static_cast<double>(computed)) + " attempts/unit";
  return text;
}

ProgressLine::ProgressLine() : terminal_(can_redraw()) {}

void ProgressLine::draw(const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || (drawn_at_ != decltype(drawn_at_){} && now < drawn_at_ + redraw_after)) return;
  // A line as wide as the terminal would wrap, and then not be erased whole.
  std::fprintf(stderr, "\r%s\033[K", text.substr(0, columns() - 1).c_str());
  std::fflush(stderr);
  drawn_ = true;
  drawn_at_ = now;
}

void ProgressLine::erase() {
  if (!drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
  drawn_at_ = {};
}

}  // namespace dugnad::sdk::cli
