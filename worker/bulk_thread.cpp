#include "worker/bulk_thread.h"

#include <utility>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/zmq/clocks.h"

namespace dugnad::worker {
namespace {

using core::bulk::Transfer;

constexpr Duration touch_interval = store::BlobStore::touch_pinned_within / 3;

BootTime boot_now() { return zmq::read_clocks().boot; }

}  // namespace

BulkThread::BulkThread(store::BlobStore& store, const PeerId& self, Outside outside)
    : store_(store), self_(self), outside_(std::move(outside)), touch_at_(boot_now() + touch_interval), thread_([this] {
        transfer_.limit(outside_.upload_per_second, outside_.download_per_second);
        run();
      }) {}

BulkThread::~BulkThread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

// --- Any thread ---

void BulkThread::fetch(const core::FetchBlob& fetch) { queue(fetch); }
void BulkThread::help(const core::HelpFetch& help) { queue(help); }
void BulkThread::offer(const core::OfferBlob& offer) { queue(offer); }
void BulkThread::release(const core::ReleaseBlob& release) { queue(release); }
void BulkThread::hold(const BlobId& blob) { queue(Hold{blob}); }
void BulkThread::let_go(const BlobId& blob) { queue(LetGo{blob}); }
void BulkThread::linked(const PeerId& peer) { queue(Linked{peer}); }
void BulkThread::lost(const PeerId& peer) { queue(Lost{peer}); }
void BulkThread::received(const PeerId& from, Bytes frame) { queue(Received{from, std::move(frame)}); }

void BulkThread::queue(Task task) {
  const auto* received = std::get_if<Received>(&task);
  {
    const std::lock_guard lock(mutex_);
    if (received != nullptr) {
      // An honest peer has few chunks underway; beyond that somebody floods us, and a fetch that loses a chunk by it is tried again.
      if (frame_bytes_ + received->frame.size() > core::limits::bulk_inbox_max) return;
      frame_bytes_ += received->frame.size();
    }
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

// --- The thread ---

void BulkThread::run() {
  while (true) {
    const std::deque<Task> tasks = wait();
    for (const Task& task : tasks) {
      std::visit([this](const auto& what) { on(what); }, task);
      carry_out();
    }
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
    }
    transfer_.tick(boot_now());
    carry_out();
    touch_pinned();
  }
}

void BulkThread::touch_pinned() {
  const BootTime now = boot_now();
  if (now < touch_at_) return;
  touch_at_ = now + touch_interval;
  store_.touch_pinned();
}

std::deque<BulkThread::Task> BulkThread::wait() {
  const BootTime due = std::min(transfer_.next_deadline(), pinned_.empty() ? never : touch_at_);
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return stop_ || !tasks_.empty(); };
  if (due == never) {
    changed_.wait(lock, ready);
  } else {
    changed_.wait_for(lock, std::max<Duration>(due - boot_now(), Duration::zero()), ready);
  }
  frame_bytes_ = 0;
  return std::exchange(tasks_, {});
}

void BulkThread::share(const BlobId& blob) {
  if (!shared_.insert(blob).second) return;
  shared_order_.push_back(blob);
  if (shared_order_.size() <= core::limits::bulk_shared_max) return;
  shared_.erase(shared_order_.front());
  shared_order_.pop_front();
}

bool BulkThread::may_serve(const BlobId& blob) { return !secret_.contains(blob) && (shared_.contains(blob) || store_.is_pinned(blob)); }

void BulkThread::on(const core::FetchBlob& fetch) {
  if (fetch.from != self_) fetch.sharing == core::Sharing::shared ? share(fetch.blob) : void(secret_.insert(fetch.blob));
  if (pinned_.contains(fetch.blob)) {
    if (store_.holds(fetch.blob)) return outside_.post(core::BlobFetched{fetch.blob});
    store_.unpin(fetch.blob);  // it was here and is lost: the core fetches it again
    tell_of_loss("a blob that is needed is gone from the cache, or corrupt, and is fetched again");
    pinned_.erase(fetch.blob);
  }
  if (store_.pin(fetch.blob)) {
    pinned_.insert(fetch.blob);
    return outside_.post(core::BlobFetched{fetch.blob});
  }
  if (fetch.from == self_) return outside_.post(core::BlobFailed{fetch.blob, self_, "it is not here any more", core::FetchFailure::missing});
  transfer_.fetch(fetch.blob, fetch.from, fetch.sharing, boot_now());
}

void BulkThread::on(const core::HelpFetch& help) { transfer_.help(help.blob, help.from, boot_now()); }

/// A result for which it was fetched is signed and gone: who audits that one is sent here for it, even while another unit needs it.
void BulkThread::on(const core::OfferBlob& offer) {
  secret_.erase(offer.blob);
  share(offer.blob);
}

void BulkThread::on(const core::ReleaseBlob& release) {
  secret_.erase(release.blob);
  if (pinned_.erase(release.blob) > 0) {
    store_.unpin(release.blob);
  } else {
    transfer_.cancel(release.blob);
  }
}

void BulkThread::on(const Hold& hold) {
  transfer_.cancel(hold.blob);
  if (!pinned_.insert(hold.blob).second) store_.unpin(hold.blob);  // the core's one pin is there already
}

void BulkThread::on(const LetGo& let_go) { store_.unpin(let_go.blob); }
void BulkThread::on(const Linked& linked) { transfer_.connected(linked.peer); }
void BulkThread::on(const Lost& lost) { transfer_.lost(lost.peer); }
void BulkThread::on(const Received& received) { transfer_.received(received.from, received.frame, boot_now()); }

void BulkThread::carry_out() {
  for (auto actions = transfer_.take(); !actions.empty(); actions = transfer_.take()) {
    for (Transfer::Action& action : actions) std::visit([this](auto& what) { act(what); }, action);
  }
}

void BulkThread::act(Transfer::Send& send) { outside_.send(send.to, std::move(send.frame)); }

void BulkThread::act(const Transfer::Begin& begin) {
  auto here = store_.begin(begin.blob);
  if (here) {
    transfer_.begun(begin.blob, *std::move(here), boot_now());
  } else {
    transfer_.refuse(begin.blob, here.error().message, boot_now());
  }
}

void BulkThread::act(const Transfer::Keep& keep) {
  if (!transfer_.fetches(keep.blob)) return;  // refused since
  const auto kept = store_.add(keep.blob, keep.index, keep.path, keep.bytes);
  if (!kept) return transfer_.refuse(keep.blob, kept.error().message, boot_now());
  down_ += keep.bytes.size();
}

void BulkThread::act(const Transfer::Finish& finish) {
  if (!transfer_.fetches(finish.blob)) return;
  if (const auto kept = store_.finish(finish.blob); !kept) return transfer_.refuse(finish.blob, kept.error().message, boot_now());
  pinned_.insert(finish.blob);
  transfer_.finished(finish.blob, boot_now());
  outside_.post(core::BlobFetched{finish.blob});
}

void BulkThread::act(const Transfer::BreakOff& broken) { store_.break_off(broken.blob); }
void BulkThread::act(Transfer::Failed& failed) { outside_.post(core::BlobFailed{failed.blob, failed.from, std::move(failed.reason), failed.cause}); }

void BulkThread::act(const Transfer::Serve& serve) {
  auto chunk = may_serve(serve.blob) ? store_.chunk(serve.blob, serve.index) : std::nullopt;
  if (chunk) {
    up_ += chunk->bytes.size();
    outside_.send(serve.to, encode(core::bulk::Chunk{serve.blob, serve.index, std::move(chunk->path), std::move(chunk->bytes)}));
  } else {
    if (store_.is_pinned(serve.blob) && !secret_.contains(serve.blob)) {
      tell_of_loss("data of a job that runs is gone from the cache of blobs, and nobody gets it from here; interrupt the job and resume it");
    }
    if (pinned_.contains(serve.blob) && !store_.holds(serve.blob)) {  // the core is to fetch it again
      outside_.post(core::BlobFailed{serve.blob, self_, "it is gone from the cache", core::FetchFailure::missing});
    }
    outside_.send(serve.to, encode(core::bulk::Missing{serve.blob}));
  }
}

void BulkThread::tell_of_loss(const char* line) {
  const BootTime now = boot_now();
  if (!outside_.trouble || (loss_told_at_ != never && now < loss_told_at_ + std::chrono::minutes(1))) return;
  loss_told_at_ = now;
  outside_.trouble(line);
}

void BulkThread::act(const Transfer::Tell& tell) {
  if (may_serve(tell.blob) && store_.holds(tell.blob)) {
    const ChunkSet all = ChunkSet::all(chunk_count(tell.blob.length));
    outside_.send(tell.to, encode(core::bulk::Have{tell.blob, false, false, all}));
  } else {
    outside_.send(tell.to, encode(core::bulk::Missing{tell.blob}));
  }
}

void BulkThread::act(const Transfer::Misbehaved& misbehaved) {
  outside_.post(core::PeerMisbehaved{misbehaved.peer, misbehaved.charge});
}

}  // namespace dugnad::worker
