#include "coordinatorless/core/favours.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/codec_fields.h"

namespace dugnad::core {

void Favours::restored(const FavoursRestored& event) {
  accounts_.restored(event.accounts);
  const auto own = self_.owner_key();
  if (!own) return;
  for (const ReceiptRow& row : event.receipts) {
    const auto receipt = decode_receipt(row.body);
    if (!receipt || row.swarm != self_.swarm || row.contradicts) continue;
    Kept kept{*receipt, receipt_of(row)};
    if (receipt->giver == own && receipt->submitter == self_.id) {
      Given* given = given_to(receipt->receiver);
      if (given != nullptr && (!given->newest || given->newest->receipt.created < receipt->created)) given->newest = std::move(kept);
    } else if (receipt->receiver == own && held_.size() < limits::receipts_held_max) {
      auto& place = held_[line_of(*receipt)];  // two programs of the owner's may each have kept one
      if (place.receipt.sequence < receipt->sequence) place = std::move(kept);
    }
  }
}

// --- Who is whose ---

void Favours::greet(const PeerId& submitter, Output& out) {
  if (self_.owner == nullptr || submitter == self_.id || !greeted_.insert(submitter).second) return;
  if (!binding_) {
    binding_ = Signed{encode(OwnerBinding{*self_.owner_key(), self_.id}), {}};
    binding_->signature = self_.sign_as_owner(Domain::binding, binding_->body);
  }
  Receipts receipts;
  for (const auto& [line, kept] : held_) {
    if (line.submitter == submitter && receipts.receipts.size() < limits::receipts_shown_max) receipts.receipts.push_back(kept.bytes);
  }
  if (!receipts.receipts.empty()) out.send(submitter, std::move(receipts));
  out.send(submitter, Binding{*binding_});
}

void Favours::lost(const PeerId& peer) {
  greeted_.erase(peer);
  bound_.erase(peer);
}

std::optional<Charge> Favours::on(const PeerId& from, const Binding& message, Now now, Output& out) {
  const auto own = self_.owner_key();
  if (!own) return std::nullopt;
  if (bound_.contains(from)) return charges::hasty;
  const auto binding = decode_owner_binding(message.binding.body);
  if (!binding) return charges::malformed;
  if (binding->peer != from) return charges::forged;
  if (const auto known = owner_of_.find(from); known == owner_of_.end() || known->second != binding->owner) {
    if (!checks_.take(1, now.boot)) return charges::hasty;
    if (!self_.verify(Domain::binding, binding->owner, message.binding.body, message.binding.signature)) return charges::forged;
    if (known == owner_of_.end() && owner_of_.size() >= limits::bindings_max) {
      std::erase_if(owner_of_, [this](const auto& entry) { return !bound_.contains(entry.first); });
      if (owner_of_.size() >= limits::bindings_max) return std::nullopt;
    }
    owner_of_[from] = binding->owner;
  }
  bound_.insert(from);
  if (binding->owner != own) show(from, binding->owner, out);
  return std::nullopt;
}

/// To a donor of `owner`'s: what that owner has thanked ours with, and our last thanks to it if nobody has said that it arrived.
void Favours::show(const PeerId& donor, const PublicKey& owner, Output& out) {
  Receipts receipts;
  const auto first = held_.lower_bound(ReceiptLine{owner, {}, 0, {}});
  for (auto at = first; at != held_.end() && at->first.giver == owner; ++at) {
    if (receipts.receipts.size() + 1 < limits::receipts_shown_max) receipts.receipts.push_back(at->second.bytes);
  }
  const auto given = given_.find(owner);
  const auto& newest = given == given_.end() ? std::nullopt : given->second.newest;
  const auto is_newest = [&](const Outgoing& each) { return newest && each.receipt == newest->bytes; };
  const bool on_its_way = std::any_of(outgoing_.begin(), outgoing_.end(), is_newest);
  if (newest && !newest->bytes.receiver && !on_its_way) receipts.receipts.push_back(newest->bytes);
  if (!receipts.receipts.empty()) out.send(donor, std::move(receipts));
}

// --- Giving ---

Favours::Given* Favours::given_to(const PublicKey& receiver) {
  if (const auto known = given_.find(receiver); known != given_.end()) return &known->second;
  if (given_.size() >= limits::receipts_given_max) {
    // Its line ends here; thanked again it begins another, so that nothing contradicts it.
    const auto work = [](const auto& entry) { return entry.second.newest ? entry.second.newest->receipt.work : Duration{}; };
    const auto least = std::min_element(given_.begin(), given_.end(), [&](const auto& one, const auto& other) { return work(one) < work(other); });
    if (least->second.newest) forgotten_.push_back(line_of(least->second.newest->receipt));
    given_.erase(least);
  }
  return &given_[receiver];
}

Favours::Kept Favours::next_receipt(const PublicKey& receiver, const Given& given, WallTime now) {
  Receipt receipt = given.newest ? given.newest->receipt : Receipt{*self_.owner_key(), self_.id, self_.generator->next(), receiver, 0, {}, {}};
  ++receipt.sequence;
  receipt.work = std::min<Duration>(receipt.work + std::chrono::floor<std::chrono::microseconds>(given.pending), duration_max);
  receipt.created = now;
  SignedReceipt bytes{encode(receipt), {}, {}};
  bytes.giver = self_.sign_as_owner(Domain::receipt, bytes.body);
  return {receipt, std::move(bytes)};
}

void Favours::verified(const std::vector<VerifiedWork>& all, Now now, Output& out) {
  const auto own = self_.owner_key();
  if (!own) return;
  for (const VerifiedWork& each : all) {
    const auto owner = owner_of_.find(each.donor);
    if (owner != owner_of_.end() && owner->second != own) given_to(owner->second)->pending += each.work;
  }
  std::vector<Row> rows;
  for (const ReceiptLine& line : std::exchange(forgotten_, {})) {
    rows.push_back(ReceiptGone{self_.swarm, line.giver, line.submitter, line.series, line.receiver});
  }
  std::set<PublicKey> thanked;
  for (auto& [receiver, given] : given_) {
    if (given.pending < limits::thanks_least) continue;
    Kept kept = next_receipt(receiver, given, now.wall);
    rows.push_back(row_of(kept.bytes, kept.receipt, self_.swarm));
    given.newest = std::move(kept);
    given.pending = {};
    thanked.insert(receiver);
  }
  if (rows.empty()) return;
  const PersistSeq after = journal_.write(std::move(rows), out);
  for (const PeerId& donor : bound_) {
    const PublicKey& owner = owner_of_.at(donor);
    if (!thanked.contains(owner)) continue;
    send_later(after, donor, given_.at(owner).newest->bytes);
    awaited_.insert(owner);
  }
}

void Favours::persisted(PersistSeq up_to, Output& out) {
  for (; !outgoing_.empty() && outgoing_.front().after <= up_to; outgoing_.pop_front()) {
    out.send(outgoing_.front().to, Receipts{{std::move(outgoing_.front().receipt)}});
  }
}

// --- Being shown ---

std::optional<Charge> Favours::on(const PeerId& from, const Receipts& message, Now now, Output& out) {
  const auto own = self_.owner_key();
  if (!own) return std::nullopt;
  std::optional<Charge> charge;
  const auto add = [&](const std::optional<Charge>& more) {
    if (more && (!charge || more->score > charge->score)) charge = more;
  };
  for (const SignedReceipt& bytes : message.receipts) {
    const auto receipt = decode_receipt(bytes.body);
    if (!receipt) add(charges::malformed);
    else if (receipt->giver == own) add(on_own(bytes, *receipt, now, out));
    else if (receipt->receiver == own) add(on_thanks(from, bytes, *receipt, now, out));
    else add(charges::unasked);
  }
  return charge;
}

/// One that our own owner gave: back with the receiver's signature, or shown for a favour.
std::optional<Charge> Favours::on_own(const SignedReceipt& bytes, const Receipt& receipt, Now now, Output& out) {
  const bool mine = receipt.submitter == self_.id;
  const auto at = given_.find(receipt.receiver);
  const Kept* newest = mine && at != given_.end() && at->second.newest ? &*at->second.newest : nullptr;
  const bool is_newest = newest != nullptr && newest->bytes.body == bytes.body;
  const bool is_news = newest != nullptr && newest->receipt.series == receipt.series && newest->receipt.sequence < receipt.sequence;
  const bool is_return = is_newest && !newest->bytes.receiver && bytes.receiver;
  const bool is_claim = self_.donates && !accounts_.has_counted(receipt);
  if (!is_news && !is_return && !is_claim) return std::nullopt;
  if (!checks_.take(2, now.boot)) return charges::hasty;
  if (!is_given(bytes, receipt, self_.swarm, *self_.owner)) return charges::forged;
  if (bytes.receiver && !is_taken(bytes, receipt, self_.swarm, *self_.owner)) return charges::forged;
  if (is_claim) accounts_.credit(receipt);
  if (!is_news && !is_return) return std::nullopt;
  given_to(receipt.receiver)->newest = Kept{receipt, bytes};
  if (bytes.receiver) awaited_.erase(receipt.receiver);
  (void)journal_.write({row_of(bytes, receipt, self_.swarm)}, out);
  return std::nullopt;
}

/// One that our own owner is given.
std::optional<Charge> Favours::on_thanks(const PeerId& from, const SignedReceipt& bytes, const Receipt& receipt, Now now, Output& out) {
  if (accounts_.served(receipt.giver) <= Duration{}) return std::nullopt;  // rule 5; perhaps in a life that is forgotten
  const auto at = held_.find(line_of(receipt));
  if (at != held_.end()) {
    const Kept& kept = at->second;
    if (kept.bytes.body == bytes.body) {  // our signature was lost on its way
      if (kept.bytes.receiver) out.send(from, Receipts{{kept.bytes}});
      return std::nullopt;
    }
    const bool contradicts = contradiction(kept.receipt, receipt) != Contradiction::none;
    if (contradicts ? kept.contradicted : receipt.sequence < kept.receipt.sequence) return std::nullopt;
  }
  if (!checks_.take(1, now.boot)) return charges::hasty;
  if (!is_given(bytes, receipt, self_.swarm, *self_.owner)) return charges::forged;
  if (at != held_.end() && contradiction(at->second.receipt, receipt) != Contradiction::none) {
    at->second.contradicted = true;
    (void)journal_.write({row_of(bytes, receipt, self_.swarm, true)}, out);
    return std::nullopt;
  }
  hold(from, {receipt, bytes}, out);
  return std::nullopt;
}

void Favours::hold(const PeerId& from, Kept kept, Output& out) {
  kept.bytes.receiver = self_.sign_as_owner(Domain::receipt_taken, kept.bytes.body);
  std::vector<Row> rows;
  const ReceiptLine line = line_of(kept.receipt);
  if (!held_.contains(line)) make_room(line.giver, rows);
  rows.push_back(row_of(kept.bytes, kept.receipt, self_.swarm));
  send_later(journal_.write(std::move(rows), out), from, kept.bytes);
  held_.insert_or_assign(line, std::move(kept));
}

void Favours::make_room(const PublicKey& giver, std::vector<Row>& rows) {
  const auto of_giver = std::count_if(held_.begin(), held_.end(), [&](const auto& entry) { return entry.first.giver == giver; });
  const bool giver_full = static_cast<std::size_t>(of_giver) >= limits::receipts_shown_max;
  if (!giver_full && held_.size() < limits::receipts_held_max) return;
  auto least = held_.end();
  for (auto at = held_.begin(); at != held_.end(); ++at) {
    if (giver_full && at->first.giver != giver) continue;
    const auto worth = [&](const auto& entry) { return std::pair(accounts_.served(entry->first.giver), entry->second.receipt.work); };
    if (least == held_.end() || worth(at) < worth(least)) least = at;
  }
  const ReceiptLine& line = least->first;
  rows.push_back(ReceiptGone{self_.swarm, line.giver, line.submitter, line.series, line.receiver});
  held_.erase(least);
}

// --- Leaving ---

bool Favours::has_left() const {
  if (gave_up_) return true;
  const auto is_slow = [this](const PeerId& donor) { return awaited_.contains(owner_of_.at(donor)); };
  return outgoing_.empty() && std::none_of(bound_.begin(), bound_.end(), is_slow);
}

void Favours::tick(Now now) { gave_up_ = gave_up_ || next_deadline() <= now.boot; }

}  // namespace dugnad::core
