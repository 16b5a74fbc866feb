#include "coordinatorless/sim/confirmation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace dugnad::sim {
namespace {

constexpr double normal = 1.96;
constexpr std::uint64_t donors = 50;

/// One point, the same for both.
ConfirmationPoint point_of(std::string job, std::uint64_t units, Tactic tactic, double saboteurs = 0.2) {
  ConfirmationPoint point;
  point.job = std::move(job);
  point.alone.units = units;
  point.alone.donors = donors;
  point.alone.tactic = tactic;
  point.alone.saboteurs = saboteurs;
  SimulationOptions& networked = point.networked;
  networked.peers = donors + 1;
  networked.units = units;
  networked.confidence = point.alone.goal.confidence;
  networked.assume = point.alone.goal.assumed;
  networked.strategy = tactic;
  networked.saboteurs = tactic == Tactic::none ? 0 : saboteurs;
  networked.lie_rate = LiarView{}.rate;
  networked.returns = Conduct::sybil_returns;
  networked.overhear = true;
  return point;
}

}  // namespace

std::vector<ConfirmationPoint> confirmation_points() {
  std::vector<ConfirmationPoint> points;
  for (const Tactic tactic : tactics) points.push_back(point_of("4000 units", 4000, tactic));
  for (const Tactic tactic : {Tactic::none, Tactic::few, Tactic::collude, Tactic::sybil}) {
    points.push_back(point_of("20000 units", 20000, tactic));
    points.back().runs_networked = 4;
  }
  for (const Tactic tactic : {Tactic::none, Tactic::few, Tactic::collude}) {
    ConfirmationPoint point = point_of("4000 units, half of the donors replaced, 10 networks, errors in 1 of 10000", 4000, tactic);
    point.alone.churn = point.networked.churn = 0.5;
    point.alone.groups = point.networked.groups = 10;
    point.alone.hardware_errors = point.networked.hardware_errors = 1e-4;
    points.push_back(point);
  }
  for (const double saboteurs : {0.35, 0.5}) {
    for (const Tactic tactic : {Tactic::single, Tactic::collude}) {
      points.push_back(point_of(saboteurs < 0.5 ? "4000 units, saboteurs 0.35" : "4000 units, saboteurs 0.5", 4000, tactic, saboteurs));
    }
  }
  return points;
}

bool Confirmation::holds() const {
  const PolicyOptions& options = point.alone;
  return troubles.empty() && (wrong - wrong_margin <= 1.0 || options.saboteurs > options.goal.assumed);
}

Confirmation confirm(const ConfirmationPoint& point, std::uint64_t seed) {
  Confirmation confirmation;
  confirmation.point = point;
  PolicyOptions alone = point.alone;
  alone.seed = seed;
  confirmation.alone = measure(alone, point.runs_alone);
  SimulationOptions options = point.networked;
  const double allowed = (1.0 - options.confidence) * static_cast<double>(options.units);
  double squares = 0;
  for (options.seed = seed; options.seed < seed + point.runs_networked; ++options.seed) {
    const SimulationReport report = simulate(options);
    const double wrong = static_cast<double>(report.wrong) / allowed;
    confirmation.overhead += report.overhead;
    confirmation.own += report.own_share;
    confirmation.wrong += wrong;
    squares += wrong * wrong;
    confirmation.honest_convicted += report.erred;
    for (const std::string& trouble : report.troubles) confirmation.troubles.push_back(trouble + "\nreplay: " + command_line(options));
  }
  const auto count = static_cast<double>(point.runs_networked);
  for (double* sum : {&confirmation.overhead, &confirmation.own, &confirmation.wrong}) *sum /= count;
  if (count > 1) {
    const double variance = std::max(0.0, squares / count - confirmation.wrong * confirmation.wrong) / (count - 1);
    confirmation.wrong_margin = normal * std::sqrt(variance);
  }
  return confirmation;
}

std::string confirmation_head() {
  return "| job | strategy | overhead alone | networked | apart | the submitter's part alone | networked | wrong / allowed alone | networked |\n"
         "|---|---|---|---|---|---|---|---|---|\n";
}

std::string confirmation_line(const Confirmation& confirmation) {
  const PolicyRow& alone = confirmation.alone;
  char text[512];
  std::snprintf(text, sizeof text, "| %s | %s | %.3f | %.3f | %+.0f %% | %.3f | %.3f | %.2f ± %.2f | %.2f ± %.2f |\n",
                confirmation.point.job.c_str(), name_of(alone.options.tactic).data(), alone.overhead, confirmation.overhead,
                100 * confirmation.apart(), alone.own, confirmation.own, alone.wrong, alone.wrong_margin, confirmation.wrong,
                confirmation.wrong_margin);
  return text;
}

}  // namespace dugnad::sim
