// RelayedLinks: links to peers that can only be reached through a relay that both have dialled. To the rest of the core such a link is
// one like any other: frames arrive complete and in order, or it breaks; the relay sees neither content nor keys.
//
//   caller -> Knock {record, session a} -> called        the records certify both CURVE keys caller <- Knock {record, session b, answer}
//   <- called both   -> Relay {counter 0, sealed nothing}          proves that the other holds its key and knows both sessions: only now
//   the link is up both   -> Relay {counter n, sealed frame}
//
// Rules, and what each resists:
// - Nonce: the session of the lower peer id, that of the higher, and the counter with the direction as its top bit. Each side draws its
//   session afresh for each link, so no nonce repeats for a pair of keys, over restarts too, and a recorded link cannot be played again
//   to either side.
// - Counters are consecutive. A lower one is a replay: refused. A gap or a frame that does not open breaks the link. Rationale: in order,
//   or broken.
// - A knock replaces a standing link only once the new one is proved. Rationale: contact records are public, so anybody who relays can
// knock with one.
// - When two knock at each other, the lower peer id is the caller.
// - Knocks that come in have an allowance by relay, and links and attempts a limit. Rationale: a knock costs a signature check and a key
//   agreement.
// - What an end did wrong is not charged to the relay. Rationale: else any peer could make two others break with each other.
// - Frames leave at three quarters of the relay's quota; what waits is bounded by outbox_bytes_max, beyond which the link breaks.
// - Whoever hears something and has said nothing for a quarter of relay_idle says nothing, sealed: so a link that one side uses stays,
//   and one that neither uses ends by relay_idle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/self.h"
#include "coordinatorless/core/token_bucket.h"

namespace dugnad::core {

class RelayedLinks {
 public:
  /// `self` outlives the links.
  explicit RelayedLinks(const Self& self) : self_(self) {}

  /// Our signed contact record: before the first knock, and whenever it is renewed.
  void set_own_record(Signed record) { own_record_ = std::move(record); }

  // --- Direct links: the relays there may be ---
  void connected(const PeerId& relay) { relays_.try_emplace(relay); }
  void lost(const PeerId& relay, Now now);

  /// Knocks at `target` through one of its relays that we are linked with; PeerConnected or DialFailed comes out of take_events(). False where
  /// there is no such relay (link with one of target.relays first) or no room, or where it is up or tried already.
  [[nodiscard]] bool reach(const ContactRecord& target, Now now, Output& out);
  /// Hangs up; PeerLost comes out. For Disconnect, and when a direct link to the same peer came up.
  void drop(const PeerId& peer, Output& out);

  /// True while the link is up: then frames for this peer go through send(), not to the driver.
  [[nodiscard]] bool carries(const PeerId& peer) const { return up_.contains(peer); }
  /// Where the link breaks of it (too much waits), PeerLost comes out.
  void send(const PeerId& peer, Bytes frame, Now now, Output& out);

  // --- Messages whose `to` is us, and every RelayGone. A charge is that of `from`, the relay. ---
  [[nodiscard]] Charge on(const PeerId& from, const Knock& message, Now now, Output& out);
  [[nodiscard]] Charge on(const PeerId& from, const Relay& message, Now now, Output& out);
  void on(const PeerId& from, const RelayGone& message);

  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const;

  /// PeerConnected, MessageReceived, PeerLost and DialFailed of relayed peers, in order. Peer handles them as if the driver had sent them.
  [[nodiscard]] std::vector<Event> take_events();

 private:
  struct Link {
    PeerId relay;
    PublicKey key;
    CurveKey curve;
    std::uint64_t session_own = 0;
    std::uint64_t session_other = 0;
    bool asked = false;      // by reach(): somebody waits to hear how it ends
    bool caller = false;     // we knocked
    bool answered = false;   // both sessions are known
    std::uint64_t sent = 0;  // the next counters
    std::uint64_t received = 0;
    BootTime sent_at{};
    BootTime received_at{};
    bool owes_sign = false;  // something came since we last sent
    BootTime gives_up_at{};  // while not up
    TokenBucket pace{limits::relay_bytes_per_second * 0.75, limits::relay_burst_bytes * 0.5};
    std::deque<Bytes> waiting;
    std::size_t waiting_bytes = 0;
  };
  using Links = std::map<PeerId, Link>;
  struct Relaying {
    TokenBucket knocks{limits::knocks_per_second, limits::knocks_burst};
  };

  void answered(const PeerId& relay, const Knock& message, Now now, Output& out);
  void called(Relaying& relaying, const PeerId& relay, const Knock& message, Now now, Output& out);
  [[nodiscard]] std::optional<ContactRecord> check_record(const Knock& message, Now now) const;
  [[nodiscard]] bool room() const;
  [[nodiscard]] std::optional<Bytes> open_frame(const PeerId& peer, const Link& link, const Relay& message);
  void received(const PeerId& peer, Link& link, Bytes frame, Now now);
  void seal_frame(const PeerId& peer, Link& link, ByteView frame, Now now, Output& out);
  void flush(const PeerId& peer, Link& link, Now now, Output& out);
  [[nodiscard]] Link& rise(Links::iterator pending);
  void fall(Links::iterator up);
  void give_up(Links::iterator pending, const char* reason);
  void hang_up(const PeerId& peer, const Link& link, Output& out);

  const Self& self_;
  std::optional<Signed> own_record_;
  std::map<PeerId, Relaying> relays_;
  Links up_;
  Links pending_;  // may hold a peer that is up, too: see above
  std::vector<Event> events_;
};

}  // namespace dugnad::core
