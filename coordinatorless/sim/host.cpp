#include "coordinatorless/sim/host.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/sim/draws.h"
#include "coordinatorless/sim/work.h"

namespace dugnad::sim {
namespace {

namespace limits = core::limits;

constexpr WallTime epoch{std::chrono::milliseconds(1'767'225'600'000)};  // the world begins with the year 2026
constexpr Duration linger = std::chrono::milliseconds(500);  // what the ZeroMQ driver gives the last frames of a peer that has left
constexpr Duration again_after = std::chrono::seconds(5);
constexpr Duration rebirth_takes = std::chrono::seconds(1);
constexpr unsigned rings_at_once_max = 1000;  // without the clock moving: the peer asks to be woken for nothing
constexpr std::uint16_t outgoing_port = 50000;

SecretKeys keys_from(Generator& generator) { return {generator.key(), generator.key()}; }

}  // namespace

Host::Host(Surroundings& surroundings, HostOptions options, Generator generator)
    : surroundings_(surroundings),
      options_(std::move(options)),
      generator_(std::move(generator)),
      node_(surroundings_.network.add(*this, !options_.behind_nat)),
      boot_offset_(between(generator_, std::chrono::hours(1), std::chrono::hours(1000))),
      conduct_(surroundings_.gang, options_.strategy, Generator(generator_.key()), options_.hardware_errors),
      executor_(surroundings_.queue, conduct_, options_.slots, options_.speed,
                [this](std::vector<FinishedAttempt> attempts) {
                  for (FinishedAttempt& attempt : attempts) {
                    if (!attempt.output.large) continue;
                    if (blobs_.disk_works())
                      blobs_.hold(attempt.output.blob());
                    else
                      attempt.outcome = Outcome::donor_fault, attempt.output = to_bytes("its output cannot be kept");
                  }
                  if (!own_jobs_.empty()) surroundings_.witness.finished(peer_->id(), attempts);
                  feed(core::AttemptsFinished{std::move(attempts)});
                }),
      journal_(
          surroundings_.queue, Generator(generator_.key()),
          [this](PersistSeq seq) {
            for (core::Effect& effect : gate_.committed(seq)) {
              if (dies_here()) return;
              carry_out(std::move(effect));
            }
            feed(core::Persisted{seq});
          },
          [this](const std::string& what) { surroundings_.witness.violated(what); }),
      blobs_({surroundings_.queue, surroundings_.network, surroundings_.directory, surroundings_.blobs}, node_, options_.withholds,
             Generator(generator_.key()), [this](core::Event event) { feed(std::move(event)); }),
      lies_(options_.steward == StewardConduct::honest ? Generator({}) : Generator(generator_.key())) {
  take_identity();
}

void Host::take_identity() {
  ticket_.reset();
  blobs_.unmark_all();
  crypto_ =
      std::make_unique<SimCrypto>(surroundings_.keys, keys_from(generator_), [this](bool outgoing, const CurveKey& other, ByteView plain) {
        if (own_jobs_.empty() || plain.empty()) return;  // an empty one only proves that the sender holds its key
        const auto peer = surroundings_.directory.of(other);
        if (!peer) return;
        if (outgoing)
          surroundings_.witness.sent(*peer, plain);
        else
          surroundings_.witness.received(*peer, plain);
      });
  Identity identity;
  identity.key = crypto_->public_key();
  identity.peer = peer_id_of(identity.key);
  identity.curve = crypto_->curve_key();
  if (!options_.behind_nat) identity.endpoint = options_.address;
  identity.seen_at = options_.address;
  identity.seen_at.port = outgoing_port;
  surroundings_.directory.set(node_, identity);
  conduct_.take_name(identity.peer, options_.speed * options_.slots);
  name_lost_ = false;
}

core::Contact Host::contact() const {
  const Identity& identity = surroundings_.directory.at(node_);
  return {options_.address.text(), identity.peer, identity.curve};
}

Now Host::now() const {
  const Duration world = surroundings_.queue.now();
  return {BootTime(world + boot_offset_), epoch + std::chrono::duration_cast<std::chrono::milliseconds>(world + options_.clock_skew)};
}

// --- The process ---

void Host::start() {
  if (!journal_.readable()) {  // the program says so and ends; its user tries again
    surroundings_.queue.after(again_after, [this, process = process_] {
      if (process == process_ && !running()) start();
    });
    return;
  }
  if (name_lost_) {
    ++returned_;
    take_identity();
  }
  core::PeerConfig config;
  config.swarm = surroundings_.swarm;
  config.difficulty = surroundings_.difficulty;
  if (!options_.behind_nat) config.endpoint = options_.address;
  config.donates = options_.donates;
  config.slots = options_.slots;
  config.tasks = {{std::string(task_name), task_version}};
  config.code = {.modules = true, .any = true};
  config.owner = options_.owner;
  config.steward_bytes = options_.steward_bytes;
  peer_ = std::make_unique<core::Peer>(std::move(config), *crypto_, Generator(generator_.key()));
  ++process_;
  worked_at_ = surroundings_.queue.now();
  surroundings_.network.start(node_);
  if (auto held = blobs_.found(); !held.empty()) feed(core::HeldOutputsFound{std::move(held)});
  if (ticket_) feed(core::IdentityMinted{*ticket_});
  if (auto contacts = journal_.contacts(); !contacts.empty()) feed(core::ContactsRestored{std::move(contacts)});
  core::FavoursRestored favours{journal_.receipts(), journal_.favours()};
  if (options_.receipts_beside) {
    for (ReceiptRow& row : options_.receipts_beside()) favours.receipts.push_back(std::move(row));
  }
  if (!favours.receipts.empty() || !favours.accounts.empty()) feed(std::move(favours));
  if (auto donors = journal_.reputations(); !donors.empty()) feed(core::ReputationsRestored{std::move(donors)});
  if (auto waiting = journal_.notes(NoteKind::waiting); !waiting.empty()) feed(core::WaitingRestored{std::move(waiting)});
  if (auto held = held_.read(surroundings_.queue.now()); !held.jobs.empty()) feed(std::move(held));
  for (const core::Contact& contact : options_.joins) feed(core::JoinRequested{contact});
  for (const OwnJob& job : own_jobs_) resubmit(job);
  for (const OwnJob& job : sought_) feed(core::JobSought{job.submission->id()});
  if (options_.strategy == Strategy::sybil) watch_for_idleness();
  set_alarm();
}

void Host::crash(Death death) {
  surroundings_.network.stop(node_, death);
  executor_.clear();
  journal_.crash();
  held_.crash(surroundings_.queue.now());
  blobs_.crash();
  peer_.reset();
  gate_ = {};
  inbox_.clear();
  departed_ = asleep_ = dying_ = false;
  ++process_;
  node_of_.clear();
  peer_at_.clear();
  dialling_.clear();
  banned_.clear();
  alarm_ = VirtualTime::max();
}

void Host::leave() { feed(core::LeaveRequested{}); }

void Host::suspend() {
  asleep_ = true;
  executor_.suspend();
  surroundings_.network.suspend(node_);
}

void Host::resume() {
  asleep_ = false;
  executor_.resume();
  surroundings_.network.resume(node_);
  feed(core::TimerDue{});
  if (name_lost_) be_reborn_soon();
}

void Host::be_reborn() {
  ++returned_;
  crash(Death::killed);
  take_identity();
  surroundings_.queue.after(rebirth_takes, [this, process = process_] {
    if (process == process_) start();
  });
}

void Host::watch_for_idleness() {
  surroundings_.queue.after(Conduct::sybil_patience, [this, process = process_] {
    if (process != process_ || returned_ >= options_.returns) return;
    if (!asleep_ && surroundings_.queue.now() - worked_at_ >= Conduct::sybil_patience) return be_reborn();
    watch_for_idleness();
  });
}

void Host::on_name_lost(bool was_outvoted) {
  if (name_lost_ || returned_ >= options_.returns || (was_outvoted && options_.strategy != Strategy::sybil)) return;
  name_lost_ = true;
  if (running() && !asleep_) be_reborn_soon();
}

void Host::be_reborn_soon() {
  surroundings_.queue.after({}, [this, process = process_] {
    if (process == process_ && name_lost_) be_reborn();
  });
}

// --- Events in ---

void Host::feed(core::Event event) {
  if (!peer_ || departed_ || dying_) return;
  inbox_.push_back(std::move(event));
  if (busy_ || asleep_) return;
  busy_ = true;
  while (!inbox_.empty()) {
    core::Event next = std::move(inbox_.front());
    inbox_.pop_front();
    peer_->handle(std::move(next), now());
    while (auto effect = peer_->next_effect()) {
      if (dies_here()) {
        busy_ = false;
        return;
      }
      if (auto ready = gate_.pass(std::move(*effect))) carry_out(std::move(*ready));
    }
  }
  busy_ = false;
  if (!departed_) return set_alarm();
  surroundings_.queue.after(linger, [this, process = process_] {
    if (process == process_) crash(Death::killed);
  });
}

bool Host::dies_here() {
  if (dying_) return true;
  if (++effects_ != dies_at_) return false;
  dying_ = true;
  // Not in here: whoever has called is in the middle of something.
  surroundings_.queue.after({}, [this, process = process_] {
    if (process != process_) return;
    crash(Death::killed);
    const auto died = died_;  // it may say when it dies next
    died();
  });
  return true;
}

// --- The clock: one alarm at a time, moved forward at once and back lazily ---

void Host::set_alarm() {
  if (!peer_ || asleep_ || departed_) return;
  const BootTime deadline = peer_->next_deadline();
  if (deadline == never) return;
  const VirtualTime due = std::max(deadline.time_since_epoch() - boot_offset_, surroundings_.queue.now());
  if (due >= alarm_) return;
  alarm_ = due;
  surroundings_.queue.at(due, [this, due, process = process_] {
    if (process == process_) ring(due);
  });
}

void Host::ring(VirtualTime when) {
  if (when != alarm_) return;  // an earlier one was set after this
  alarm_ = VirtualTime::max();
  if (asleep_) return;
  if (peer_->next_deadline() > now().boot) return set_alarm();
  rings_at_once_ = rang_at_ == when ? rings_at_once_ + 1 : 0;
  rang_at_ = when;
  if (rings_at_once_ > rings_at_once_max) {
    surroundings_.witness.violated("peer " + peer_->id().brief() + " asks to be woken again and again without time moving on");
    alarm_ = VirtualTime::min();  // never again
    return;
  }
  feed(core::TimerDue{});
}

// --- The network ---

void Host::connected(Node peer, bool outbound) {
  const Identity& other = surroundings_.directory.at(peer);
  node_of_[other.peer] = peer;
  peer_at_[peer] = other.peer;
  if (outbound) dialling_.erase(other.curve);
  feed(core::PeerConnected{other.peer, other.key, other.curve, outbound ? other.endpoint : std::optional(other.seen_at), outbound});
}

void Host::lost(Node peer) {
  const auto it = peer_at_.find(peer);
  if (it == peer_at_.end()) return;
  const PeerId id = it->second;
  peer_at_.erase(it);
  node_of_.erase(id);
  blobs_.lost(id);
  feed(core::PeerLost{id});
}

void Host::dial_failed(const CurveKey& wanted, const std::string& reason) {
  const auto it = dialling_.find(wanted);
  if (it == dialling_.end()) return;
  const PeerId id = it->second;
  dialling_.erase(it);
  feed(core::DialFailed{id, reason});
}

void Host::received(Node from, Bytes frame) {
  const auto it = peer_at_.find(from);
  if (it == peer_at_.end()) return;
  if (!own_jobs_.empty() || !sought_.empty()) surroundings_.witness.received(it->second, frame);
  feed(core::MessageReceived{it->second, std::move(frame)});
}

std::optional<std::string> Host::refuses(Node dialler, const CurveKey& wanted) {
  if (crypto_->curve_key() != wanted) return "somebody else listens there";
  const auto ban = banned_.find(surroundings_.directory.at(dialler).peer);
  if (ban != banned_.end() && ban->second > now().boot) return "we are banned there";
  return std::nullopt;
}

// --- What must hold ---

void Host::check_bounds() const {
  if (!peer_) return;
  const auto check = [this](const char* what, std::size_t size, std::size_t most) {
    if (size <= most) return;
    surroundings_.witness.violated("peer " + peer_->id().brief() + " has " + std::to_string(size) + " " + what + ", and " +
                                   std::to_string(most) + " are the most");
  };
  check("links", surroundings_.network.links(node_),
        limits::overlay_outbound + limits::overlay_inbound_max + limits::job_links_max + limits::dials_pending_max);
  check("known peers", peer_->peers_known(), limits::book_new_max + limits::book_tried_max + limits::job_links_max);
  check("known jobs", peer_->counters().jobs_known, limits::announcements_max);
  check("dials under way", dialling_.size(), limits::dials_pending_max);
  check("attempts under way", executor_.active(), limits::donor_units_max);
}

}  // namespace dugnad::sim
