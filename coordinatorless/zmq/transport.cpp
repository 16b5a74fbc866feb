#include "coordinatorless/zmq/transport.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/zmq/clocks.h"
#include "coordinatorless/zmq/dialler.h"
#include "coordinatorless/zmq/listener.h"
#include "coordinatorless/zmq/tcp.h"
#include "coordinatorless/zmq/zap.h"

namespace dugnad::zmq {
namespace {

/// What an epoll event is about, in its 64 bits: the serial of a dialled connection, or 0 for one of these.
enum class Source : std::uint8_t { dialled, listener, listener_monitor, zap, watched };
constexpr std::uint64_t tag(Source source, std::uint64_t serial = 0) { return serial << 3 | static_cast<std::uint64_t>(source); }
constexpr Source source_of(std::uint64_t tag) { return static_cast<Source>(tag & 7); }
constexpr std::uint64_t serial_of(std::uint64_t tag) { return tag >> 3; }

/// How often it is considered whether to look at each connection, for floods and for introductions that never came. A look costs a system call
/// a connection; so it is taken where this process has worked since the last one, for no flood comes in without: libzmq takes in and decrypts
/// less than 1 MB in a millisecond of CPU. And now and then in any case, for those who do nothing at all.
constexpr Duration look_interval = std::chrono::milliseconds(500);
constexpr Duration look_interval_idle = std::chrono::seconds(5);
constexpr Duration look_after_cpu = std::chrono::milliseconds(10);

Duration cpu_used() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace

class Transport::Impl {
 public:
  Impl(TransportOptions options, Crypto& crypto, ::zmq::context_t context)
      : shared_{.swarm = options.swarm, .keys = options.keys, .crypto = crypto, .context = std::move(context),
                .descriptors = raise_descriptor_limit(8 * core::limits::job_links_max), .links = {}, .counters = {}},
        zap_(shared_.context),
        dialler_(shared_),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    DUGNAD_ASSERT(epoll_ >= 0, std::strerror(errno));
    add(zap_.descriptor(), tag(Source::zap));
  }

  ~Impl() { ::close(epoll_); }

  Result<void> listen(const std::vector<core::Endpoint>& choices) {
    if (choices.empty()) return {};
    listener_ = std::make_unique<Listener>(shared_);
    auto bound = listener_->bind(choices);
    if (!bound) return bound.error();
    bound_ = *bound;
    add(listener_->descriptor(), tag(Source::listener));
    add(listener_->monitor_descriptor(), tag(Source::listener_monitor));
    return {};
  }

  std::optional<core::Endpoint> bound() const { return bound_; }

  bool linked(const PeerId& peer) const { return shared_.links.best(peer) != nullptr; }

  bool send(const PeerId& to, ByteView frame) {
    const LinkName* link = shared_.links.best(to);
    const Sent sent = !link ? Sent::no_such_peer : link->outbound ? dialler_.send(link->serial, frame) : listener_->send(link->serial, frame);
    if (link) touch(link->outbound ? tag(Source::dialled, link->serial) : tag(Source::listener));
    ++(sent == Sent::yes ? shared_.counters.frames_out : shared_.counters.sends_refused);
    return sent == Sent::yes;
  }

  void dial(const core::Dial& dial, Now now) {
    if (shared_.links.best(dial.peer)) return;  // it has been reported as connected
    const std::uint64_t serial = dialler_.dial(dial, pending_, now.boot);
    if (serial == 0) return;
    add(dialler_.descriptor(serial), tag(Source::dialled, serial));
    add(dialler_.monitor_descriptor(serial), tag(Source::dialled, serial));
    schedule_look(now.boot);
  }

  void disconnect(const core::Disconnect& disconnect, Now now) {
    shared_.links.ban(disconnect.peer, disconnect.ban_until, now.boot);
    for (const LinkName& link : shared_.links.drop(disconnect.peer, pending_)) {
      if (link.outbound) {
        dialler_.close(link.serial, pending_);
      } else {
        listener_->close(link.serial, pending_);
      }
    }
    dialler_.give_up(disconnect.peer, pending_);
    drop_ended();
  }

  bool receive(std::vector<core::Event>& events, Now now) {
    std::move(pending_.begin(), pending_.end(), std::back_inserter(events));
    pending_.clear();
    std::vector<std::uint64_t> ready = std::move(ready_);
    ready_.clear();
    for (const std::uint64_t which : ready) {
      if (serve(which, events, now)) ready_.push_back(which);
    }
    // Looked at only once all that can be delivered was: what is missing then is really held back.
    if (now.boot >= look_at_ && ready_.empty()) look(events, now.boot);
    drop_ended();
    schedule_look(now.boot);
    return !ready_.empty() || !pending_.empty();
  }

  BootTime next_deadline() const { return look_at_; }

  void wait(BootTime until) {
    std::sort(touched_.begin(), touched_.end());
    touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
    for (const std::uint64_t which : touched_) {
      const bool readable = source_of(which) == Source::listener ? listener_->readable() : dialler_.readable(serial_of(which));
      if (readable) make_ready(which);
    }
    touched_.clear();
    const bool at_once = !ready_.empty() || !pending_.empty();
    std::array<epoll_event, 64> found;
    const int count = epoll_wait(epoll_, found.data(), static_cast<int>(found.size()), at_once ? 0 : milliseconds_until(until));
    for (int i = 0; i < count; ++i) make_ready(found[i].data.u64);
  }

  void watch(int descriptor) { add(descriptor, tag(Source::watched)); }

  void linger(Duration time) {
    if (listener_) listener_->linger(time);
    dialler_.linger(time);
  }

  TransportCounters counters() const {
    TransportCounters counters = shared_.counters;
    counters.peers = shared_.links.peers();
    return counters;
  }

 private:
  bool serve(std::uint64_t which, std::vector<core::Event>& events, Now now) {
    switch (source_of(which)) {
      case Source::dialled:
        return dialler_.receive(serial_of(which), events, now.boot);
      case Source::listener:
        return listener_->receive(events, now);
      case Source::listener_monitor:
        listener_->observe(now.boot);
        return listener_->receive(events, now);  // an end counts once all that came before it was taken in
      case Source::zap:
        zap_.answer(shared_.room());
        return false;
      case Source::watched:
        return false;
    }
    return false;
  }

  static int milliseconds_until(BootTime until) {
    if (until == never) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - read_clocks().boot).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
  }

  /// A socket signals only after it was once found empty: so each new one is read from first.
  void add(int descriptor, std::uint64_t which) {
    make_ready(which);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = which}};
    DUGNAD_ASSERT(epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0, std::strerror(errno));
  }

  void drop_ended() {
    for (const std::uint64_t serial : dialler_.ended()) {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, dialler_.descriptor(serial), nullptr);
      epoll_ctl(epoll_, EPOLL_CTL_DEL, dialler_.monitor_descriptor(serial), nullptr);
    }
    dialler_.drop_ended();
  }

  void look(std::vector<core::Event>& events, BootTime now) {
    look_at_ = never;
    const Duration cpu = cpu_used();
    if (cpu - cpu_at_look_ < look_after_cpu && now - looked_at_ < look_interval_idle) return;
    cpu_at_look_ = cpu;
    looked_at_ = now;
    if (listener_) listener_->look(events, now);
    dialler_.look(events, now);
  }

  void schedule_look(BootTime now) {
    if (look_at_ == never && shared_.counters.connections + shared_.counters.dials > 0) look_at_ = now + look_interval;
  }

  void touch(std::uint64_t which) {
    if (touched_.empty() || touched_.back() != which) touched_.push_back(which);
  }
  void make_ready(std::uint64_t which) {
    if (std::find(ready_.begin(), ready_.end(), which) == ready_.end()) ready_.push_back(which);
  }

  Shared shared_;
  Zap zap_;
  std::unique_ptr<Listener> listener_;  // none: nobody can dial us
  Dialler dialler_;
  int epoll_;
  std::optional<core::Endpoint> bound_;

  std::vector<core::Event> pending_;    // from effects, for the next receive()
  std::vector<std::uint64_t> ready_;    // sources that may have something; few at once
  std::vector<std::uint64_t> touched_;  // sources whose signal a send may have swallowed
  BootTime look_at_ = never;
  BootTime looked_at_{};
  Duration cpu_at_look_{};
};

Result<std::unique_ptr<Transport>> Transport::open(TransportOptions options, Crypto& crypto) {
  auto context = make_context();
  if (!context) return context.error();
  try {
    const auto choices = options.listen;
    auto impl = std::make_unique<Impl>(std::move(options), crypto, std::move(*context));
    if (auto listening = impl->listen(choices); !listening) return listening.error();
    return std::unique_ptr<Transport>(new Transport(std::move(impl)));
  } catch (const ::zmq::error_t& error) {
    return Error{std::string("cannot start ZeroMQ: ") + error.what()};
  }
}

Transport::Transport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transport::~Transport() = default;

std::optional<core::Endpoint> Transport::bound() const { return impl_->bound(); }
bool Transport::linked(const PeerId& peer) const { return impl_->linked(peer); }
bool Transport::send(const PeerId& to, ByteView frame) { return impl_->send(to, frame); }
void Transport::dial(const core::Dial& dial, Now now) { impl_->dial(dial, now); }
void Transport::disconnect(const core::Disconnect& disconnect, Now now) { impl_->disconnect(disconnect, now); }
bool Transport::receive(std::vector<core::Event>& events, Now now) { return impl_->receive(events, now); }
BootTime Transport::next_deadline() const { return impl_->next_deadline(); }
void Transport::wait(BootTime until) { impl_->wait(until); }
void Transport::watch(int descriptor) { impl_->watch(descriptor); }
void Transport::linger(Duration time) { impl_->linger(time); }
TransportCounters Transport::counters() const { return impl_->counters(); }

}  // namespace dugnad::zmq
