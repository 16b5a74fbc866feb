// (j) What a job of a million small units costs its submitter: time from its start until the first result is there, on a new job and on one that
// died half way, and by confidence near its end too, where most is to be read; memory; bytes on disk.
#include <filesystem>

#include "tests/bench/rows.h"
#include "tests/bench/swarm.h"

namespace dugnad::bench {
namespace {

constexpr double mega = 1e6;

struct Ran {
  double open = 0, rate = 0, peak = 0;
};

Ran run(const Workers& workers, const std::string& directory, std::uint64_t units, unsigned copies, std::uint64_t stop_at) {
  Child submitter("bench_million", {workers.contacts().front(), workers.swarm(), directory, std::to_string(units), std::to_string(copies),
                                    std::to_string(stop_at)});
  const auto number = [&submitter](const std::string& name) {
    const std::string line = submitter.read_line();
    if (!line.starts_with(name + " ")) give_up("bench_million says " + line);
    return std::stod(line.substr(name.size() + 1));
  };
  Ran ran;
  ran.open = number("open");
  ran.rate = number("rate");
  ran.peak = number("peak");
  return ran;
}

double bytes_on_disk(const std::string& directory) {
  double bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    if (file.is_regular_file()) bytes += static_cast<double>(file.file_size());
  }
  return bytes;
}

void measure_a_million(const Settings& settings, Report& report, unsigned copies) {
  const std::uint64_t units = settings.quick ? 20'000 : 1'000'000;
  const std::string suffix = copies == 0 ? ", 0.999 a unit" : ", copies " + std::to_string(copies);
  const Workers workers(2);
  const bool near_the_end = copies == 0 && !settings.quick;
  Samples opens, resumes, rate, memory, memory_again, disk, a_unit, resumes_late, memory_late;
  for (std::size_t run_number = 0; run_number < std::min<std::size_t>(settings.pairs, 3); ++run_number) {
    const TemporaryDirectory directory;
    const Ran first = run(workers, directory.path(), units, copies, units / 2),
              second = run(workers, directory.path(), units, copies, units);
    opens.push_back(first.open);
    resumes.push_back(second.open);
    rate.push_back(first.rate);
    memory.push_back(first.peak / mega);
    memory_again.push_back(second.peak / mega);
    const double bytes = bytes_on_disk(directory.path());
    disk.push_back(bytes / mega);
    a_unit.push_back(bytes / static_cast<double>(units));
    if (!near_the_end) continue;
    const TemporaryDirectory another;
    (void)run(workers, another.path(), units, copies, units / 10 * 9);
    const Ran late = run(workers, another.path(), units, copies, units);
    resumes_late.push_back(late.open);
    memory_late.push_back(late.peak / mega);
  }
  const auto add = [&](const std::string& name, const char* unit, const Samples& samples, std::optional<Goal> goal) {
    report.add({.row = "j", .name = name + suffix, .unit = unit, .ours = samples, .less_is_better = true, .goal = goal});
  };
  const auto at_most = [](double bound) { return Goal{Goal::Kind::at_most, bound}; };
  add("a million units: first result", "s", opens, at_most(2));
  add("  resumed half way: first result", "s", resumes, at_most(2));
  add("  the submitter's memory", "MB", memory, at_most(300));
  add("  the same, resumed half way", "MB", memory_again, at_most(300));
  if (near_the_end) {
    add("  resumed at nine tenths: first result", "s", resumes_late, at_most(2));
    add("  the submitter's memory, resumed at nine tenths", "MB", memory_late, at_most(300));
  }
  add("  on disk", "MB", disk, at_most(500));
  add("  bytes on disk a unit", "B", a_unit, {});
  report.add({.row = "j", .name = "  units a second, by copies: accepted" + suffix, .unit = "/s", .ours = rate});
}

}  // namespace

void measure_million(const Settings& settings, Report& report) {
  for (const unsigned copies : {1U, 2U, 0U}) measure_a_million(settings, report, copies);
}

}  // namespace dugnad::bench
