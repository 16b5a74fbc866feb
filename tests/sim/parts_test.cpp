// The simulated keys, disk, executor and saboteurs, each alone.
#include <doctest/doctest.h>

#include "coordinatorless/sim/crypto.h"
#include "coordinatorless/sim/executor.h"
#include "coordinatorless/sim/journal.h"
#include "coordinatorless/sim/work.h"

using namespace dugnad;
using namespace dugnad::sim;
using namespace std::chrono_literals;

namespace {

void run_all(EventQueue& queue) {
  while (queue.next()) queue.step();
}

Executor::Work work(std::uint64_t id, Duration cost, Duration limit = 0s) {
  core::AttemptToStart attempt;
  attempt.attempt = {id};
  attempt.input = input_of({id});
  attempt.limit = limit;
  return {attempt, cost, 0};
}

}  // namespace

TEST_CASE("a simulated signature holds for its key, its message and nothing else") {
  KeyRegistry keys;
  SimCrypto ann(keys, {{1}, {2}}), bob(keys, {{3}, {4}});
  const Bytes message = to_bytes("message");
  const Signature signature = ann.sign(message);
  CHECK(bob.verify(ann.public_key(), message, signature));
  CHECK_FALSE(bob.verify(bob.public_key(), message, signature));
  CHECK_FALSE(bob.verify(ann.public_key(), to_bytes("massage"), signature));
  CHECK_FALSE(bob.verify(PublicKey{}, message, signature));
  Signature changed = signature;
  changed[40] ^= 1;
  CHECK_FALSE(bob.verify(ann.public_key(), message, changed));
  CHECK(SimCrypto(keys, {{1}, {2}}).public_key() == ann.public_key());
}

TEST_CASE("a simulated box opens for its receiver alone, once unchanged") {
  KeyRegistry keys;
  SimCrypto ann(keys, {{1}, {2}}), bob(keys, {{3}, {4}}), eve(keys, {{5}, {6}});
  const std::array<std::uint8_t, 24> nonce{7}, other{8};
  const Bytes plain = to_bytes("a frame of more than eight bytes");
  const Bytes sealed = ann.seal(bob.curve_key(), nonce, plain);
  CHECK(bob.open(ann.curve_key(), nonce, sealed) == plain);
  CHECK_FALSE(eve.open(ann.curve_key(), nonce, sealed));
  CHECK_FALSE(bob.open(eve.curve_key(), nonce, sealed));
  CHECK_FALSE(bob.open(ann.curve_key(), other, sealed));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 1;
    CHECK_FALSE(bob.open(ann.curve_key(), nonce, changed));
  }
  CHECK(to_text(sealed).find("frame") == std::string::npos);
}

TEST_CASE("a crash loses the rows that were not on disk yet, and those alone; of a commit under way all or nothing") {
  EventQueue queue;
  std::vector<std::uint64_t> committed;
  std::vector<std::string> troubles;
  Journal journal(
      queue, Generator::from_seed(1), [&](PersistSeq seq) { committed.push_back(seq.value); },
      [&](const std::string& trouble) { troubles.push_back(trouble); });
  const JobId job{{1}};
  journal.write({1}, {AcceptedRow{job, {{{0}, 0, Outcome::ok, {}}}}});
  journal.write({2}, {AcceptedRow{job, {{{1}, 0, Outcome::ok, {}}}}});
  run_all(queue);
  CHECK(committed == std::vector<std::uint64_t>{1, 2});
  std::size_t whole = 0, lost = 0;
  for (std::uint64_t unit = 2; unit < 42; unit += 2) {
    const std::size_t before = journal.find(job)->accepted.size();
    journal.write({unit}, {AcceptedRow{job, {{{unit}, 0, Outcome::ok, {}}}}});          // under way
    journal.write({unit + 1}, {AcceptedRow{job, {{{unit + 1}, 0, Outcome::ok, {}}}}});  // and not begun
    journal.crash();
    run_all(queue);
    const std::size_t more = journal.find(job)->accepted.size() - before;
    REQUIRE(more <= 1);
    ++(more == 1 ? whole : lost);
    CHECK_FALSE(journal.find(job)->accepted.contains({unit + 1}));
  }
  CHECK(whole > 0);
  CHECK(lost > 0);
  CHECK(committed.size() == 2);
  CHECK(troubles.empty());
  journal.write({1}, {AcceptedRow{job, {{{1}, 0, Outcome::ok, {}}}}});
  run_all(queue);
  REQUIRE(troubles.size() == 1);
  CHECK(troubles[0] == "unit 1 is accepted twice in the journal");
}

TEST_CASE("an executor runs as many attempts at once as it has slots, at its speed") {
  EventQueue queue;
  Gang gang;
  Conduct honest(gang, Strategy::honest, Generator::from_seed(1));
  std::vector<std::pair<std::uint64_t, VirtualTime>> done;
  Executor executor(queue, honest, 2, 2.0, [&](std::vector<FinishedAttempt> attempts) {
    for (const auto& attempt : attempts) {
      CHECK(attempt.output == honest_output(input_of({attempt.attempt.value})));
      done.emplace_back(attempt.attempt.value, queue.now());
    }
  });
  executor.start({work(1, 2s), work(2, 2s), work(3, 2s)});
  CHECK(executor.active() == 3);
  run_all(queue);
  REQUIRE(done.size() == 3);
  CHECK(done[0].second >= 1s);
  CHECK(done[1].second < 1010ms);
  CHECK(done[2] == std::pair<std::uint64_t, VirtualTime>{3, 2s});
  CHECK(executor.spent() == 6s);
}

TEST_CASE("an attempt over its limit is the donor's fault; a cancelled one is reported as such") {
  EventQueue queue;
  Gang gang;
  Conduct honest(gang, Strategy::honest, Generator::from_seed(1));
  std::map<std::uint64_t, Outcome> done;
  VirtualTime last{};
  Executor executor(queue, honest, 1, 1.0, [&](std::vector<FinishedAttempt> attempts) {
    for (const auto& attempt : attempts) done[attempt.attempt.value] = attempt.outcome;
    last = queue.now();
  });
  executor.start({work(1, 10s, 3s), work(2, 10s), work(3, 10s)});
  queue.at(4s, [&] { executor.cancel({{2}, {3}}); });
  run_all(queue);
  CHECK(done == std::map<std::uint64_t, Outcome>{{1, Outcome::donor_fault}, {2, Outcome::cancelled}, {3, Outcome::cancelled}});
  CHECK(last < 5s);
  CHECK(executor.spent() == 4s);
}

TEST_CASE("an executor stands still while its machine sleeps") {
  EventQueue queue;
  Gang gang;
  Conduct honest(gang, Strategy::honest, Generator::from_seed(1));
  VirtualTime done{};
  Executor executor(queue, honest, 1, 1.0, [&](const std::vector<FinishedAttempt>&) { done = queue.now(); });
  executor.start({work(1, 10s)});
  queue.at(4s, [&] { executor.suspend(); });
  queue.at(100s, [&] { executor.resume(); });
  run_all(queue);
  CHECK(done == 106s);
}

TEST_CASE("a silent donor never answers, and still sees that it is cancelled") {
  EventQueue queue;
  Gang gang;
  Conduct silent(gang, Strategy::silent, Generator::from_seed(1));
  std::vector<FinishedAttempt> done;
  Executor executor(queue, silent, 1, 1.0, [&](std::vector<FinishedAttempt> attempts) { done = std::move(attempts); });
  executor.start({work(1, 1s)});
  queue.at(1h, [&] {
    CHECK(done.empty());
    executor.cancel({{1}});
  });
  run_all(queue);
  REQUIRE(done.size() == 1);
  CHECK(done[0].outcome == Outcome::cancelled);
}

TEST_CASE("liars lie as they are said to") {
  const auto lies = [&](Strategy strategy, std::uint64_t results, double hardware_errors = 0) {
    Gang gang;
    Conduct conduct(gang, strategy, Generator::from_seed(1), hardware_errors);
    conduct.take_name(PeerId{{1}}, 1);
    int wrong = 0;
    for (std::uint64_t i = 0; i < results; ++i) {
      const Value input = input_of({i});
      wrong += conduct.output_of({}, input) == honest_output(input) ? 0 : 1;
    }
    return wrong;
  };
  CHECK(lies(Strategy::honest, 100) == 0);
  CHECK(lies(Strategy::always, 100) == 100);
  CHECK(lies(Strategy::lazy, 100) == 100);
  CHECK(lies(Strategy::sybil, 100) == 99);
  CHECK(lies(Strategy::sleeper, 100) == 80);
  CHECK(lies(Strategy::collude, 100) == 100);
  const int random = lies(Strategy::random, 1000);
  CHECK(random > 420);  // 500 expected, standard deviation 16
  CHECK(random < 580);
  const int errors = lies(Strategy::honest, 1000, 0.1);
  CHECK(errors > 60);  // 100 expected, standard deviation 9
  CHECK(errors < 140);
}

TEST_CASE("colluders give the same wrong answer, other liars each their own, and another one under another name") {
  const Value input = input_of({5});
  Gang gang;
  std::uint8_t names = 0;
  const auto conduct = [&](Strategy strategy, std::uint64_t seed) {
    Conduct made(gang, strategy, Generator::from_seed(seed));
    made.take_name(PeerId{{++names}}, 1);
    return made;
  };
  Conduct one = conduct(Strategy::collude, 1), two = conduct(Strategy::collude, 2);
  CHECK(one.output_of({}, input) == two.output_of({}, input));
  Conduct three = conduct(Strategy::always, 1), four = conduct(Strategy::always, 2);
  const Value said = three.output_of({}, input);
  CHECK(said != four.output_of({}, input));
  CHECK(said == three.output_of({}, input));
  three.take_name(PeerId{{++names}}, 1);
  CHECK(said != three.output_of({}, input));
}
