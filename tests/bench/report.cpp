#include "tests/bench/report.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace dugnad::bench {
namespace {

using Cells = std::array<std::string, 9>;

const Cells headings = {"row", "measurement", "ours", "+-", "beside", "theirs", "ratio", "goal", ""};

/// Three figures that mean something, and none of 12345678's that do not.
std::string figure(double value) {
  char text[32];
  const double size = std::fabs(value);
  const int decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string text_of(const Goal& goal) {
  switch (goal.kind) {
    case Goal::Kind::at_least: return ">= " + figure(goal.bound);
    case Goal::Kind::at_most: return "<= " + figure(goal.bound);
    case Goal::Kind::ratio_at_least: return "ratio >= " + figure(goal.bound);
  }
  return {};
}

std::string verdict(const Measurement& what) {
  const auto met = what.met();
  return !met ? "" : *met ? "met" : "MISSED";
}

std::string percent(double share) { return figure(share * 100) + " %"; }

Cells cells_of(const Measurement& what) {
  Cells cells = {what.row, what.name, figure(median(what.ours)) + " " + what.unit, percent(spread(what.ours))};
  if (!what.beside.empty()) {
    cells[4] = what.beside;
    cells[5] = figure(median(what.theirs)) + " " + what.unit;
    if (const auto ratio = what.ratio()) cells[6] = figure(*ratio);
  }
  if (what.goal) cells[7] = text_of(*what.goal);
  cells[8] = verdict(what);
  return cells;
}

}  // namespace

std::optional<double> Measurement::ratio() const {
  Samples ratios;
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    if (ours[i] > 0 && theirs[i] > 0) ratios.push_back(less_is_better ? theirs[i] / ours[i] : ours[i] / theirs[i]);
  }
  if (ratios.empty()) return std::nullopt;
  return median(ratios);
}

std::optional<bool> Measurement::met() const {
  if (!goal || ours.empty()) return std::nullopt;
  switch (goal->kind) {
    case Goal::Kind::at_least: return median(ours) >= goal->bound;
    case Goal::Kind::at_most: return median(ours) <= goal->bound;
    case Goal::Kind::ratio_at_least: return ratio().value_or(0) >= goal->bound;
  }
  return std::nullopt;
}

void Report::add(Measurement what) {
  std::cerr << what.row << "  " << what.name << ": " << figure(median(what.ours)) << " " << what.unit;
  if (!what.beside.empty()) std::cerr << ", " << what.beside << ": " << figure(median(what.theirs));
  if (what.goal) std::cerr << ", goal " << text_of(*what.goal) << " " << verdict(what);
  std::cerr << std::endl;
  measurements_.push_back(std::move(what));
}

void Report::print_table(std::ostream& out) const {
  std::vector<Cells> lines = {headings};
  for (const Measurement& what : measurements_) lines.push_back(cells_of(what));
  std::array<std::size_t, std::tuple_size_v<Cells>> widths{};
  for (const Cells& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  for (const Cells& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const bool number = i == 2 || i == 3 || i == 5 || i == 6;  // figures end alike, words begin alike
      const std::string padding(widths[i] - line[i].size(), ' ');
      text += (number ? padding + line[i] : line[i] + padding) + "  ";
    }
    out << text.substr(0, text.find_last_not_of(' ') + 1) << "\n";
  }
  out << "ours, theirs: medians; +-: half of what the middle half spans; ratio: median over the pairs, above 1 where we do better\n";
}

std::string Report::json() const {
  auto rows = nlohmann::ordered_json::array();
  for (const Measurement& what : measurements_) {
    nlohmann::ordered_json row = {
        {"row", what.row},     {"name", what.name}, {"unit", what.unit}, {"median", median(what.ours)}, {"spread", spread(what.ours)},
        {"samples", what.ours}};
    if (!what.beside.empty())
      row["beside"] = {{"name", what.beside}, {"median", median(what.theirs)}, {"spread", spread(what.theirs)}, {"samples", what.theirs}};
    if (const auto ratio = what.ratio()) row["ratio"] = *ratio;
    if (what.goal) row["goal"] = text_of(*what.goal);
    if (const auto met = what.met()) row["met"] = *met;
    rows.push_back(std::move(row));
  }
  return rows.dump(2);
}

}  // namespace dugnad::bench
