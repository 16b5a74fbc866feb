// BulkThread: moves blobs between this peer's store and other peers', on a thread of its own. What is asked of whom is
// core::bulk::Transfer's to decide; here are its clock, its store, and the links it shares with the messages.
//
// What was fetched for a unit whose donors are not to know of each other is served to nobody, whoever asks, until the core offers it; and neither
// is what an earlier run has left in the cache: a blob's name is known to all who were given the unit, and the answer would tell them who else was.
//
// Thread: one; it owns the Transfer. Everything public may be called from any thread and only queues.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "coordinatorless/core/bulk_transfer.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/store/blob_store.h"

namespace dugnad::worker {

class BulkThread {
 public:
  /// Called on the thread; they only queue.
  struct Outside {
    std::function<void(const PeerId&, Bytes)> send;  // a bulk frame
    std::function<void(core::Event)> post;           // BlobFetched, BlobFailed, PeerMisbehaved
    std::function<void(const std::string&)> trouble = {};  // one line for the user: something that is needed is not on disk any more
    // Bytes a second, all peers together; 0: as many as the line takes.
    double upload_per_second = 0;
    double download_per_second = 0;
  };
  /// Bytes of chunks since the start.
  struct Moved {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
  };

  /// `store` outlives it. `self`: a blob to be fetched from there is here, or nowhere.
  BulkThread(store::BlobStore& store, const PeerId& self, Outside outside);
  ~BulkThread();  // at once; what came so far of a fetch stays for another time
  BulkThread(const BulkThread&) = delete;
  BulkThread& operator=(const BulkThread&) = delete;

  void fetch(const core::FetchBlob& fetch);
  void help(const core::HelpFetch& help);
  void offer(const core::OfferBlob& offer);
  void release(const core::ReleaseBlob& release);
  /// It was put into the store, pinned once, and is the core's from now on: as if it had been fetched.
  void hold(const BlobId& blob);
  /// The program needs it once less. Here, since the store makes whoever asks wait for its disk.
  void let_go(const BlobId& blob);
  void linked(const PeerId& peer);
  void lost(const PeerId& peer);
  void received(const PeerId& from, Bytes frame);
  [[nodiscard]] Moved moved() const { return {up_, down_}; }

 private:
  struct Hold {
    BlobId blob;
  };
  struct LetGo {
    BlobId blob;
  };
  struct Linked {
    PeerId peer;
  };
  struct Lost {
    PeerId peer;
  };
  struct Received {
    PeerId from;
    Bytes frame;
  };
  using Task = std::variant<core::FetchBlob, core::HelpFetch, core::OfferBlob, core::ReleaseBlob, Hold, LetGo, Linked, Lost, Received>;

  void queue(Task task);
  void run();
  [[nodiscard]] std::deque<Task> wait();
  void touch_pinned();
  void on(const core::FetchBlob& fetch);
  void on(const core::HelpFetch& help);
  void on(const core::OfferBlob& offer);
  void on(const core::ReleaseBlob& release);
  void on(const Hold& hold);
  void on(const LetGo& let_go);
  void on(const Linked& linked);
  void on(const Lost& lost);
  void on(const Received& received);
  void carry_out();
  void act(core::bulk::Transfer::Send& send);
  void act(const core::bulk::Transfer::Begin& begin);
  void act(const core::bulk::Transfer::Keep& keep);
  void act(const core::bulk::Transfer::Finish& finish);
  void act(const core::bulk::Transfer::BreakOff& broken);
  void act(core::bulk::Transfer::Failed& failed);
  void act(const core::bulk::Transfer::Tell& tell);
  void act(const core::bulk::Transfer::Serve& serve);
  void act(const core::bulk::Transfer::Misbehaved& misbehaved);
  /// Whoever asks may know that it is here.
  [[nodiscard]] bool may_serve(const BlobId& blob);
  void share(const BlobId& blob);
  void tell_of_loss(const char* line);

  // Constant.
  store::BlobStore& store_;
  const PeerId self_;
  const Outside outside_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::size_t frame_bytes_ = 0;  // of all that was received and waits
  bool stop_ = false;

  std::atomic<std::uint64_t> up_{0}, down_{0};

  // The thread's own.
  core::bulk::Transfer transfer_;
  std::set<BlobId> pinned_;   // for the core, until it releases them
  std::set<BlobId> secret_;   // of these, what was fetched and is not shared
  std::set<BlobId> shared_;   // what was fetched and is, or was offered, also when it is only in the cache; at most bulk_shared_max
  std::deque<BlobId> shared_order_;
  BootTime touch_at_;                  // what is pinned, for other programs of the directory
  BootTime loss_told_at_ = never;  // else nobody would know why donors return a job's units; a line a minute is enough

  std::thread thread_;
};

}  // namespace dugnad::worker
