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
    : generator_(Generator::from_seed(options.seed)),
      network_(queue_, options.links, Generator(generator_.key())),
      witness_(queue_),
      surroundings_{queue_,
                    network_,
                    directory_,
                    keys_,
                    witness_,
                    blobs_,
                    jobs_,
                    core::swarm_id("simulated", options.difficulty),
                    options.difficulty},
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
    endpoint.ip[12] = static_cast<std::uint8_t>(20 + generator_.below(70));
    for (int i = 13; i < 16; ++i) endpoint.ip[i] = static_cast<std::uint8_t>(generator_.below(256));
  } while (addresses_.contains(endpoint));
  return endpoint;
}

std::optional<Node> World::somebody_dialable() {
  std::vector<Node> candidates;
  for (const auto& host : hosts_) {
    if (!host->options().behind_nat) candidates.push_back(host->node());
  }
  if (candidates.empty()) return std::nullopt;
  return candidates[generator_.below(candidates.size())];
}

Node World::add(HostOptions options, std::optional<Node> joins, Duration starts_after) {
  options.address = fresh_address();
  options.clock_skew = between(generator_, -skew_most, skew_most);
  if (!joins) joins = somebody_dialable();
  if (joins) options.joins = {host(*joins).contact()};
  const core::Endpoint address = options.address;
  hosts_.push_back(std::make_unique<Host>(surroundings_, std::move(options), Generator(generator_.key())));
  Host& host = *hosts_.back();
  addresses_[address] = host.node();
  host.outvoted = [this](const PeerId& donor) {
    if (const auto node = directory_.of(donor)) hosts_[*node]->on_outvoted();
  };
  if (starts_after == Duration{})
    host.start();
  else
    queue_.after(starts_after, [&host] { host.start(); });
  return host.node();
}

Node World::add_worker(const WorkerOptions& options) {
  HostOptions host;
  host.behind_nat = options.behind_nat;
  host.strategy = options.strategy;
  host.withholds = options.withholds;
  host.slots = options.slots;
  host.speed = options.speed.value_or(lognormal(generator_, speed_sigma));
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
  return add(std::move(host), options.joins, options.starts_after);
}

const Submission& World::submit(Node submitter, const JobSpec& spec) {
  const WallTime created{std::chrono::milliseconds(1'767'225'600'000) +
                         std::chrono::duration_cast<std::chrono::milliseconds>(queue_.now())};
  submissions_.push_back(std::make_unique<Submission>(surroundings_.swarm, spec, owner_, Hash{generator_.key()}, created));
  Submission& submission = *submissions_.back();
  jobs_[submission.id()] = spec;
  witness_.watch(submission);
  host(submitter).submit(submission, owner_);
  return submission;
}

void World::cancel(Node submitter, const Submission& job) { host(submitter).cancel(job.id()); }
void World::leave(Node node) { host(node).leave(); }
void World::crash(Node node, Death death) { host(node).crash(death); }
void World::restart(Node node) { host(node).start(); }

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
