// bulk::Serving: which chunks are sent to whom, and when.
//
// Specification
//   1. Each peer is served within a rate, a slower one over a relay, and all together within what the user allows; in turn, chunk by chunk.
//      Rationale: a relay breaks a link that exceeds its quota; one that fetches all day must not take the whole line.
//   2. Of the chunks that a peer wants it gets those first that were sent least often, to whomever. Rationale: they then have different
//      ones, and can help each other.
//   3. What is wanted fresh, and was sent to somebody before, is not sent: the peer is told to ask the others (Spread).
//   4. Whoever asks for more than bulk_credits chunks at a time is charged.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "coordinatorless/base/time.h"
#include "coordinatorless/core/bulk_frames.h"
#include "coordinatorless/core/token_bucket.h"

namespace dugnad::core::bulk {

class Serving {
 public:
  struct Due {
    PeerId to;
    BlobId blob;
    std::uint32_t index = 0;
  };

  /// Bytes a second to all together; 0: no limit.
  void limit(double bytes_per_second);

  /// Linked directly. Whoever is not is reached through a relay, or not at all.
  void connected(const PeerId& peer) {
    direct_.insert(peer);
    services_.erase(peer);  // its rate is another now; what was asked for over the relay is asked for again
  }
  void lost(const PeerId& peer) {
    direct_.erase(peer);
    services_.erase(peer);
  }

  struct Answer {
    bool greedy = false;                  // more than the credits: a charge
    std::optional<Spread> spread{};       // to be sent
  };
  [[nodiscard]] Answer on(const PeerId& from, const Request& request);
  /// What may be sent by now, in order.
  [[nodiscard]] std::vector<Due> take(BootTime now);
  [[nodiscard]] BootTime next_deadline() const;

 private:
  struct Service {
    TokenBucket bytes;
    std::deque<std::pair<BlobId, std::uint32_t>> chunks{};  // at most bulk_credits
    std::deque<std::pair<BlobId, std::uint32_t>> lately{};  // asked for last, and perhaps still on their way: at most twice the credits
  };
  [[nodiscard]] Service* service_of(const PeerId& peer);
  /// How often each chunk was sent.
  [[nodiscard]] std::vector<std::uint32_t>& sent(const BlobId& blob);

  struct Spreading {
    std::vector<std::uint32_t> sent;
    std::uint64_t used = 0;
  };

  std::set<PeerId> direct_;
  std::map<PeerId, Service> services_;    // at most bulk_services_max
  std::map<BlobId, Spreading> spreading_; // at most bulk_spread_max; who was asked for longest ago goes
  std::uint64_t uses_ = 0;
  std::optional<TokenBucket> all_;
  PeerId last_;                           // who was served last
};

}  // namespace dugnad::core::bulk
