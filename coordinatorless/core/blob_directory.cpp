#include "coordinatorless/core/blob_directory.h"

#include <algorithm>

#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

constexpr unsigned answers_most = 3;  // passed on for one question: one that lies must not be the only one heard

}  // namespace

// --- Questions ---

bool BlobDirectory::may_ask(const PeerId& from, bool often, Now now) {
  auto& budgets = often ? donors_ : budgets_;
  const double rate = often ? limits::job_seeks_per_second : limits::seeks_per_second;
  const double burst = often ? limits::job_seeks_burst : limits::seeks_burst;
  if (budgets.size() >= limits::accounts_max && !budgets.contains(from)) budgets.erase(budgets.begin());
  return budgets.try_emplace(from, rate, burst).first->second.take(1, now.boot);
}

std::optional<Charge> BlobDirectory::name(const PeerId& to, const BlobId& blob, std::span<const PeerId> holders, Now now, Output& out) {
  if (!may_ask(to, true, now)) return charges::hasty;
  Found found{blob, {}};
  for (const PeerId& holder : holders) {
    if (found.holders.size() >= limits::found_holders_max) break;
    if (const Signed* record = membership_.signed_record_for(to, holder, now)) found.holders.push_back(*record);
  }
  if (!found.holders.empty()) out.send(to, std::move(found));
  return std::nullopt;
}

std::optional<Charge> BlobDirectory::on(const PeerId& from, const Seek& seek, const Own& own, Now now, Output& out) {
  if (!may_ask(from, own.named || own.close, now)) return charges::hasty;
  if (own.job) {
    tell(from, seek.blob, own.named, now, out);
  } else if (own.here) {
    out.send(from, Found{seek.blob, {membership_.own_record(now)}});
  } else if (seek.hops > 0) {
    if (Asked* known = asked(seek.blob, now)) {
      const bool waits = std::find(known->by.begin(), known->by.end(), from) != known->by.end();
      if (!waits && known->by.size() < limits::found_holders_max) known->by.push_back(from);
      return std::nullopt;
    }
    if (asked_order_.size() >= limits::seeks_remembered_max) {
      asked_.erase(asked_order_.front());
      asked_order_.pop_front();
    }
    asked_order_.push_back(seek.blob);
    asked_[seek.blob] = {{from}, now.boot + limits::seek_memory, 0};
    if (seek.hops > 1) pass_on(seek.blob, static_cast<std::uint8_t>(seek.hops - 1), &from, out);
  }
  return std::nullopt;
}

void BlobDirectory::tell(const PeerId& to, const BlobId& blob, bool named, Now now, Output& out) {
  const auto [at, fresh] = seekers_.try_emplace(blob);
  if (fresh) {
    seekers_order_.push_back(blob);
    if (seekers_order_.size() > limits::directory_blobs_max) {
      seekers_.erase(seekers_order_.front());
      seekers_order_.pop_front();
    }
  }
  std::vector<PeerId>& seekers = at->second;
  std::erase(seekers, to);
  Found found{blob, {}};
  if (!named) found.holders.push_back(membership_.own_record(now));
  for (auto next = seekers.rbegin(); next != seekers.rend() && found.holders.size() < limits::found_holders_max; ++next) {
    if (const Signed* record = membership_.signed_record_for(to, *next, now)) found.holders.push_back(*record);
  }
  seekers.push_back(to);
  if (seekers.size() > limits::seekers_max) seekers.erase(seekers.begin());
  if (!found.holders.empty()) out.send(to, std::move(found));
}

void BlobDirectory::seek(const BlobId& blob, Now, Output& out) { pass_on(blob, limits::seek_hops_max, nullptr, out); }

void BlobDirectory::pass_on(const BlobId& blob, std::uint8_t hops, const PeerId* except, Output& out) {
  std::vector<PeerId> neighbours = links_.neighbours();
  if (except != nullptr) std::erase(neighbours, *except);
  self_.generator->shuffle(std::span(neighbours));
  neighbours.resize(std::min(neighbours.size(), limits::seek_fanout));
  for (const PeerId& neighbour : neighbours) out.send(neighbour, Seek{blob, hops});
}

BlobDirectory::Asked* BlobDirectory::asked(const BlobId& blob, Now now) {
  while (!asked_order_.empty()) {
    const auto first = asked_.find(asked_order_.front());
    if (first != asked_.end() && first->second.until > now.boot) break;
    if (first != asked_.end()) asked_.erase(first);
    asked_order_.pop_front();
  }
  const auto at = asked_.find(blob);
  return at == asked_.end() ? nullptr : &at->second;
}

// --- Answers ---

BlobDirectory::Holders BlobDirectory::on(const PeerId& from, const Found& found, bool wanted, Now now, Output& out) {
  Holders holders;
  Asked* waiting = asked(found.blob, now);
  if (waiting != nullptr && waiting->answers >= answers_most) waiting = nullptr;
  if (!wanted && waiting == nullptr) return holders;
  Found genuine{found.blob, {}};
  for (const Signed& raw : found.holders) {
    auto learnt = membership_.learn(raw, from, now, out);
    if (learnt.charge) holders.charge.add(learnt.charge);
    if (!learnt.record || learnt.record->peer() == self_.id) continue;
    // What is known already is not verified anew: of two copies the verified one travels.
    const Signed* known = membership_.signed_record_of(learnt.record->peer());
    genuine.holders.push_back(known != nullptr ? *known : raw);
    if (wanted) holders.records.push_back(*std::move(learnt.record));
  }
  if (waiting != nullptr && !genuine.holders.empty()) {
    ++waiting->answers;
    for (const PeerId& to : waiting->by) {
      if (to != from && links_.is_up(to)) out.send(to, genuine);
    }
  }
  return holders;
}

void BlobDirectory::link(const ContactRecord& holder, const PeerId& told_by, Now now, Output& out) {
  const PeerId peer = holder.peer();
  if (linked_.contains(peer)) return;
  bool held = links_.is_up(peer) && links_.hold(peer, Purpose::blob);
  if (!held && !links_.is_up(peer)) {
    const auto route = links_.route(holder, told_by);
    held = route && links_.want(*route, Purpose::blob, now, out);
  }
  if (!held) return;
  linked_.insert(peer);
  tidy_at_ = std::min(tidy_at_, now.boot + limits::overlay_interval);
}

void BlobDirectory::lost(const PeerId& peer) {
  budgets_.erase(peer);
  donors_.erase(peer);
  for (auto& [blob, seekers] : seekers_) std::erase(seekers, peer);
}

}  // namespace dugnad::core
