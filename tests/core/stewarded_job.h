// A job with stewards, for tests: its owner's words, and donors' signed results, each of which a test can spoil.
#pragma once

#include <deque>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/assignment.h"
#include "coordinatorless/core/record_check.h"
#include "tests/core/announcements.h"

namespace dugnad::core::test {

struct StewardedJob {
  Identity owner{1};
  Identity submitter{2};
  std::deque<Identity> donors;
  Manifest manifest;
  Hash secret;

  explicit StewardedJob(std::size_t donor_count = 4, unsigned copies = 2) {
    submitter.self.owner = owner.crypto.get();
    secret = assignment_secret(*owner.crypto, swarm, {});
    manifest.owner = owner.crypto->public_key();
    manifest.task = "test";
    manifest.copies = copies;
    manifest.unit_limit = std::chrono::seconds(60);
    manifest.stewarded = commitment_to(secret);
    for (std::size_t i = 0; i < donor_count; ++i) donors.emplace_back(100 + i, far_away(static_cast<unsigned>(i)));
  }

  [[nodiscard]] JobId id() const { return JobId{hash_of(encode(manifest)).bytes}; }
  [[nodiscard]] Signed signed_manifest() const { return owner.sign(Domain::manifest, encode(manifest)); }
  [[nodiscard]] Signed delegation(std::uint64_t epoch, std::vector<PeerId> peers) const {
    return owner.sign(Domain::delegation, encode(Delegation{id(), epoch, std::move(peers)}));
  }

  [[nodiscard]] Deed deed(std::uint64_t version = 1) const {
    std::vector<DeedDonor> all;
    for (const Identity& donor : donors) all.push_back({donor.self.id, donor.self.endpoint});
    return make_deed(secret, version, std::move(all));
  }
  [[nodiscard]] static Bytes input(std::uint64_t unit) {
    return {static_cast<std::uint8_t>(unit), static_cast<std::uint8_t>(unit >> 8), 7};
  }

  // --- What the owner says ---
  [[nodiscard]] OwnersWord word() const { return {.job = id(), .units = {}, .finals = {}, .collected = {}, .deed = {}, .recipe = {}}; }
  [[nodiscard]] OwnersWord units(std::uint64_t first, std::uint64_t count) const {
    OwnersWord said = word();
    for (std::uint64_t unit = first; unit < first + count; ++unit) said.units.push_back({{unit}, input(unit)});
    return said;
  }
  [[nodiscard]] OwnersWord finals(std::uint64_t first, std::uint64_t count) const {
    OwnersWord said = word();
    for (std::uint64_t unit = first; unit < first + count; ++unit) said.finals.push_back({{unit}, 1, Outcome::ok, Bytes{9}});
    return said;
  }
  [[nodiscard]] OwnersWord says(const Deed& deed) const {
    OwnersWord said = word();
    said.deed = deed;
    return said;
  }
  [[nodiscard]] RecordEntry entry(const OwnersWord& said) const { return entry_of(said, submitter.self); }

  // --- What donors return ---
  [[nodiscard]] Results results(const Identity& donor, const std::vector<std::uint64_t>& of, LeaseId lease = {5},
                                bool right_inputs = true) const {
    Results all{id(), {}, {}, {}};
    InputDigests digests;
    for (const std::uint64_t unit : of) {
      all.results.push_back({lease, {unit}, Outcome::ok, Bytes{42, static_cast<std::uint8_t>(unit)}});
      const auto digest = input_digest(input(right_inputs ? unit : unit + 1));
      digests.digests.insert(digests.digests.end(), digest.begin(), digest.end());
    }
    all.inputs = std::move(digests);
    sign(all, donor);
    return all;
  }
  static void sign(Results& results, const Identity& donor) {
    results.signature = donor.self.sign(Domain::results, results_root(results).view());
  }
  [[nodiscard]] RecordEntry entry(const Identity& donor, const Results& results) const {
    return entry_of(donor.crypto->public_key(), results);
  }

  /// Donors of a unit, in order, and somebody who is none.
  [[nodiscard]] const Identity& assigned(std::uint64_t unit, std::size_t place = 0) const {
    return donors[Assignment(deed()).donors_of({unit}, donors_wanted(manifest))[place]];
  }
  [[nodiscard]] const Identity& not_assigned(std::uint64_t unit) const {
    const Assignment assignment(deed());
    for (const Identity& donor : donors) {
      if (!assignment.assigns({unit}, donor.self.id, donors_wanted(manifest))) return donor;
    }
    return submitter;
  }
};

}  // namespace dugnad::core::test
