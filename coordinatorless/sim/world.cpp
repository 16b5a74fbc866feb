#include "coordinatorless/sim/world.h"

#include <algorithm>
#include <utility>

#include "coordinatorless/core/identity.h"
#include "coordinatorless/sim/draws.h"
#include "coordinatorless/sim/mix.h"

namespace dugnad::sim {
namespace {

constexpr std::uint16_t port = 4210;
constexpr double speed_sigma = 0.5;
constexpr Duration skew_most = std::chrono::minutes(4);  // two peers differ by less than limits::clock_skew
constexpr Duration bounds_interval = std::chrono::seconds(30);

}  // namespace

World::World(WorldOptions options)
    : options_(options),
      generator_(Generator::from_seed(options_.seed)),
      network_(queue_, options_.links, Generator(generator_.key())),
      witness_(queue_),
      surroundings_{queue_,
                    network_,
                    directory_,
                    keys_,
                    witness_,
                    blobs_,
                    gang_,
                    jobs_,
                    core::swarm_id("simulated", options_.difficulty),
                    options_.difficulty},
      owner_(keys_, {generator_.key(), generator_.key()}) {
  check_bounds();
}

World::~World() = default;

/// A global address that nobody has.
core::Endpoint World::fresh_address() {
  core::Endpoint endpoint;
  endpoint.ip[10] = endpoint.ip[11] = 0xff;
  endpoint.port = port;
  do {
    if (options_.groups > 0) {
      const std::uint64_t group = generator_.below(options_.groups);
      endpoint.ip[12] = static_cast<std::uint8_t>(20 + group / 256);
      endpoint.ip[13] = static_cast<std::uint8_t>(group % 256);
    } else {
      endpoint.ip[12] = static_cast<std::uint8_t>(20 + generator_.below(70));
      endpoint.ip[13] = static_cast<std::uint8_t>(generator_.below(256));
    }
    for (int i = 14; i < 16; ++i) endpoint.ip[i] = static_cast<std::uint8_t>(generator_.below(256));
  } while (addresses_.contains(endpoint));
  return endpoint;
}

core::Endpoint World::address_beside(Node node) {
  core::Endpoint endpoint = host(node).options().address;
  while (addresses_.contains(endpoint)) ++endpoint.port;
  return endpoint;
}

std::optional<Node> World::somebody_dialable() {
  std::vector<Node> candidates;
  for (const auto& host : hosts_) {
    if (!host->options().behind_nat && !retired_.contains(host->node())) candidates.push_back(host->node());
  }
  if (candidates.empty()) return std::nullopt;
  return candidates[generator_.below(candidates.size())];
}

Node World::add(HostOptions options, std::optional<Node> joins, Duration starts_after) {
  if (options.address == core::Endpoint{}) options.address = fresh_address();
  options.clock_skew = between(generator_, -skew_most, skew_most);
  if (!joins) joins = somebody_dialable();
  if (joins) options.joins = {host(*joins).contact()};
  const core::Endpoint address = options.address;
  hosts_.push_back(std::make_unique<Host>(surroundings_, std::move(options), Generator(generator_.key())));
  Host& host = *hosts_.back();
  addresses_[address] = host.node();
  host.outvoted = [this](const PeerId& donor) {
    const auto node = directory_.of(donor);
    if (node && directory_.at(*node).peer == donor) hosts_[*node]->on_name_lost(true);
  };
  host.convicted = [this](const PeerId& donor, bool branded) { convicted(donor, branded); };
  if (starts_after == Duration{})
    host.start();
  else
    queue_.after(starts_after, [&host] { host.start(); });
  return host.node();
}

void World::convicted(const PeerId& donor, bool branded) {
  const auto node = directory_.of(donor);
  if (!node) return witness_.violated("a donor was convicted that nobody is");
  Host& host = *hosts_[*node];
  gang_.caught(donor);
  if (host.options().strategy == Strategy::honest || host.options().strategy == Strategy::silent) {
    ++convictions_.honest;
    convictions_.honest_branded += branded;
    if (host.options().hardware_errors == 0) witness_.violated("donor " + donor.brief() + " is honest, and was convicted");
    return;
  }
  ++convictions_.saboteurs;
  if (branded && directory_.at(*node).peer == donor) host.on_name_lost(false);
}

void World::let_saboteurs_overhear() {
  gang_.overhear([this](const JobId& job, UnitIndex unit) { return witness_.has_result(job, unit); });
}

Owner World::add_owner() {
  owners_.push_back(std::make_unique<SimCrypto>(keys_, SecretKeys{generator_.key(), generator_.key()}));
  return owners_.size() - 1;
}

Node World::add_worker(const WorkerOptions& options) {
  HostOptions host;
  host.behind_nat = options.behind_nat;
  host.strategy = options.strategy;
  host.withholds = options.withholds;
  host.returns = options.returns.value_or(options.strategy == Strategy::sybil ? Conduct::sybil_returns : 0);
  host.hardware_errors = options.hardware_errors;
  host.slots = options.slots;
  host.speed = options.speed.value_or(lognormal(generator_, speed_sigma));
  host.steward_bytes = options.steward_bytes;
  host.steward = options.steward;
  if (options.beside) host.address = address_beside(*options.beside);
  if (options.owner) host.owner = owners_.at(*options.owner).get();
  return add(std::move(host), options.joins, options.starts_after);
}

std::vector<Node> World::add_workers(std::size_t count, const WorkerOptions& options) {
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < count; ++i) nodes.push_back(add_worker(options));
  return nodes;
}

Node World::add_submitter(const SubmitterOptions& options) {
  HostOptions host;
  host.behind_nat = options.behind_nat;
  host.donates = false;
  host.slots = options.slots;
  host.proves = options.proves;
  if (options.owner) host.owner = owners_.at(*options.owner).get();
  if (options.shares_with) host.receipts_beside = [this, worker = *options.shares_with] { return this->host(worker).journal().receipts(); };
  return add(std::move(host), options.joins, options.starts_after);
}

const Submission& World::submit(Node submitter, const JobSpec& spec) {
  const WallTime created{std::chrono::milliseconds(1'767'225'600'000) +
                         std::chrono::duration_cast<std::chrono::milliseconds>(queue_.now())};
  SimCrypto& owner = host(submitter).options().owner != nullptr ? *host(submitter).options().owner : owner_;
  submissions_.push_back(std::make_unique<Submission>(surroundings_.swarm, spec, owner, Hash{generator_.key()}, created));
  Submission& submission = *submissions_.back();
  jobs_[submission.id()] = spec;
  witness_.watch(submission);
  const auto donates = [](const auto& host) { return host->options().donates; };
  gang_.submitted(submission.id(), spec, static_cast<std::uint64_t>(std::count_if(hosts_.begin(), hosts_.end(), donates)));
  host(submitter).submit(submission, owner);
  return submission;
}

void World::seek(Node submitter, const Submission& job) {
  const auto same = std::find_if(submissions_.begin(), submissions_.end(), [&](const auto& each) { return each.get() == &job; });
  host(submitter).seek(**same, *host(submitter).options().owner);
}

void World::cancel(Node submitter, const Submission& job) { host(submitter).cancel(job.id()); }
void World::leave(Node node) { host(node).leave(); }
void World::crash(Node node, Death death) { host(node).crash(death); }

void World::restart(Node node) {
  if (!retired_.contains(node)) host(node).start();
}

void World::retire(Node node, bool in_order) {
  retired_.insert(node);
  if (in_order) host(node).leave();
  else host(node).crash(Death::vanished);
}

void World::suspend(Node node, Duration duration) {
  Host& sleeper = host(node);
  sleeper.suspend();
  queue_.after(duration, [&sleeper] {
    if (sleeper.asleep()) sleeper.resume();
  });
}

void World::partition(const std::vector<Node>& left, const std::vector<Node>& right) { network_.partition(left, right); }
void World::heal() { network_.heal(); }

bool World::run_until(const Predicate& done, Duration limit) {
  const VirtualTime end = queue_.now() + limit;
  while (!done()) {
    if (!violations().empty()) return false;
    const auto next = queue_.next();
    if (!next || *next > end) {
      queue_.skip_to(end);
      return done();
    }
    queue_.step();
  }
  return true;
}

bool World::run_until_ended(const Submission& job, Duration limit) {
  return run_until([&] { return job.ended(); }, limit);
}

void World::run_for(Duration duration) {
  (void)run_until([] { return false; }, duration);
}

Duration World::cpu_spent() const {
  Duration spent{};
  for (const auto& host : hosts_) spent += host->spent();
  return spent;
}

void World::check_bounds() {
  queue_.after(bounds_interval, [this] {
    for (const auto& host : hosts_) host->check_bounds();
    check_bounds();
  });
}

std::uint64_t World::final_draw() {
  std::uint64_t draw = mix(network_.trace(), generator_.next());
  for (const auto& host : hosts_) draw = mix(draw, host->draw());
  return mix(draw, queue_.executed());
}

}  // namespace dugnad::sim
