#include "coordinatorless/zmq/loop.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>

#include "coordinatorless/core/bulk_frames.h"
#include "coordinatorless/core/gate.h"
#include "coordinatorless/zmq/clocks.h"
#include "coordinatorless/zmq/waker.h"

namespace dugnad::zmq {
namespace {

constexpr Duration collect_interval = std::chrono::milliseconds(250);  // an executor wakes us; this is for one that forgot
constexpr Duration bulk_retry = std::chrono::milliseconds(5);
constexpr Duration goodbye = std::chrono::milliseconds(500);

bool tells_of_link(const core::Event& event) {
  return std::holds_alternative<core::PeerConnected>(event) || std::holds_alternative<core::PeerLost>(event) ||
         std::holds_alternative<core::DialFailed>(event);
}

}  // namespace

class Loop::Impl {
 public:
  Impl(std::unique_ptr<core::Peer> peer, std::unique_ptr<Transport> transport, Hooks hooks)
      : hooks_(std::move(hooks)), peer_(std::move(peer)), transport_(std::move(transport)) {
    transport_->watch(waker_.descriptor());
  }

  void run() {
    carry_out(read_clocks());
    while (!departed_ && !stop_.load()) {
      sleep();
      turn(read_clocks());
    }
    if (departed_) transport_->linger(goodbye);
  }

  template <class Change>
  void from_outside(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change(inbox_);
      inbox_filled_.store(true);
    }
    waker_.wake();
  }
  void post(std::vector<core::Event> events) {
    from_outside([&](Inbox& inbox) { std::move(events.begin(), events.end(), std::back_inserter(inbox.events)); });
  }
  void wake() {
    completions_.store(true);
    waker_.wake();
  }
  void send_bulk(const PeerId& to, Bytes frame) {
    from_outside([&](Inbox& inbox) { inbox.bulk.emplace_back(to, std::move(frame)); });
  }
  void persisted(PersistSeq seq) {
    from_outside([&](Inbox& inbox) { inbox.persisted = std::max(inbox.persisted, seq); });
  }
  void call(std::function<void(core::Peer&)> work) {
    from_outside([&](Inbox& inbox) { inbox.calls.push_back(std::move(work)); });
  }
  void stop() {
    stop_.store(true);
    waker_.wake();
  }

  Transport& transport() { return *transport_; }

 private:
  struct Inbox {
    std::vector<core::Event> events;
    std::vector<std::function<void(core::Peer&)>> calls;
    std::vector<std::pair<PeerId, Bytes>> bulk;
    PersistSeq persisted;
  };

  void sleep() {
    waker_.drowse();
    const bool busy = more_ || inbox_filled_.load() || completions_.load() || stop_.load();
    transport_->wait(busy ? BootTime{} : next_deadline());
    waker_.rise();
  }

  BootTime next_deadline() const {
    BootTime deadline = std::min(peer_->next_deadline(), transport_->next_deadline());
    if (attempts_ > 0) deadline = std::min(deadline, collect_at_);
    if (!bulk_.empty()) deadline = std::min(deadline, bulk_at_);
    return deadline;
  }

  /// One round: everything that has come in is handed to the peer, and each event's effects are carried out before the next, so that a
  /// request's answer is on its way while the rest is still handled.
  void turn(Now now) {
    events_.clear();
    // First, and handed over before anything that came meanwhile: collecting keeps an attempt's large output, and what is said about the same bytes
    // by somebody else, letting go of them, must not fall between the two.
    collect(now);
    more_ = transport_->receive(events_, now);
    take_inbox(now);
    for (core::Event& event : events_) {
      if (!is_bulk(event)) handle(std::move(event), now);
    }
    if (peer_->next_deadline() <= now.boot) handle(core::TimerDue{}, now);
    send_waiting_bulk(now);
  }

  /// Behind everything that the peer had to say, since that is what others wait for.
  void send_waiting_bulk(Now now) {
    for (auto at = bulk_.begin(); at != bulk_.end();) {
      auto& [to, frames] = *at;
      const bool direct = transport_->linked(to);
      while (!frames.empty() && (!direct || transport_->send(to, frames.front()))) {
        if (!direct) handle(core::BulkToRelay{to, std::move(frames.front())}, now);
        frames.pop_front();
      }
      at = frames.empty() ? bulk_.erase(at) : std::next(at);
    }
    bulk_at_ = now.boot + bulk_retry;
  }

  /// Whether it is one, and dealt with.
  bool is_bulk(core::Event& event) {
    auto* received = std::get_if<core::MessageReceived>(&event);
    if (received == nullptr || !core::bulk::is_bulk(received->frame)) return false;
    if (hooks_.bulk) hooks_.bulk(received->from, std::move(received->frame));
    return true;
  }

  void handle(core::Event event, Now now) {
    if (hooks_.link && tells_of_link(event)) hooks_.link(event);
    peer_->handle(std::move(event), now);
    carry_out(now);
  }

  void take_inbox(Now now) {
    if (!inbox_filled_.load()) return;
    Inbox inbox;
    {
      const std::lock_guard lock(mutex_);
      std::swap(inbox, inbox_);
      inbox_filled_.store(false);
    }
    if (inbox.persisted > persisted_) committed(inbox.persisted, now);
    std::move(inbox.events.begin(), inbox.events.end(), std::back_inserter(events_));
    for (auto& [to, frame] : inbox.bulk) bulk_[to].push_back(std::move(frame));
    for (const auto& work : inbox.calls) work(*peer_);
    if (!inbox.calls.empty()) carry_out(now);
  }

  void collect(Now now) {
    const bool woken = completions_.exchange(false);
    if (!hooks_.collect || (attempts_ == 0 && !woken)) return;
    collect_at_ = now.boot + collect_interval;
    std::vector<FinishedAttempt> finished = hooks_.collect();
    if (finished.empty()) return;
    attempts_ -= std::min(attempts_, finished.size());
    handle(core::AttemptsFinished{std::move(finished)}, now);
  }

  void committed(PersistSeq seq, Now now) {
    persisted_ = std::max(persisted_, seq);
    for (core::Effect& effect : gate_.committed(seq)) perform(std::move(effect), now);
    handle(core::Persisted{seq}, now);
  }

  void carry_out(Now now) {
    while (auto effect = peer_->next_effect()) {
      if (auto free = gate_.pass(std::move(*effect))) perform(std::move(*free), now);
    }
    // What an effect led to at once comes last, since the peer is not to be entered from within its own effects.
    while (!echoes_.empty()) {
      std::vector<core::Event> echoes = std::move(echoes_);
      echoes_.clear();
      refusing_.clear();
      for (core::Event& event : echoes) {
        if (const auto* kept = std::get_if<core::Persisted>(&event)) {
          committed(kept->up_to, now);
        } else {
          handle(std::move(event), now);
        }
      }
    }
  }

  void perform(core::Effect effect, Now now) {
    std::visit([&](auto& what) { perform_one(what, now); }, effect);
  }

  void perform_one(core::SendMessage& send, Now) {
    // Behind a refused frame the peer's later ones are refused too, although there may be room again: they must not overtake it.
    const bool refusing = std::find(refusing_.begin(), refusing_.end(), send.to) != refusing_.end();
    if (!refusing && transport_->send(send.to, send.frame)) return;
    if (!refusing) refusing_.push_back(send.to);
    echoes_.push_back(core::SendRefused{send.to, std::move(send.frame)});
  }
  void perform_one(core::Dial& dial, Now now) { transport_->dial(dial, now); }
  void perform_one(core::Disconnect& disconnect, Now now) { transport_->disconnect(disconnect, now); }
  void perform_one(core::StartAttempts& start, Now now) {
    if (hooks_.start) {
      if (attempts_ == 0) collect_at_ = now.boot + collect_interval;
      attempts_ += start.attempts.size();
      hooks_.start(std::move(start));
      return;
    }
    core::AttemptsFinished finished;
    for (const auto& attempt : start.attempts) {
      finished.attempts.push_back({attempt.attempt, Outcome::donor_fault, to_bytes("this program computes nothing"), {}});
    }
    echoes_.push_back(std::move(finished));
  }
  void perform_one(core::CancelAttempts& cancel, Now) {
    if (hooks_.cancel) hooks_.cancel(std::move(cancel));
  }
  void perform_one(core::FetchBlob& fetch, Now) {
    if (hooks_.fetch) {
      hooks_.fetch(fetch);
    } else {
      echoes_.push_back(core::BlobFailed{fetch.blob, fetch.from, "this program keeps no blobs", core::FetchFailure::here});
    }
  }
  void perform_one(core::HelpFetch& help, Now) {
    if (hooks_.help) hooks_.help(help);
  }
  void perform_one(core::OfferBlob& offer, Now) {
    if (hooks_.offer) hooks_.offer(offer);
  }
  void perform_one(core::ReleaseBlob& release, Now) {
    if (hooks_.release) hooks_.release(release);
  }
  void perform_one(core::OutputHeld& held, Now) {
    if (hooks_.held) hooks_.held(held);
  }
  void perform_one(core::OutputLetGo& gone, Now) {
    if (hooks_.let_go) hooks_.let_go(gone);
  }
  void perform_one(core::BulkReceived& received, Now) {
    if (hooks_.bulk) hooks_.bulk(received.from, std::move(received.frame));
  }
  void perform_one(core::Persist& persist, Now) {
    if (hooks_.persist) {
      hooks_.persist(std::move(persist));
    } else {
      echoes_.push_back(core::Persisted{persist.seq});
    }
  }
  void perform_one(core::MintIdentity& mint, Now) {
    if (hooks_.mint) hooks_.mint(mint);
  }
  void perform_one(core::Departed& departed, Now) {
    departed_ = true;
    notice(departed);
  }
  template <class Notice>
  void perform_one(Notice& what, Now) {
    notice(std::move(what));
  }
  void notice(core::Effect effect) {
    if (hooks_.notice) hooks_.notice(std::move(effect));
  }

  // From any thread.
  std::mutex mutex_;
  Inbox inbox_;  // guarded by mutex_
  std::atomic<bool> inbox_filled_{false};
  std::atomic<bool> completions_{false};
  std::atomic<bool> stop_{false};
  Waker waker_;

  // The loop's thread alone.
  Hooks hooks_;
  std::unique_ptr<core::Peer> peer_;
  std::unique_ptr<Transport> transport_;
  core::Gate gate_;
  std::vector<core::Event> events_;
  std::vector<core::Event> echoes_;
  std::vector<PeerId> refusing_;  // peers with a refused frame among the echoes
  std::map<PeerId, std::deque<Bytes>> bulk_;  // to be sent; the bulk thread keeps few underway to each peer
  BootTime bulk_at_ = never;                  // when what was refused is tried again
  PersistSeq persisted_;
  std::size_t attempts_ = 0;  // started and not yet collected
  BootTime collect_at_ = never;
  bool more_ = false;
  bool departed_ = false;
};

Loop::Loop(std::unique_ptr<core::Peer> peer, std::unique_ptr<Transport> transport, Hooks hooks)
    : impl_(std::make_unique<Impl>(std::move(peer), std::move(transport), std::move(hooks))) {}
Loop::~Loop() = default;

void Loop::run() { impl_->run(); }
void Loop::post(core::Event event) {
  std::vector<core::Event> events;
  events.push_back(std::move(event));
  impl_->post(std::move(events));
}
void Loop::post(std::vector<core::Event> events) { impl_->post(std::move(events)); }
void Loop::wake() { impl_->wake(); }
void Loop::send_bulk(const PeerId& to, Bytes frame) { impl_->send_bulk(to, std::move(frame)); }
void Loop::persisted(PersistSeq seq) { impl_->persisted(seq); }
void Loop::call(std::function<void(core::Peer&)> work) { impl_->call(std::move(work)); }
void Loop::stop() { impl_->stop(); }
Transport& Loop::transport() { return impl_->transport(); }

}  // namespace dugnad::zmq
