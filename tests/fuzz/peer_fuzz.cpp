// Peer::handle against any sequence of frames, links, losses, refusals and time. The peer has three jobs of its own, one by copies, one by
// confidence and one that stewards held while it was away; it donates to others' and holds them. Its signatures are cheap enough for the fuzzer
// to forge, and jobs, leases and peers are the same in every run, so that mutations get far.
//
// An input is a list of steps: [what][who][length, 2 bytes, little-endian][that many bytes].
#include <map>
#include <set>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/assignment.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/identity_proof.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/peer.h"
#include "tests/core/sample_messages.h"
#include "tests/fuzz/fuzz_target.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

/// Every signature holds that does not begin with 0xff.
class Gullible final : public Crypto {
 public:
  PublicKey public_key() const override { return key_of(0); }
  CurveKey curve_key() const override { return {}; }
  Signature sign(ByteView) override { return {}; }
  bool verify(const PublicKey&, ByteView, const Signature& signature) override { return signature[0] != 0xff; }
  Bytes seal(const CurveKey&, const std::array<std::uint8_t, 24>&, ByteView plain) override { return {plain.begin(), plain.end()}; }
  std::optional<Bytes> open(const CurveKey&, const std::array<std::uint8_t, 24>&, ByteView sealed) override {
    return Bytes(sealed.begin(), sealed.end());
  }
  /// An even nonce proves what little work is asked for.
  std::optional<Hash> dear_hash(ByteView password, const Salt&) const override {
    Hash hash;
    hash.bytes[0] = static_cast<std::uint8_t>(password[4] << 7);
    return hash;
  }
  static PublicKey key_of(std::uint8_t who) {
    PublicKey key;
    key.bytes[0] = who;
    return key;
  }
};

PeerId peer(std::uint8_t who) { return peer_id_of(Gullible::key_of(who)); }
constexpr std::uint8_t strangers = 6;
constexpr std::uint64_t units = 50;

enum Step : std::uint8_t { message, connect, lose, finish, refuse, wait, steps };

// Owners: the peer itself has one for each job, strangers are numbered as their peers are.
constexpr std::uint8_t by_copies = 0;
constexpr std::uint8_t by_confidence = 100;
constexpr std::uint8_t with_stewards = 101;
constexpr std::uint8_t entrusts = 3;  // a stranger whose job wants stewards

Manifest manifest(std::uint8_t owner) {
  Manifest manifest;
  manifest.owner = Gullible::key_of(owner);
  manifest.task = "test";
  manifest.copies = 2;
  if (owner == by_confidence) manifest.confidence = WantedConfidence{};
  if (owner >= by_confidence) manifest.owner = Gullible::key_of(0);
  if (owner == with_stewards || owner == entrusts) manifest.stewarded = Hash{};
  return manifest;
}
JobId job_of(std::uint8_t owner) { return {hash_of(encode(manifest(owner))).bytes}; }
Delegation delegation(std::uint8_t owner, const PeerId& submitter) { return {job_of(owner), 1, {submitter}}; }

struct Bench {
  Gullible crypto;
  Now now{BootTime{} + std::chrono::hours(1), WallTime{} + std::chrono::hours(24 * 365 * 50)};
  Peer self{{.swarm = {}, .difficulty = 1, .endpoint = Endpoint::parse("127.0.0.1:4210"), .donates = true, .slots = 2, .tasks = {{"test", 1}},
             .steward_bytes = 1 << 24, .owner = &crypto},
            crypto,
            Generator::from_seed(1)};
  std::vector<AttemptId> running;
  std::set<std::pair<JobId, UnitIndex>> delivered;
  std::map<PeerId, Bytes> last_sent;
  std::vector<std::pair<PeerId, Bytes>> sent;  // of all; what a seed is made from

  Bench() {
    for (const std::uint8_t owner : {by_copies, by_confidence, with_stewards}) {
      JobSubmitted submitted{{encode(manifest(owner)), {}}, {encode(delegation(owner, self.id())), {}}, {}, units};
      if (owner == with_stewards) {
        submitted.delegation.body = encode(Delegation{job_of(owner), 2, {self.id(), peer(6)}});
        submitted.stewards = 2;
      }
      handle(std::move(submitted));
      UnitsAppended appended{job_of(owner), {}, true};
      for (std::uint64_t i = 0; i < units; ++i) appended.units.push_back({{i}, Bytes(4)});
      handle(std::move(appended));
    }
  }

  void handle(Event event) {
    self.handle(std::move(event), now);
    std::size_t effects = 0;
    while (auto effect = self.next_effect()) {
      fuzz::check(++effects < 10000, "one event leads to a bounded number of effects");
      carry_out(*effect);
    }
    fuzz::check(self.next_deadline() > now.boot || std::holds_alternative<TimerDue>(event), "what is due is done");
  }

  void carry_out(Effect& effect) {
    if (auto* send = std::get_if<SendMessage>(&effect)) {
      fuzz::check(decode(send->frame).has_value(), "what is sent can be read");
      last_sent[send->to] = send->frame;
      sent.emplace_back(send->to, std::move(send->frame));
    } else if (auto* start = std::get_if<StartAttempts>(&effect)) {
      for (const AttemptToStart& attempt : start->attempts) running.push_back(attempt.attempt);
      fuzz::check(running.size() <= limits::executor_attempts_max + 64, "the executor is not flooded");
    } else if (auto* deliver = std::get_if<DeliverResults>(&effect)) {
      for (const AcceptedUnit& unit : deliver->units) {
        fuzz::check(unit.unit.value < units, "only own units are delivered");
        fuzz::check(delivered.emplace(deliver->job, unit.unit).second, "a unit is delivered once");
      }
    }
  }

  void step(std::uint8_t what, std::uint8_t who, ByteView content) {
    const std::uint8_t name = 1 + who % strangers;
    switch (static_cast<Step>(what % steps)) {
      case message: return handle(MessageReceived{peer(name), Bytes(content.begin(), content.end())});
      case connect: return handle(PeerConnected{peer(name), Gullible::key_of(name), {}, Endpoint::parse("127.0.0.1:5000"), who % 2 == 0});
      case lose: return handle(PeerLost{peer(name)});
      case finish: {
        if (running.empty()) return;
        const AttemptId attempt = running.front();
        running.erase(running.begin());
        const auto outcome = static_cast<Outcome>(who % (outcome_last + 1));
        return handle(AttemptsFinished{{{attempt, outcome, Bytes(content.begin(), content.end()), std::chrono::milliseconds(1)}}});
      }
      case refuse: {
        const auto frame = last_sent.find(peer(name));
        if (frame != last_sent.end()) handle(SendRefused{frame->first, frame->second});
        return;
      }
      case wait: {
        const Duration time = std::chrono::milliseconds(1) * (1 << (who % 20));
        now.boot += time;
        now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(time);
        return handle(TimerDue{});
      }
      case steps: return;
    }
  }
};

void write_step(Bytes& script, Step what, std::uint8_t who, ByteView content = {}) {
  script.push_back(what);
  script.push_back(who);
  script.push_back(static_cast<std::uint8_t>(content.size()));
  script.push_back(static_cast<std::uint8_t>(content.size() >> 8));
  script.insert(script.end(), content.begin(), content.end());
}

/// Two donors compute one of our jobs, the second gives another answer to every third unit, and one of them has a job of its own for us.
Bytes conversation(std::uint8_t owner) {
  Bytes script;
  // What the peer answers is the same in every run: playing it along tells the leases.
  Bench bench;
  const auto play = [&](Step what, std::uint8_t who, ByteView content = {}) {
    write_step(script, what, who, content);
    bench.step(what, who, content);
  };
  const auto say = [&](std::uint8_t who, const Message& what) { play(message, who, encode(what)); };
  for (std::uint8_t who : {0, 1}) {
    play(connect, who);
    say(who, Want{job_of(owner), 4, std::chrono::seconds(10)});
  }
  for (std::size_t at = 0; script.size() < 12000;) {
    if (at == bench.sent.size()) {
      if (bench.running.empty()) break;
      play(finish, 0, Bytes(4));
      continue;
    }
    const std::uint8_t who = bench.sent[at].first == peer(1) ? 0 : 1;
    const auto sent = decode(bench.sent[at++].second);
    const auto* lease = sent ? std::get_if<Lease>(&*sent) : nullptr;
    if (lease == nullptr) continue;
    Results results{lease->job, {}, {}, {}};
    for (const LeasedUnit& unit : lease->units) {
      const bool lies = who == 1 && unit.unit.value % 3 == 0;
      results.results.push_back({lease->lease, unit.unit, Outcome::ok, Bytes(lies ? 5 : 4)});
    }
    say(who, results);
    for (int own = 0; own < 4; ++own) play(finish, 0, Bytes(4));
  }
  fuzz::check(bench.delivered.size() >= units, "the job gets done");
  const ContactRecord record{Gullible::key_of(2),
                             {},
                             Endpoint::parse("127.0.0.1:5000"),
                             {},
                             true,
                             1,
                             bench.now.wall + std::chrono::minutes(30),
                             IdentityTicket{month_of(bench.now.wall), 0}};
  const Signed signed_record{encode(record), {}};
  say(1, Contacts{{signed_record}, true});
  const Announcement announcement{
      {encode(manifest(2)), {}}, {encode(delegation(2, peer(2))), {}}, signed_record, 1, bench.now.wall + std::chrono::minutes(5), false};
  say(1, Announce{{encode(announcement), {}}, 1});
  say(1, Lease{job_of(2), LeaseId{5}, std::chrono::minutes(1), {{{0}, Bytes(3)}, {{1}, Bytes(3)}}});
  for (int i = 0; i < 2; ++i) write_step(script, finish, 0, view_of("out"));
  say(1, Revoke{job_of(2), {{{1}}}});
  write_step(script, refuse, 1);
  write_step(script, wait, 10);
  say(0, Return{job_of(owner), {{{3}}}});
  write_step(script, lose, 1);
  write_step(script, wait, 15);
  say(1, Closed{job_of(2)});
  return script;
}

Results computed(const Lease& lease) {
  Results results{lease.job, {}, {}, {}, InputDigests{}};
  for (const LeasedUnit& unit : lease.units) {
    results.results.push_back({lease.lease, unit.unit, Outcome::ok, Bytes(4)});
    const auto digest = input_digest(unit.input);
    results.inputs->digests.insert(results.inputs->digests.end(), digest.begin(), digest.end());
  }
  return results;
}

/// A stranger leaves its job with the peer, which leads it out once that one is gone, and gives it back; and what stewards have gathered of a job of
/// its own is told to the peer.
Bytes stewards() {
  Bytes script;
  Bench bench;
  const auto play = [&](Step what, std::uint8_t who, ByteView content = {}) {
    write_step(script, what, who, content);
    bench.step(what, who, content);
  };
  const auto say = [&](std::uint8_t who, const Message& what) { play(message, who, encode(what)); };
  const auto said = [](const OwnersWord& word) { return RecordEntry{std::nullopt, encode(word), Signature{}}; };
  const auto words = [&](std::uint8_t owner) {
    const JobId job = job_of(owner);
    OwnersWord there{.job = job, .units = {}, .finals = {}, .collected = {}, .deed = {}, .recipe = {1}};
    for (std::uint64_t unit = 0; unit < 20; ++unit) there.units.push_back({{unit}, Bytes(4)});
    OwnersWord deed{.job = job, .units = {}, .finals = {{{19}, 1, Outcome::ok, Bytes(4)}}, .collected = {}, .deed = {}, .recipe = {}};
    deed.deed = make_deed(assignment_secret(bench.crypto, {}, {}), 5, {{peer(2), {}}, {peer(4), {}}});
    return std::vector{said(there), said(deed)};
  };
  const JobId job = job_of(entrusts);
  const Signed raw{encode(manifest(entrusts)), {}};
  const auto delegated = [&](std::uint64_t epoch) { return Signed{encode(Delegation{job, epoch, {peer(3), bench.self.id(), peer(5)}}), {}}; };
  const JobId own = job_of(with_stewards);
  play(connect, 5);
  say(5, Follow{own, 0, 0, false, false, {}});
  auto entries = words(with_stewards);
  Lease asked{own, LeaseId{77}, {}, {}};
  for (std::uint64_t unit = 0; unit < 10; ++unit) asked.units.push_back({{unit}, Bytes(4)});
  for (const std::uint8_t donor : {2, 4}) {
    asked.lease.value = donor;  // signatures being all alike, else the two would be one
    entries.push_back({Gullible::key_of(donor), encode(Message(computed(asked))), std::nullopt});
  }
  const std::size_t before = bench.delivered.size();
  say(5, Record{own, 4, 0, 4, false, std::move(entries)});
  play(wait, 15);
  play(wait, 15);
  fuzz::check(bench.delivered.size() >= before + 10, "what stewards have gathered is taken up");
  play(connect, 2);
  say(2, Entrust{raw, delegated(1)});
  say(2, Record{job, 9, 0, 2, false, words(entrusts)});
  play(lose, 2);
  play(wait, 15);
  play(connect, 1);
  say(1, Want{job, 2, std::chrono::seconds(10)});
  std::size_t leased = 0;
  for (std::size_t at = 0; at < bench.sent.size() && script.size() < 8000; ++at) {
    const auto sent = decode(bench.sent[at].second);
    const auto* lease = sent ? std::get_if<Lease>(&*sent) : nullptr;
    if (lease == nullptr || lease->job != job || bench.sent[at].first != peer(2)) continue;
    leased += lease->units.size();
    say(1, computed(*lease));
  }
  fuzz::check(leased > 10, "a steward leases out what it holds");
  say(1, Return{job, {{{3}}}});
  play(connect, 4);
  say(4, Follow{job, 0, 0, false, true, {}});
  say(4, Record{job, 3, 0, 1, false, words(entrusts)});
  play(connect, 2);
  say(2, Entrust{raw, delegated(2)});
  say(2, Follow{job, 0, 0, false, true, {}});

  say(5, Closed{own});
  play(wait, 14);
  return script;
}

}  // namespace

std::vector<Bytes> fuzz::seeds(Generator& generator) {
  std::vector<Bytes> inputs{conversation(by_copies), conversation(by_confidence), stewards()};
  for (int round = 0; round < 16; ++round) {
    samples::Sampler sampler(Generator(generator.key()), 4, 40);
    Bytes script;
    write_step(script, connect, 0);
    for (std::size_t kind = 0; kind < samples::Sampler::kinds; ++kind) write_step(script, message, 0, encode(sampler.message(kind)));
    inputs.push_back(std::move(script));
  }
  return inputs;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bench bench;
  std::size_t at = 0;
  while (at + 4 <= size) {
    const std::uint8_t what = data[at], who = data[at + 1];
    const std::size_t length = std::min<std::size_t>(data[at + 2] | data[at + 3] << 8, size - at - 4);
    bench.step(what, who, {data + at + 4, length});
    at += 4 + length;
  }
  return 0;
}
