// Loop: runs one core::Peer over a Transport, a store and an executor, on the one thread that calls run(). It decides nothing: it reads the
// clocks, hands events in, carries effects out in their order, and sleeps when there is nothing to do.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "coordinatorless/core/peer.h"
#include "coordinatorless/zmq/transport.h"

namespace dugnad::zmq {

/// Where effects go. All are called on the loop's thread and must not block.
struct Hooks {
  std::function<void(core::StartAttempts)> start;    // empty: each attempt ends as a donor's fault
  std::function<void(core::CancelAttempts)> cancel;
  std::function<std::vector<FinishedAttempt>()> collect;
  std::function<void(core::FetchBlob)> fetch;        // BlobFetched or BlobFailed is posted; empty: each fails
  std::function<void(core::HelpFetch)> help;
  std::function<void(core::OfferBlob)> offer;
  std::function<void(core::ReleaseBlob)> release;
  std::function<void(const core::OutputHeld&)> held;     // HeldOutputsFound brings it back in the next process; empty: nothing does
  std::function<void(const core::OutputLetGo&)> let_go;
  std::function<void(const PeerId&, Bytes)> bulk;    // a bulk frame of an introduced peer; empty: dropped
  std::function<void(core::Persist)> persist;        // persisted() follows; empty: nothing is kept, and nothing waits for it
  std::function<void(core::MintIdentity)> mint;      // IdentityMinted is posted some day; empty: never
  std::function<void(const core::Event&)> link;      // PeerConnected, PeerLost and DialFailed, just before the peer hears of it; for the log
  std::function<void(core::Effect)> notice;          // DeliverResults, DonorOutvoted, NobodyToCompute, DonorsBack, JobEnded, Departed
};

class Loop {
 public:
  Loop(std::unique_ptr<core::Peer> peer, std::unique_ptr<Transport> transport, Hooks hooks);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Returns after Departed (what was sent last gets half a second to leave) or stop(). The links stay until the destructor.
  void run();

  // From any thread, also before run() and after it.
  void post(core::Event event);
  void post(std::vector<core::Event> events);
  /// There is something to collect().
  void wake();
  /// Sends a bulk frame as soon as the link has room, past the peer; over a relay where there is no link. Gone where there is neither.
  /// The caller keeps few of them underway.
  void send_bulk(const PeerId& to, Bytes frame);
  /// The store holds everything up to `seq`.
  void persisted(PersistSeq seq);
  /// Runs `work` on the loop's thread, between two events; not at all where the loop has ended. It must not block.
  void call(std::function<void(core::Peer&)> work);
  /// Makes run() return soon, whatever still goes on.
  void stop();

  /// For the loop's thread: hooks and call().
  [[nodiscard]] Transport& transport();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dugnad::zmq
