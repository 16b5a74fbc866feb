// A Donor with its submitters and its executor played by the test.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/donor.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core::test {

template <class Tag>
Id<Tag> named(std::uint8_t name) {
  Id<Tag> id;
  id.bytes[0] = name;
  return id;
}
inline PeerId peer(std::uint8_t name) { return named<PeerTag>(name); }
inline JobId job(std::uint8_t name) { return named<JobTag>(name); }

inline constexpr std::uint64_t donor_blob_room = 1 << 20;

struct DonorBench {
  std::unique_ptr<Crypto> crypto = make_sodium({});
  Generator generator = Generator::from_seed(5);
  Self self{.id = peer(99), .swarm = {}, .endpoint = {}, .donates = true, .crypto = crypto.get(), .generator = &generator};
  Now now{BootTime{} + std::chrono::seconds(1000), WallTime{}};
  BlobWants blobs{self.id};
  FavourAccounts accounts{{}, named<PublicKeyTag>(50)};
  Journal journal;
  Donor donor;
  Output out;

  std::vector<AttemptToStart> running;           // in the executor
  std::vector<FetchBlob> fetches;
  std::vector<BlobId> released;
  std::vector<AttemptId> cancelled;
  std::map<PeerId, std::vector<Message>> said;   // to each submitter

  explicit DonorBench(unsigned slots = 1, bool donates = true, CodePolicy code = {.modules = true, .any = true})
      : donor(self, blobs, accounts, journal, {{"test", 1}}, std::move(code), slots, donor_blob_room) {
    self.donates = donates;
  }

  bool serve(const JobId& id, const PeerId& submitter, std::uint8_t owner = 1, std::optional<BlobId> module = {}) {
    Manifest manifest;
    manifest.owner = named<PublicKeyTag>(owner);
    manifest.task = module ? "guest" : "test";
    manifest.unit_limit = std::chrono::seconds(60);
    manifest.module = module;
    manifest.memory_bytes = 1 << 20;
    manifest.fuel = module ? 5 : 0;
    if (!donor.learn(id, manifest, submitter, now, out)) return false;
    blobs.connected(submitter, now, out);
    donor.connected(submitter, now, out);
    settle();
    return true;
  }

  void fetched(const BlobId& blob) {
    blobs.fetched(blob);
    settle();
  }
  void not_fetched(const BlobId& blob, const PeerId& from) {
    blobs.failed({blob, from, "gone"}, now, out);
    settle();
  }

  void lease(const JobId& id, const PeerId& from, std::uint64_t first, std::uint64_t count, Duration valid = std::chrono::seconds(100)) {
    Lease lease{id, LeaseId{first + 1}, valid, {}};
    for (std::uint64_t i = first; i < first + count; ++i) lease.units.push_back({{i}, Bytes(8)});
    donor.on_lease(from, std::move(lease), now, out);
    settle();
  }

  /// The executor finishes its `count` oldest attempts, each after `cpu`.
  void finish(std::size_t count, Duration cpu, Bytes output = to_bytes("out")) {
    std::vector<FinishedAttempt> finished;
    for (std::size_t i = 0; i < count && !running.empty(); ++i) {
      finished.push_back({running.front().attempt, Outcome::ok, output, cpu});
      running.erase(running.begin());
    }
    now.boot += cpu;
    donor.on_finished(std::move(finished), now, out);
    settle();
  }

  void pass(Duration time) {
    now.boot += time;
    blobs.tick(now, out);
    donor.tick(now, out);
    settle();
  }

  template <class What>
  std::vector<What> heard(const PeerId& submitter) {
    std::vector<What> all;
    for (const Message& message : said[submitter]) {
      if (const auto* what = std::get_if<What>(&message)) all.push_back(*what);
    }
    std::erase_if(said[submitter], [](const Message& message) { return std::holds_alternative<What>(message); });
    return all;
  }

  std::size_t results_heard(const PeerId& submitter) {
    std::size_t count = 0;
    for (const Results& results : heard<Results>(submitter)) count += results.results.size();
    return count;
  }

  void settle() {
    for (const BlobWants::News& news : blobs.take_news()) donor.on_blob(news, now, out);
    for (Addressed& addressed : std::exchange(out.messages, {})) {
      CHECK_NOTHROW((void)encode(addressed.message));
      said[addressed.to].push_back(std::move(addressed.message));
    }
    for (Effect& effect : std::exchange(out.effects, {})) {
      if (auto* start = std::get_if<StartAttempts>(&effect)) {
        for (AttemptToStart& attempt : start->attempts) running.push_back(std::move(attempt));
      } else if (auto* cancel = std::get_if<CancelAttempts>(&effect)) {
        cancelled.insert(cancelled.end(), cancel->attempts.begin(), cancel->attempts.end());
      } else if (auto* fetch = std::get_if<FetchBlob>(&effect)) {
        fetches.push_back(*fetch);
      } else if (auto* release = std::get_if<ReleaseBlob>(&effect)) {
        released.push_back(release->blob);
      }
    }
  }
};

}  // namespace dugnad::core::test
