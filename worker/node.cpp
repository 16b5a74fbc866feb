#include "worker/node.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/contact.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/store/blob_store.h"
#include "coordinatorless/store/keys.h"
#include "coordinatorless/zmq/clocks.h"
#include "coordinatorless/zmq/loop.h"
#include "coordinatorless/zmq/resolve.h"
#include "worker/executor.h"
#include "worker/node_addresses.h"
#include "worker/node_blobs.h"
#include "worker/node_files.h"
#include "worker/node_held.h"
#include "worker/node_log.h"
#include "worker/node_memory.h"
#include "worker/node_minter.h"
#include "worker/node_swarm.h"
#include "worker/signals.h"

namespace dugnad::worker {
namespace {

std::uint64_t cache_bytes_of(const NodeOptions& options, std::uint64_t otherwise) {
  return options.cache_bytes > 0 ? options.cache_bytes : otherwise;
}

}  // namespace

class Node::Impl {
 public:
  /// What open() has put together before there is a thread.
  struct Parts {
    NodeOptions options;
    std::optional<NodeFiles> files;
    std::vector<Joined> joined;
    std::unique_ptr<Crypto> crypto;
    std::unique_ptr<Crypto> owner;  // none without a data directory
    core::SwarmName swarm;
    Remembered remembered;
  };

  Impl(Parts parts, std::unique_ptr<zmq::Transport> transport, std::optional<core::Endpoint> endpoint, std::unique_ptr<store::Store> store,
       std::unique_ptr<store::BlobStore> blobs)
      : options_(std::move(parts.options)),
        files_(std::move(parts.files)),
        data_dir_(files_ ? files_->dir().path() : ""),
        crypto_(std::move(parts.crypto)),
        owner_(std::move(parts.owner)),
        swarm_(parts.swarm.id()),
        difficulty_(parts.swarm.difficulty),
        id_(peer_id_of(crypto_->public_key())),
        endpoint_(endpoint),
        throwaway_owner_(files_ ? SecretKeys{} : fresh_keys()),
        remembered_(std::move(parts.remembered)),
        joined_(std::move(parts.joined)),
        log_(options_.log, names_of(joined_)),
        store_(std::move(store)),
        minter_(swarm_, crypto_->public_key(),
                [this](const core::IdentityTicket& ticket, std::uint64_t tries) { on_minted(ticket, tries); }) {
    if (options_.slots > 0) {
      executor_ = std::make_unique<Executor>(ExecutorOptions{
          .slots = options_.slots,
          .wake = [this] { loop_->wake(); },
          .stuck = [this](AttemptId, const std::string& what) { on_stuck(what); },
          .blobs = {.read = [this](const BlobId& id) { return blobs_->get(id); },
                    .keep = [this](ByteView bytes) { return blobs_->keep(bytes); }},
          .launcher = options_.launcher,
      });
    }
    // The executor's callbacks come only once something was started, which the loop alone does.
    // What stewards hold has its room beside the other uses.
    loop_ = std::make_unique<zmq::Loop>(make_peer(blobs->quota() - (files_ ? options_.steward_bytes : 0)), std::move(transport), loop_hooks());
    blobs_ =
        std::make_unique<NodeBlobs>(std::move(blobs), files_ ? files_->dir().file("blobs") : std::string(), id_,
                                    BulkThread::Outside{
                                        .send = [this](const PeerId& to, Bytes frame) { loop_->send_bulk(to, std::move(frame)); },
                                        .post = [this](core::Event event) { loop_->post(std::move(event)); },
                                        .trouble = [this](const std::string& line) { say(LogLevel::warning, line); },
                                        .upload_per_second = static_cast<double>(options_.upload_per_second),
                                        .download_per_second = static_cast<double>(options_.download_per_second),
                                    });
    if (files_ && options_.steward_bytes > 0) {
      held_ = std::make_unique<HeldFiles>(HeldFiles::place(files_->dir(), swarm_), [this](const std::string& line) { say(LogLevel::error, line); });
    }
    if (store_) {
      store_->on_committed([this](PersistSeq seq) { loop_->persisted(seq); });
      store_->on_trouble([this](const std::string& trouble) { say(LogLevel::error, trouble); });
    }
  }

  ~Impl() {
    loop_->stop();
    if (thread_.joinable()) thread_.join();
    // All three call the loop until they are gone; the loop's links go last, with the last frames.
    executor_.reset();
    blobs_.reset();
    held_.reset();
    store_.reset();
  }

  void start(NodeHooks hooks) {
    prepare(std::move(hooks));
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { run_prepared(); });
  }

  void run(NodeHooks hooks) {
    prepare(std::move(hooks));
    run_prepared();
  }

  bool wait() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return phase_ != Phase::running; });
    return departed_;
  }

  template <class Answer>
  std::optional<Answer> ask(std::function<Answer(core::Peer&)> question) {
    auto answer = std::make_shared<std::optional<Answer>>();
    loop_->call([this, answer, question = std::move(question)](core::Peer& peer) {
      Answer found = question(peer);
      const std::lock_guard lock(mutex_);
      *answer = std::move(found);
      ended_.notify_all();
    });
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return answer->has_value() || phase_ != Phase::running; });
    return std::move(*answer);
  }

  Result<SecretKeys> owner_keys() const {
    if (!files_) return throwaway_owner_;
    return store::load_or_make_keys(files_->dir().file(owner_file));
  }

  std::string contact() const {
    // Port 0 is none that a contact may have, so that a paste of it is refused with the reason.
    return core::Contact{endpoint_ ? endpoint_->text() : "0.0.0.0:0", id_, crypto_->curve_key()}.text();
  }

  NodeBlobs& blobs() { return *blobs_; }
  zmq::Loop& loop() { return *loop_; }
  const PeerId& id() const { return id_; }
  const SwarmId& swarm() const { return swarm_; }
  bool dialable() const { return endpoint_.has_value(); }
  store::Store* store() const { return store_.get(); }
  const std::string& data_dir() const { return data_dir_; }
  std::string name() const { return files_ ? files_->name() : std::string(); }

 private:
  enum class Phase : std::uint8_t { opened, running, ended };

  static std::map<PeerId, std::string> names_of(const std::vector<Joined>& all) {
    std::map<PeerId, std::string> names;
    for (const Joined& joined : all) names[joined.contact.peer] = joined.host_port;
    return names;
  }

  std::unique_ptr<core::Peer> make_peer(std::uint64_t blob_bytes) {
    core::PeerConfig config{.swarm = swarm_, .difficulty = difficulty_, .endpoint = endpoint_, .donates = options_.donates,
                            .slots = options_.slots, .tasks = {}, .code = options_.code, .blob_bytes = blob_bytes,
                            .steward_bytes = options_.steward_bytes,
                            .owner = owner_.get()};
    if (options_.slots > 0) {
      for (const auto& [name, task] : options_.tasks.all()) config.tasks.emplace_back(name, task.version);
    }
    return std::make_unique<core::Peer>(std::move(config), *crypto_, Generator(fresh_seed()));
  }

  zmq::Hooks loop_hooks() {
    zmq::Hooks hooks;
    if (executor_) {
      hooks.start = [this](core::StartAttempts start) { begin(std::move(start)); };
      hooks.cancel = [this](core::CancelAttempts cancel) { executor_->cancel(cancel.attempts); };
      hooks.collect = [this] { return collect(); };
    }
    hooks.fetch = [this](core::FetchBlob fetch) { blobs_->bulk().fetch(fetch); };
    hooks.help = [this](core::HelpFetch help) { blobs_->bulk().help(help); };
    hooks.offer = [this](core::OfferBlob offer) { blobs_->bulk().offer(offer); };
    hooks.release = [this](core::ReleaseBlob release) { blobs_->release(release); };
    hooks.held = [this](const core::OutputHeld& held) { blobs_->marks().add(held.held); };
    hooks.let_go = [this](const core::OutputLetGo& gone) { blobs_->marks().remove(gone.job, gone.unit, gone.output); };
    hooks.bulk = [this](const PeerId& from, Bytes frame) { blobs_->bulk().received(from, std::move(frame)); };
    hooks.mint = [this](const core::MintIdentity& wanted) { minter_.mint(wanted); };
    if (store_) {
      hooks.persist = [this](core::Persist persist) {
        blobs_->keep_outputs(persist.rows);
        store_->write(persist.seq, std::move(persist.rows));
      };
    }
    hooks.link = [this](const core::Event& event) {
      log_.link(event, zmq::read_clocks().boot);
      if (const auto* connected = std::get_if<core::PeerConnected>(&event)) blobs_->bulk().linked(connected->peer);
      if (const auto* lost = std::get_if<core::PeerLost>(&event)) blobs_->bulk().lost(lost->peer);
      if (hooks_.link) hooks_.link(event);
    };
    hooks.notice = [this](core::Effect effect) {
      if (held_ && held_->take(effect)) return;
      if (std::holds_alternative<core::Departed>(effect)) {
        log_.departed();
        const std::lock_guard lock(mutex_);
        departed_ = true;
      }
      if (hooks_.notice) hooks_.notice(std::move(effect));
    };
    return hooks;
  }

  // --- The protocol's thread ---

  void begin(core::StartAttempts start) {
    log_.started(start, zmq::read_clocks().boot);
    std::vector<Attempt> attempts;
    attempts.reserve(start.attempts.size());
    for (core::AttemptToStart& wanted : start.attempts) {
      if (wanted.module) {
        attempts.push_back({wanted.attempt, nullptr, std::move(wanted.input), wanted.limit, blobs_->guest_of(wanted), std::move(wanted.claimed)});
        continue;
      }
      const tasks::Task* task = options_.tasks.find(wanted.task);
      if (task && task->version == wanted.task_version && wanted.claimed && task->check) {
        attempts.push_back({.id = wanted.attempt, .run = nullptr, .input = std::move(wanted.input), .limit = wanted.limit,
                            .claimed = std::move(wanted.claimed), .check = &task->check});
      } else if (task && task->version == wanted.task_version && !wanted.claimed && task->run) {
        attempts.push_back({wanted.attempt, &task->run, std::move(wanted.input), wanted.limit});
      } else {
        const std::string reason = "this donor does not know " + wanted.task + ", version " + std::to_string(wanted.task_version);
        refused_.push_back({wanted.attempt, Outcome::donor_fault, to_bytes(reason), {}});
      }
    }
    if (!attempts.empty()) executor_->start(std::move(attempts));
    if (!refused_.empty()) loop_->wake();
  }

  std::vector<FinishedAttempt> collect() {
    std::vector<FinishedAttempt> finished = executor_->collect();
    std::move(refused_.begin(), refused_.end(), std::back_inserter(finished));
    refused_.clear();
    blobs_->take_over(finished);
    if (!finished.empty()) log_.finished(finished, zmq::read_clocks().boot);
    return finished;
  }

  void prepare(NodeHooks hooks) {
    {
      const std::lock_guard lock(mutex_);
      DUGNAD_ASSERT(phase_ == Phase::opened, "a node runs once");
      phase_ = Phase::running;
    }
    hooks_ = std::move(hooks);
    std::vector<core::Event> events;
    if (auto held = blobs_->find_held(); !held.empty()) events.push_back(core::HeldOutputsFound{std::move(held)});
    if (const auto ticket = files_ && difficulty_ > 0 ? files_->ticket(swarm_) : std::nullopt) {
      events.push_back(core::IdentityMinted{*ticket});
    }
    for (core::Event& event : std::exchange(remembered_, {}).events()) events.push_back(std::move(event));
    for (const Joined& joined : joined_) {
      if (joined.contact.peer == id_) {
        say(LogLevel::warning, "the contact " + joined.host_port + " is this program's own; give another peer's");
      } else {
        events.push_back(core::JoinRequested{joined.contact});
      }
    }
    loop_->post(std::move(events));
  }

  void run_prepared() {
    loop_->run();
    const std::lock_guard lock(mutex_);
    phase_ = Phase::ended;
    ended_.notify_all();
  }

  // --- Any thread ---

  /// On the search's thread, while minter_ lives.
  void on_minted(const core::IdentityTicket& ticket, std::uint64_t tries) {
    if (files_) files_->remember_ticket(swarm_, ticket);
    say(LogLevel::info, "found a proof of work for this identity in " + std::to_string(tries) + " tries; others pass its jobs on now");
    loop_->post(core::IdentityMinted{ticket});
  }

  void on_stuck(const std::string& what) {
    say(LogLevel::error, "a unit does not stop when it is asked to (" + what + ")");
    if (hooks_.stuck) hooks_.stuck(what);
  }

  void say(LogLevel level, const std::string& line) const {
    if (options_.log) options_.log(level, line);
  }

  // Constant after construction.
  const NodeOptions options_;
  const std::optional<NodeFiles> files_;
  const std::string data_dir_;
  const std::unique_ptr<Crypto> crypto_;  // used by the protocol's thread
  const std::unique_ptr<Crypto> owner_;   // likewise
  const SwarmId swarm_;
  const unsigned difficulty_;
  const PeerId id_;
  const std::optional<core::Endpoint> endpoint_;  // where others dial us
  const SecretKeys throwaway_owner_;

  // Constant once it runs.
  Remembered remembered_;
  std::unique_ptr<HeldFiles> held_;
  std::vector<Joined> joined_;
  NodeHooks hooks_;

  // The protocol's thread.
  NodeLog log_;
  std::vector<FinishedAttempt> refused_;  // could not be started; collected like any other

  // Guarded by mutex_; ended_ tells of both.
  std::mutex mutex_;
  std::condition_variable ended_;
  Phase phase_ = Phase::opened;
  bool departed_ = false;

  std::unique_ptr<zmq::Loop> loop_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<NodeBlobs> blobs_;
  std::unique_ptr<Executor> executor_;
  std::thread thread_;
  NodeMinter minter_;  // the first to go, since it calls the loop
};

Result<std::unique_ptr<Node>> Node::open(NodeOptions options) {
  if (!sodium_ready()) return Error{"this machine has no randomness to make keys with"};
  Impl::Parts parts;
  parts.options = std::move(options);
  const NodeOptions& wanted = parts.options;
  auto swarm = read_swarm(wanted.swarm, wanted.swarm_secret);
  if (!swarm) return swarm.error();
  parts.swarm = *std::move(swarm);

  // Asking the resolver may take long, so it comes before anything that others would have to wait for.
  auto joined = resolve_all(wanted.join);
  if (!joined) return joined.error();
  parts.joined = *std::move(joined);

  if (wanted.journal) {
    auto files = NodeFiles::open(wanted.data, wanted.role, wanted.role_most);
    if (!files) return files.error();
    parts.files = *std::move(files);
  }
  const auto addresses = addresses_of(wanted, parts.files ? parts.files->last_port() : std::nullopt);
  if (!addresses) return addresses.error();

  const SignalsBlocked blocked;  // for the threads that start from here on
  std::unique_ptr<store::Store> journal;
  if (parts.files) {
    auto opened = store::Store::open(parts.files->dir().file(wanted.role + ".journal"));
    if (!opened) return opened.error();
    journal = *std::move(opened);
    auto remembered = remember(*journal, parts.files->dir(), wanted.role, parts.swarm.id());
    if (!remembered) return remembered.error();
    parts.remembered = *std::move(remembered);
    if (wanted.steward_bytes > 0) parts.remembered.held = HeldFiles::read(HeldFiles::place(parts.files->dir(), parts.swarm.id()));
    const auto owner = store::load_or_make_keys(parts.files->dir().file(owner_file));
    if (!owner) return owner.error();
    parts.owner = make_sodium(*owner);
  }

  std::unique_ptr<store::BlobStore> blobs;
  if (parts.files) {
    auto files = store::files_in(parts.files->dir().file("blobs"));
    if (!files) return files.error();
    blobs = std::make_unique<store::BlobStore>(*std::move(files), cache_bytes_of(wanted, store::BlobStore::default_quota) + wanted.steward_bytes);
  } else {
    blobs = std::make_unique<store::BlobStore>(store::files_in_memory(), cache_bytes_of(wanted, store::BlobStore::memory_quota));
  }

  const SecretKeys keys = parts.files ? parts.files->keys() : fresh_keys();
  parts.crypto = make_sodium(keys);
  auto transport = zmq::Transport::open({.swarm = parts.swarm.id(), .keys = keys, .listen = addresses->listen}, *parts.crypto);
  if (!transport) return transport.error();
  const auto bound = (*transport)->bound();
  if (bound && addresses->by_default && parts.files) parts.files->remember_port(bound->port);
  auto endpoint = addresses->advertise;
  if (bound && !endpoint) endpoint = zmq::advertised(*bound);

  auto impl = std::make_unique<Impl>(std::move(parts), *std::move(transport), endpoint, std::move(journal), std::move(blobs));
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;

void Node::start(NodeHooks hooks) { impl_->start(std::move(hooks)); }
void Node::run(NodeHooks hooks) { impl_->run(std::move(hooks)); }
void Node::post(core::Event event) { impl_->loop().post(std::move(event)); }
void Node::post(std::vector<core::Event> events) { impl_->loop().post(std::move(events)); }
void Node::call(std::function<void(core::Peer&)> work) { impl_->loop().call(std::move(work)); }
void Node::leave() { impl_->loop().post(core::LeaveRequested{}); }
void Node::stop() { impl_->loop().stop(); }
bool Node::wait() { return impl_->wait(); }
Result<BlobId> Node::keep(ByteView bytes) { return impl_->blobs().keep(bytes); }
void Node::let_go(const BlobId& id) { impl_->blobs().let_go(id); }
std::shared_ptr<const Bytes> Node::blob(const BlobId& id) { return impl_->blobs().get(id); }
std::shared_ptr<store::BlobStore> Node::blob_store() const { return impl_->blobs().store(); }
const store::KeptOutputs& Node::kept_outputs() const { return impl_->blobs().kept(); }

Node::Moved Node::moved() const {
  const BulkThread::Moved moved = impl_->blobs().bulk().moved();
  return {moved.up, moved.down};
}

std::optional<core::JobProgress> Node::progress(const JobId& job) {
  using Answer = std::optional<core::JobProgress>;
  return impl_->ask<Answer>([job](core::Peer& peer) { return peer.progress(job); }).value_or(std::nullopt);
}
std::vector<core::PeerInfo> Node::peers() {
  return impl_->ask<std::vector<core::PeerInfo>>([](core::Peer& peer) { return peer.peers(); }).value_or(std::vector<core::PeerInfo>{});
}
std::vector<core::HeldJob> Node::held_jobs() {
  return impl_->ask<std::vector<core::HeldJob>>([](core::Peer& peer) { return peer.held_jobs(); }).value_or(std::vector<core::HeldJob>{});
}

core::PeerCounters Node::counters() {
  return impl_->ask<core::PeerCounters>([](core::Peer& peer) { return peer.counters(); }).value_or(core::PeerCounters{});
}

const PeerId& Node::id() const { return impl_->id(); }
const SwarmId& Node::swarm() const { return impl_->swarm(); }
std::string Node::contact() const { return impl_->contact(); }
bool Node::dialable() const { return impl_->dialable(); }
store::Store* Node::store() const { return impl_->store(); }
const std::string& Node::data_dir() const { return impl_->data_dir(); }
std::string Node::name() const { return impl_->name(); }
Result<SecretKeys> Node::owner_keys() const { return impl_->owner_keys(); }

}  // namespace dugnad::worker
