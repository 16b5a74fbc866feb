// Membership: finding everybody from any one contact, and staying in the swarm when that contact is gone.
//
//   - Whoever links gets welcome_records at most, our own the first.         *Any one contact is enough.*
//   - A record of a peer not known before goes on to gossip_fanout neighbours at once, while the view is full (full_view_max), from a
//     budget.                                                                *News in seconds; invented peers soon stop travelling.*
//   - Every shuffle_interval a random neighbour gets shuffle_records, those passed on least, and sends as many back; sooner while there is
//     news and the view is not full. So each refreshed record reaches everybody well before the old one runs out.
//   - A record is verified once, before anything else is done with it; the bytes that came are what is passed on.
//   - A loopback or private address is passed on only to those who are in that network with us.
//   - overlay_outbound links are kept up to peers of different networks of our own choosing, half of them from the tried; a feeler now and
//     then finds out who of the others is real.                              *To eclipse us takes most of the book, from many networks.*
//   - A peer that ends a link which we dialled has too many of them: it is left alone for left_alone_first, longer each time, where the book
//     has others.                      *A large swarm settles, instead of dialling whom everybody knows again and again: a welcome each time.*
//   - Whoever leaves in order says goodbye: it is neither listed, nor dialled, nor told of to newcomers. Goodbyes travel as news of a peer does,
//     among those that know it, from the same budget.            *Only its key can bury a peer; strangers' goodbyes are not kept.*
//   - A peer whose own record is older than what we have of it is shown that.        *Its clock was set back: it signs a later one.*
//   - Peers we were linked with are remembered across a restart; the last seen are dialled first (anchors).
//   - A peer that could not be dialled three times counts as dead: it is neither listed nor passed on. It is still tried now and then, when
//     nobody else is left, and by feelers.                                   *Two halves of a swarm that was cut find each other again.*
//
// Idle traffic, with records of at most 200 bytes on the wire: one shuffle begun and one answered every 30 s, 16 records each: 213 B/s; a
// feeler made and one received every 2 min, 32 records each: 107 B/s; our own record to 32 neighbours every 10 min: 11 B/s. Under 350 B/s
// sent, and as much received.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "coordinatorless/core/book.h"
#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/contact_memory.h"
#include "coordinatorless/core/links.h"
#include "coordinatorless/core/own_record.h"
#include "coordinatorless/core/seam.h"
#include "coordinatorless/core/self.h"

namespace dugnad::core {

class Membership {
 public:
  /// Both outlive the membership. Links hears of every event first.
  Membership(const Self& self, Links& links);

  // --- What happens ---

  /// After Links::connected(), whatever that said: a second connection may show that a peer can be dialled.
  void connected(const PeerConnected& event, Now now, Output& out);
  /// After Links::lost() gave the link.
  void lost(const PeerId& peer, const Link& link, Now now);
  void dial_failed(const PeerId& peer, Now now);
  /// What Self says of us has changed.
  void self_changed(Now now) { own_.may_differ(now); }
  /// Our own record is to carry this proof of work.
  void prove(const IdentityTicket& ticket, Now now) { own_.prove(ticket, now); }
  [[nodiscard]] Charge contacts(const PeerId& from, const Contacts& message, Now now, Output& out);
  void restored(const ContactsRestored& event, Now now, Output& out);
  /// We leave for good: says goodbye to the neighbours, and from then on nothing of its own accord. Harmless to repeat.
  void leave(Now now, Output& out);
  void tick(Now now, Output& out);
  [[nodiscard]] BootTime next_deadline() const;

  /// A record that came with something else (an announcement, a knock): checked, and kept where there is room. `record` only where it is
  /// genuine and current; it may be used whether it was kept or not.
  struct Learnt {
    std::optional<ContactRecord> record;
    Charge charge;
  };
  [[nodiscard]] Learnt learn(const Signed& raw, const PeerId& told_by, Now now, Output& out);

  /// Contacts to be kept or forgotten: at most one batch per contact_rows_interval, empty in between. To be asked after every event;
  /// `all`: whatever there is, for an orderly stop.
  [[nodiscard]] std::vector<Row> take_rows(Now now, bool all = false) { return memory_.take_rows(now, all); }

  // --- What is ---

  /// Our own record, signed. tick() signs it anew when it is old or says something that is no longer so.
  [[nodiscard]] const Signed& own_record(Now now);
  /// nullopt where the peer is not in the book, or gone.
  [[nodiscard]] std::optional<ContactRecord> record_of(const PeerId& peer) const;
  /// nullptr where the peer is not in the book, or gone. Valid until the next call that is not const.
  [[nodiscard]] const Signed* signed_record_of(const PeerId& peer) const;
  /// The same, if the peer is one of whom `to` may be told.
  [[nodiscard]] const Signed* signed_record_for(const PeerId& to, const PeerId& peer, Now now) const;
  /// Where the peer may be dialled, by what the book knows.
  [[nodiscard]] std::optional<Route> route_to(const PeerId& peer) const;
  /// Everybody else that we know and do not take for dead, by id.
  [[nodiscard]] std::vector<ContactRecord> known() const;
  [[nodiscard]] std::size_t count() const;

 private:
  struct Neighbour {
    BootTime answer_after{};       // asks for an answer before this get none
  };
  struct Accepted {
    std::optional<ContactRecord> record;  // genuine and current
    Charge charge;
    bool news = false;                    // of a peer not known before
    std::optional<PeerId> pass_on{};      // the peer of which others are to be told at once
    bool outdated = false;                // the teller's own, and older than what we have of it
  };

  void start(Now now);
  [[nodiscard]] Accepted accept(const Signed& raw, const PeerId& told_by, Now now);
  [[nodiscard]] Accepted accept_goodbye(const Signed& raw, Now now);
  void refresh_own(Now now, Output& out);
  [[nodiscard]] std::vector<PeerId> best_relays() const;
  [[nodiscard]] bool may_pass(const PeerId& subject, const BookEntry& entry, const PeerId& to, Now now) const;
  enum class Draw : std::uint8_t { any, least_passed };
  [[nodiscard]] std::vector<Signed> draw(Draw how, const PeerId& to, std::size_t count, Now now);
  [[nodiscard]] bool take_token(Now now);
  void pass_on(const std::vector<PeerId>& subjects, const PeerId& told_by, Now now, Output& out);
  void shuffle(Now now, Output& out);
  void feel(Now now, Output& out);
  void fill_overlay(Now now, Output& out);
  enum class Choice : std::uint8_t { other_networks, any_network, untried, dead };
  [[nodiscard]] std::optional<Route> choose(Choice choice, Now now);
  void meet(const PeerId& peer, Now now);

  const Self& self_;
  Links& links_;
  Book book_;
  OwnRecord own_;
  ContactMemory memory_;
  std::map<PeerId, Neighbour> neighbours_;

  double tokens_ = limits::newcomers_burst;  // for passing on at once
  BootTime tokens_at_{};

  bool started_ = false;
  bool left_ = false;
  BootTime next_shuffle_ = never;
  BootTime next_feeler_ = never;
  BootTime next_fill_ = never;
  BootTime next_expiry_ = never;
};

}  // namespace dugnad::core
