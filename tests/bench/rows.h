// The rows. Each sets up what it needs, measures in interleaved pairs, and adds its lines to the report.
#pragma once

#include "tests/bench/report.h"

namespace dugnad::bench {

struct Settings {
  std::size_t pairs = 10;
  bool quick = false;  // small sizes, to see that it works; no figure of it means anything
};

void measure_throughput(const Settings& settings, Report& report);  // a
void measure_efficiency(const Settings& settings, Report& report);  // b
void measure_round_trip(const Settings& settings, Report& report);  // c
void measure_idleness(const Settings& settings, Report& report);    // d
void measure_gossip(const Settings& settings, Report& report);      // e
void measure_cages(const Settings& settings, Report& report);       // f
void measure_certainty(const Settings& settings, Report& report);   // h
void measure_spread(const Settings& settings, Report& report);     // i
void measure_million(const Settings& settings, Report& report);     // j
void measure_journal(const Settings& settings, Report& report);     // k
void measure_guests(const Settings& settings, Report& report);      // g; only where guests can be compiled

}  // namespace dugnad::bench
