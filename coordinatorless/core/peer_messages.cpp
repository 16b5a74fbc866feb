// What comes from other peers: each message goes to its machine, and what that finds wrong is charged to the sender.
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/peer_parts.h"

namespace dugnad::core {

void Peer::Parts::receive(const PeerId& from, Want&& message, Now now) {
  const bool leads = stewardship.leads(message.job);
  if (from != self.id && links.is_up(from) && (leads || board.runs(message.job))) {
    if (!links.hold(from, Purpose::job)) return out.send(from, Closed{message.job});  // no room for more donors
    budget.set_working(from, true);
  }
  if (leads) return stewardship.on_want(from, message, now, out);
  const Link* link = links.find(from);
  board.on_want(from, message, link != nullptr ? link->seen_at : std::nullopt, now, out);
}

void Peer::Parts::receive(const PeerId& from, Results&& message, Now now) {
  links.useful(from, now);
  if (stewardship.leads(message.job)) return charge(from, stewardship.on_results(from, key_of(from), message, now, out), now);
  const bool is_told = from != self.id && entrusting.entrusts(message.job);
  const std::optional<Results> told = is_told ? std::optional(message) : std::nullopt;
  const auto due = board.on_results(from, key_of(from), std::move(message), now, out);
  if (told && !due && board.counted_all()) entrusting.collected(key_of(from), *told, now);
  charge(from, due, now);
}

void Peer::Parts::receive(const PeerId& from, Return&& message, Now now) {
  if (stewardship.leads(message.job)) return stewardship.on_return(from, message, now, out);
  board.on_return(from, message, now, out);
}

void Peer::Parts::receive(const PeerId& from, Lease&& message, Now now) {
  links.useful(from, now);
  donor.on_lease(from, std::move(message), now, out);
}

void Peer::Parts::receive(const PeerId& from, Closed&& message, Now now) {
  if (donor.on_closed(from, message, now, out)) {
    if (const auto known = gossip.known(message.job); known && known->submitter != from) on_news(*known, now);
  }
  entrusting.on_closed(from, message.job, now);
}

void Peer::Parts::receive(const PeerId& from, Entrust&& message, Now now) {
  const JobId job{hash_of(message.manifest.body).bytes};
  if (board.holds(job) || entrusting.entrusts(job)) return out.send(from, Closed{job});  // nobody is its own steward
  charge(from, stewardship.on(from, message, now, out), now);
}

void Peer::Parts::receive(const PeerId& from, Follow&& message, Now now) {
  if (entrusting.entrusts(message.job)) charge(from, entrusting.on(from, message, now, out), now);
  else charge(from, stewardship.on(from, message, out), now);
}

void Peer::Parts::receive(const PeerId& from, Record&& message, Now now) {
  if (entrusting.entrusts(message.job)) charge(from, entrusting.on(from, std::move(message), now, out), now);
  else charge(from, stewardship.on(from, std::move(message), now, out), now);
}

void Peer::Parts::receive(const PeerId& from, Knock&& message, Now now) {
  if (!links.is_up(from)) return charge(from, charges::unasked, now);  // relays are not stacked
  charge(from, message.to == self.id ? relayed.on(from, message, now, out) : relay_service.on(from, message, now, out), now);
}

void Peer::Parts::receive(const PeerId& from, Relay&& message, Now now) {
  if (!links.is_up(from)) return charge(from, charges::unasked, now);
  charge(from, message.to == self.id ? relayed.on(from, message, now, out) : relay_service.on(from, message, now, out), now);
}

void Peer::Parts::receive(const PeerId& from, RelayGone&& message, Now now) {
  if (!links.is_up(from)) return charge(from, charges::unasked, now);
  relay_service.on(from, message, out);
  relayed.on(from, message);
}

void Peer::Parts::receive(const PeerId& from, Seek&& message, Now now) {
  const bool employed = board.employs(from), steward = entrusting.needs(from), module = board.uses(message.blob);
  const auto help = employed && !module ? board.help_with(from, message.blob) : std::nullopt;
  if (help && !help->askers) return charge(from, directory.name(from, message.blob, help->holders, now, out), now);
  const BlobDirectory::Own own{.job = module || help || steward,
                               .named = employed || steward,
                               .here = blobs.may_tell(message.blob),
                               .close = donor.serves(from) || stewardship.needs(from) || stewardship.is_fellow(from)};
  charge(from, directory.on(from, message, own, now, out), now);
}

void Peer::Parts::receive(const PeerId& from, Found&& message, Now now) {
  const auto found = directory.on(from, message, blobs.may_name(message.blob, from), now, out);
  std::map<PeerId, const ContactRecord*> records;
  std::vector<PeerId> holders;
  for (const ContactRecord& record : found.records) {
    if (records.emplace(record.peer(), &record).second) holders.push_back(record.peer());
  }
  for (const PeerId& holder : blobs.found(message.blob, holders, now, out)) directory.link(*records.at(holder), from, now, out);
  charge(from, found.charge, now);
}

}  // namespace dugnad::core
