// A steward, its job's submitter and a fellow, of whom the test plays the others.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/stewardship.h"
#include "tests/core/stewarded_job.h"

namespace dugnad::core::test {

inline constexpr std::uint64_t steward_bench_room = 64 << 20;

struct StewardBench {
  StewardedJob job;
  Identity me{50, far_away(90)};
  Identity fellow{51, far_away(91)};
  BlobWants blobs{me.self.id};
  Stewardship stewardship;
  Output out;
  Now now = start_of_time();

  explicit StewardBench(std::uint64_t bytes = steward_bench_room) : stewardship(me.self, blobs, bytes) {}

  const PeerId& submitter() const { return job.submitter.self.id; }
  std::optional<Charge> entrust(std::uint64_t epoch, const std::vector<PeerId>& peers) {
    return stewardship.on(peers.front(), Entrust{job.signed_manifest(), job.delegation(epoch, peers)}, now, out);
  }
  /// As it comes about: asked first, then delegated; `before_me` stand before this peer among the stewards.
  void hold(const std::vector<PeerId>& before_me = {}) {
    stewardship.connected(submitter(), now, out);
    CHECK_FALSE(entrust(1, {submitter()}));
    std::vector<PeerId> peers{submitter()};
    peers.insert(peers.end(), before_me.begin(), before_me.end());
    peers.push_back(me.self.id);
    CHECK_FALSE(entrust(2, peers));
    REQUIRE(stewardship.holds(job.id()));
    out = {};
  }
  std::optional<Charge> tell(const PeerId& from, std::vector<RecordEntry> entries, std::uint64_t at = 0) {
    return stewardship.on(from, Record{job.id(), 900, at, at + entries.size(), false, std::move(entries)}, now, out);
  }
  /// Entries of the record that the submitter is told when it asks for all of them.
  std::size_t told_to_submitter() {
    out = {};
    CHECK_FALSE(stewardship.on(submitter(), Follow{job.id(), 0, 0, false, true, {}}, out));
    const auto records = take<Record>(out);
    REQUIRE(records.size() == 1);
    return records[0].second.entries.size();
  }
  void pass(Duration by) {
    now = later(now, by);
    if (stewardship.next_deadline() <= now.boot) stewardship.tick(now, out);
  }
  KnownJob news(const Identity& from, std::uint64_t epoch, std::vector<PeerId> peers, bool closed = false) const {
    KnownJob known;
    known.job = job.id();
    known.manifest = job.manifest;
    known.submitter = from.self.id;
    known.delegation = job.delegation(epoch, peers);
    known.delegated = {job.id(), epoch, std::move(peers)};
    known.mandate = mandate_of(from.self.id, known.delegated);
    known.closed = closed;
    return known;
  }
  [[nodiscard]] bool leads() const { return stewardship.leads(job.id()); }
};

}  // namespace dugnad::core::test
