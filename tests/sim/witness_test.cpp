// What watches must itself be watched: each invariant is broken on purpose here, and the witness has to say so.
#include <doctest/doctest.h>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/identity.h"
#include "coordinatorless/sim/conduct.h"
#include "coordinatorless/sim/witness.h"
#include "coordinatorless/sim/work.h"

using namespace dugnad;
using namespace dugnad::sim;

namespace {

/// A submitter of three units, two copies each, played by hand.
struct Stage {
  Stage() { witness.watch(job); }

  void lease(const PeerId& donor, std::uint64_t unit, std::uint64_t lease) {
    witness.sent(donor, core::encode(core::Lease{job.id(), {lease}, std::chrono::seconds(10), {{{unit}, input_of({unit})}}}));
  }
  void result(const PeerId& donor, std::uint64_t unit, std::uint64_t lease) { result(donor, unit, lease, honest_output(input_of({unit}))); }
  void result(const PeerId& donor, std::uint64_t unit, std::uint64_t lease, const Value& output) {
    core::Results results;
    results.job = job.id();
    results.results = {{{lease}, {unit}, Outcome::ok, output}};
    witness.received(donor, core::encode(results));
  }
  void accept(std::uint64_t unit) { accept(unit, honest_output(input_of({unit}))); }
  void accept(std::uint64_t unit, const Value& output) {
    witness.delivered({job.id(), {{{unit}, input_tag_of(input_of({unit})), Outcome::ok, output}}, {}});
  }
  [[nodiscard]] std::string said() const { return witness.violations().empty() ? "" : witness.violations().front(); }

  EventQueue queue;
  KeyRegistry keys;
  SimCrypto owner{keys, {{1}, {2}}};
  Submission job{core::swarm_id("test"), {3, std::chrono::seconds(1), 2}, owner, Hash{{3}}, WallTime{}};
  Witness witness{queue};
};

const PeerId ann{{1}}, bob{{2}};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("two donors that held the unit and agree are enough") {
  Stage stage;
  stage.lease(ann, 0, 10);
  stage.lease(bob, 0, 11);
  stage.result(ann, 0, 10);
  stage.result(bob, 0, 11);
  stage.accept(0);
  CHECK(stage.said().empty());
  CHECK(stage.job.accepted() == 1);
  CHECK(stage.job.wrong() == 0);
}

TEST_CASE("two results of one donor are one") {
  Stage stage;
  stage.lease(ann, 0, 10);
  stage.lease(ann, 0, 11);
  stage.result(ann, 0, 10);
  stage.result(ann, 0, 11);
  stage.accept(0);
  CHECK(contains(stage.said(), "unit 0 was accepted on the word of 1 donors"));
}

TEST_CASE("a result from who did not hold the lease is none") {
  Stage stage;
  stage.lease(ann, 0, 10);
  stage.lease(ann, 1, 12);
  stage.result(ann, 0, 10);
  stage.result(bob, 0, 10);  // ann's lease
  stage.result(bob, 0, 99);  // nobody's
  stage.accept(0);
  CHECK(contains(stage.said(), "on the word of 1 donors"));
}

TEST_CASE("a lease of before the submitter's restart counts where it is on disk, what was returned under it before does anyhow") {
  for (const bool on_disk : {false, true}) {
    Stage stage;
    stage.lease(ann, 0, 10);
    stage.lease(bob, 0, 11);
    stage.result(ann, 0, 10);
    stage.witness.restarted(stage.job.id(), on_disk ? std::set<LeaseId>{{11}} : std::set<LeaseId>{});
    stage.result(bob, 0, 11);
    stage.accept(0);
    CHECK(stage.said().empty() == on_disk);
  }
}

TEST_CASE("an attempt of the submitter's own does not outlast its restart") {
  Stage stage;
  stage.lease(ann, 0, 10);
  stage.witness.started(bob, {{{.attempt = {1}, .job = stage.job.id(), .input = input_of({0})}}});
  stage.result(ann, 0, 10);
  stage.witness.restarted(stage.job.id(), {});
  stage.witness.finished(bob, {{{1}, Outcome::ok, honest_output(input_of({0})), {}}});
  stage.accept(0);
  CHECK(contains(stage.said(), "on the word of 1 donors"));
}

TEST_CASE("two donors that disagree are no agreement") {
  Stage stage;
  stage.lease(ann, 0, 10);
  stage.lease(bob, 0, 11);
  stage.result(ann, 0, 10);
  stage.result(bob, 0, 11, to_bytes("a lie"));
  stage.accept(0);
  CHECK(contains(stage.said(), "on the word of 1 donors"));
}

TEST_CASE("a unit delivered twice, unknown, or with another's tag is noticed") {
  Stage twice;
  for (int time = 0; time < 2; ++time) {
    twice.lease(ann, 0, 10);
    twice.lease(bob, 0, 11);
    twice.result(ann, 0, 10);
    twice.result(bob, 0, 11);
    twice.accept(0);
  }
  CHECK(contains(twice.said(), "unit 0 was leased after it was final"));
  CHECK(contains(twice.witness.violations().back(), "unit 0 was delivered twice"));

  Stage stage;
  CHECK(contains(stage.job.accept({{3}, 0, Outcome::ok, {}}).value_or(""), "never appended"));
  CHECK(contains(stage.job.accept({{2}, 0, Outcome::ok, {}}).value_or(""), "input tag"));
}

TEST_CASE("a job that ends before its last unit, or twice, is noticed") {
  Stage stage;
  stage.witness.ended({stage.job.id(), JobState::done, {}});
  CHECK(contains(stage.said(), "3 units neither accepted nor failed"));
  CHECK(contains(stage.job.end(JobState::done).value_or(""), "ended twice"));
}

TEST_CASE("what is accepted and wrong is counted") {
  Stage stage;
  for (const PeerId& donor : {ann, bob}) {
    stage.lease(donor, 0, 10);
    stage.result(donor, 0, 10, to_bytes("the same lie"));
  }
  stage.accept(0, to_bytes("the same lie"));
  CHECK(stage.said().empty());
  CHECK(stage.job.wrong() == 1);
}
