#include "coordinatorless/sim/host.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/identity_proof.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/sim/draws.h"
#include "coordinatorless/sim/work.h"

namespace dugnad::sim {
namespace {

namespace limits = core::limits;

constexpr WallTime epoch{std::chrono::milliseconds(1'767'225'600'000)};  // the world begins with the year 2026
constexpr Duration linger = std::chrono::milliseconds(500);  // what the ZeroMQ driver gives the last frames of a peer that has left
constexpr Duration try_takes = std::chrono::microseconds(500);  // of a search for a proof of work
constexpr Duration again_after = std::chrono::seconds(5);
constexpr Duration rebirth_takes = std::chrono::seconds(1);
constexpr unsigned rings_at_once_max = 1000;  // without the clock moving: the peer asks to be woken for nothing
constexpr Duration reading_most = std::chrono::seconds(2);  // until a program has read a large output
constexpr std::uint16_t outgoing_port = 50000;

constexpr Duration found_job_read = std::chrono::milliseconds(50);  // by a program that had only its id

/// Who held a job last, by the delegation on disk.
std::vector<PeerId> stewards_in(const Bytes& delegation) {
  const auto decoded = core::decode_delegation(delegation);
  if (!decoded || decoded->peers.empty()) return {};
  return {decoded->peers.begin() + 1, decoded->peers.end()};
}

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

// --- Jobs of its own ---

void Host::join(const core::Contact& contact) { feed(core::JoinRequested{contact}); }

void Host::submit(Submission& submission, SimCrypto& owner) {
  own_jobs_.push_back({&submission, &owner});
  if (running()) resubmit(own_jobs_.back());
}

void Host::resubmit(const OwnJob& job) {
  Submission& submission = *job.submission;
  if (submission.ended()) return;
  std::vector<NoteRow> leases = journal_.notes(NoteKind::lease);
  std::erase_if(leases, [&](const NoteRow& lease) { return lease.job != submission.id(); });
  std::set<LeaseId> on_disk;
  for (const NoteRow& lease : leases) on_disk.insert({lease.key});
  surroundings_.witness.restarted(submission.id(), on_disk);
  const Journal::Job* const kept = journal_.find(submission.id());
  if (kept != nullptr) {
    // What was read before is with the user already; what was not must be here still.
    for (const auto& [index, unit] : kept->accepted) {
      if (unit.output.large && !submission.is_final(index) && !blobs_.holds(unit.output.blob())) {
        surroundings_.witness.violated("unit " + std::to_string(index.value) +
                                       " is accepted, and its output was lost before anybody had read it");
      }
      submission.restore(unit);
      if (unit.output.large) blobs_.taken(unit.output.blob());
    }
    if (kept->state != JobState::running && submission.accepted() + submission.failed() == submission.spec().units) {
      surroundings_.witness.ended({submission.id(), kept->state, {}});
      return;
    }
  }
  if (submission.module()) blobs_.keep(*submission.module());
  core::JobSubmitted event = submission.event(*job.owner, peer_->id(), kept == nullptr ? std::vector<PeerId>{} : stewards_in(kept->delegation));
  if (kept != nullptr) {
    event.held = kept->held;
    for (const auto& [index, unit] : kept->accepted) event.accepted.push_back({index, unit.input_tag});
    event.leases = std::move(leases);
  }
  feed(std::move(event));
  for (core::UnitsAppended& batch : submission.missing()) {
    for (const core::NewUnit& unit : batch.units) {
      if (unit.input.large) blobs_.keep(unit.input.blob());
    }
    feed(std::move(batch));
  }
}

void Host::seek(Submission& submission, SimCrypto& owner) {
  sought_.push_back({&submission, &owner});
  if (running()) feed(core::JobSought{submission.id()});
}

void Host::act(core::JobFound effect) {
  const auto found = std::find_if(sought_.begin(), sought_.end(), [&](const OwnJob& job) { return job.submission->id() == effect.job; });
  if (found == sought_.end()) return surroundings_.witness.violated("a job was found that nobody had sought");
  const OwnJob job = *found;
  sought_.erase(found);
  if (effect.recipe != to_bytes("dugnad-sim")) surroundings_.witness.violated("a job was found without its recipe");
  job.submission->forget();
  for (const AcceptedUnit& unit : effect.finals) job.submission->restore(unit);
  own_jobs_.push_back(job);
  surroundings_.queue.after(found_job_read, [this, job, process = process_] {
    if (process == process_) resubmit(job);
  });
}

void Host::act(core::StewardsHold effect) {
  if (Submission* submission = submission_of(effect.job)) submission->stewards = effect.stewards;
}

void Host::cancel(const JobId& job) { feed(core::JobCancelled{job}); }

Submission* Host::submission_of(const JobId& job) const {
  const auto it = std::find_if(own_jobs_.begin(), own_jobs_.end(), [&](const OwnJob& own) { return own.submission->id() == job; });
  return it == own_jobs_.end() ? nullptr : it->submission;
}

// --- Events in, effects out ---

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

void Host::carry_out(core::Effect effect) {
  std::visit([this](auto&& each) { act(std::move(each)); }, std::move(effect));
}

void Host::act(core::SendMessage effect) {
  if (steward_ != StewardConduct::honest && !twist(effect.frame, effect.to, steward_, surroundings_.gang, lies_)) return;
  if (!own_jobs_.empty()) surroundings_.witness.sent(effect.to, effect.frame);
  const auto it = node_of_.find(effect.to);
  if (it != node_of_.end() && surroundings_.network.send(node_, it->second, effect.frame)) return;
  inbox_.push_back(core::SendRefused{effect.to, std::move(effect.frame)});
}

void Host::act(core::Dial effect) {
  if (const auto it = node_of_.find(effect.peer); it != node_of_.end() && surroundings_.network.linked(node_, it->second)) {
    return;  // the other's dial came first, and was told
  }
  dialling_[effect.curve] = effect.peer;
  surroundings_.network.dial(node_, surroundings_.directory.at(effect.endpoint), effect.curve, limits::dial_timeout);
}

void Host::act(core::Disconnect effect) {
  if (effect.ban_until > now().boot) banned_[effect.peer] = effect.ban_until;
  const auto it = node_of_.find(effect.peer);
  if (it == node_of_.end()) return;
  surroundings_.network.disconnect(node_, it->second);
  peer_at_.erase(it->second);
  node_of_.erase(it);
  blobs_.lost(effect.peer);
  inbox_.push_back(core::PeerLost{effect.peer});
}

void Host::act(core::StartAttempts effect) {
  if (!own_jobs_.empty()) surroundings_.witness.started(peer_->id(), effect);
  worked_at_ = surroundings_.queue.now();
  std::vector<Executor::Work> work;
  for (core::AttemptToStart& attempt : effect.attempts) {
    const auto spec = surroundings_.jobs.find(attempt.job);
    if (spec == surroundings_.jobs.end()) {
      surroundings_.witness.violated("an attempt was started of a job that nobody submitted");
      continue;
    }
    check_needs(attempt);
    Duration cost = cost_of(unit_of(attempt.input), spec->second.unit);
    if (attempt.claimed) cost = from_seconds(seconds_of(cost) * spec->second.check);
    work.push_back({std::move(attempt), cost, spec->second.output_bytes});
  }
  executor_.start(std::move(work));
}

void Host::act(core::CancelAttempts effect) { executor_.cancel(effect.attempts); }
void Host::act(core::FetchBlob effect) { blobs_.fetch(effect); }
void Host::act(core::HelpFetch effect) { blobs_.help(effect); }
void Host::act(core::OfferBlob effect) { blobs_.offer(effect.blob); }
void Host::act(core::ReleaseBlob effect) { blobs_.release(effect.blob); }
void Host::act(core::BulkReceived) { surroundings_.witness.violated("a bulk frame came, and nobody here sends any"); }
void Host::act(core::Persist effect) {
  for (const Row& row : effect.rows) {
    const auto* accepted = std::get_if<AcceptedRow>(&row);
    if (accepted == nullptr) continue;
    for (const AcceptedUnit& unit : accepted->units) {
      if (unit.output.large) blobs_.keep_output(unit.output.blob());
    }
  }
  journal_.write(effect.seq, std::move(effect.rows));
}
void Host::act(core::DeliverResults effect) {
  surroundings_.witness.delivered(effect);
  read_outputs(effect);
}
void Host::act(core::JobEnded effect) { surroundings_.witness.ended(effect); }
void Host::act(core::Departed) { departed_ = true; }

/// Finds it at once, and tells of it when a real search would have come so far.
void Host::act(core::MintIdentity effect) {
  if (!options_.proves) return;
  core::IdentityTicket ticket{effect.month, generator_.next()};
  Duration search{};
  for (;; ++ticket.nonce, search += try_takes) {
    const core::ProofInput input = core::proof_input(surroundings_.swarm, crypto_->public_key(), ticket);
    if (core::meets(crypto_->dear_hash(input.password, input.salt).value(), effect.difficulty)) break;
  }
  surroundings_.queue.after(search, [this, ticket, process = process_] {
    if (process != process_) return;
    ticket_ = ticket;
    feed(core::IdentityMinted{ticket});
  });
}

void Host::act(core::DonorOutvoted effect) {
  if (Submission* submission = submission_of(effect.job)) ++submission->outvoted;
  if (outvoted) outvoted(effect.donor);
}

void Host::act(core::DonorConvicted effect) {
  if (Submission* submission = submission_of(effect.job)) ++submission->convicted;
  if (convicted) convicted(effect.donor, effect.branded);
}

void Host::act(core::KnownAnswerWrong effect) {
  surroundings_.witness.violated("unit " + std::to_string(effect.unit.value) + " is not what its known answer says, which is right");
}
void Host::act(core::NobodyToCompute effect) {
  if (Submission* submission = submission_of(effect.job)) ++submission->nobody_to_compute;
}

void Host::act(core::DonorsBack effect) {
  if (Submission* submission = submission_of(effect.job)) ++submission->donors_back;
}

void Host::check_needs(const core::AttemptToStart& attempt) {
  if (attempt.module && !blobs_.holds(*attempt.module)) surroundings_.witness.violated("an attempt was started before its module was here");
  if (attempt.input.large && !blobs_.holds(attempt.input.blob())) {
    surroundings_.witness.violated("an attempt was started before its input was here");
  }
  if (attempt.claimed && attempt.claimed->large && !blobs_.holds(attempt.claimed->blob())) {
    surroundings_.witness.violated("a check was started before the output was here");
  }
}

/// What the program does with what was delivered: it reads large outputs, in its own time, and lets go of inputs.
void Host::read_outputs(const core::DeliverResults& effect) {
  const Submission* submission = submission_of(effect.job);
  for (const AcceptedUnit& unit : effect.units) {
    if (submission != nullptr && submission->input(unit.unit).large) blobs_.let_go(submission->input(unit.unit).blob());
    if (!unit.output.large) continue;
    const BlobId output = unit.output.blob();
    if (!blobs_.holds(output)) {
      surroundings_.witness.violated("unit " + std::to_string(unit.unit.value) + " was accepted, and its output is not here");
    }
    surroundings_.queue.after(between(generator_, {}, reading_most), [this, job = effect.job, output, process = process_] {
      if (process != process_) return;
      blobs_.taken(output);
      feed(core::OutputTaken{job, output});
    });
  }
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
