#include "coordinatorless/core/favour_accounts.h"

#include <algorithm>
#include <numeric>

#include "coordinatorless/base/packed.h"
#include "coordinatorless/core/codec_fields.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

std::uint64_t micros(Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::microseconds>(duration).count());
}
/// Sums stay where sums of a few never overflow.
Duration capped(Duration sum) { return std::min(sum, duration_max); }

}  // namespace

Duration FavourAccounts::Account::dealings() const {
  return std::accumulate(lines.begin(), lines.end(), served, [](Duration sum, const Line& line) { return sum + line.work; });
}

const FavourAccounts::Account* FavourAccounts::find(const PublicKey& owner) const {
  const auto at = accounts_.find(owner);
  return at == accounts_.end() ? nullptr : &at->second;
}

FavourAccounts::Rank FavourAccounts::rank(const PublicKey& owner) const {
  if (own_ == owner) return Rank::own;
  return balance(owner) > Duration{} ? Rank::favoured : Rank::stranger;
}

Duration FavourAccounts::balance(const PublicKey& owner) const {
  const Account* account = find(owner);
  return account == nullptr ? Duration{} : account->balance;
}

Duration FavourAccounts::served(const PublicKey& owner) const {
  const Account* account = find(owner);
  return account == nullptr ? Duration{} : account->served;
}

FavourAccounts::Account& FavourAccounts::open(const PublicKey& owner) {
  if (const auto known = accounts_.find(owner); known != accounts_.end()) return known->second;
  if (accounts_.size() >= limits::favour_accounts_max) {
    const auto least = std::min_element(accounts_.begin(), accounts_.end(), [](const auto& one, const auto& other) {
      return one.second.dealings() < other.second.dealings();
    });
    forgotten_.push_back(least->first);
    any_changed_ = true;
    accounts_.erase(least);
  }
  return accounts_[owner];
}

void FavourAccounts::touch(Account& account) { account.changed = any_changed_ = true; }

void FavourAccounts::serve(const PublicKey& owner, Duration cost) {
  if (!own_ || own_ == owner || cost <= Duration{}) return;
  Account& account = open(owner);
  account.served = capped(account.served + cost);
  account.balance = std::max(Duration{}, account.balance - cost);
  touch(account);
}

bool FavourAccounts::has_counted(const Receipt& receipt) const {
  const Account* account = find(receipt.receiver);
  if (account == nullptr) return false;
  return std::any_of(account->lines.begin(), account->lines.end(), [&](const Line& line) {
    return line.submitter == receipt.submitter && line.series == receipt.series && line.work >= receipt.work;
  });
}

void FavourAccounts::credit(const Receipt& receipt) {
  if (own_ != receipt.giver || own_ == receipt.receiver || has_counted(receipt)) return;
  Account& account = open(receipt.receiver);
  auto line = std::find_if(account.lines.begin(), account.lines.end(), [&](const Line& one) {
    return one.submitter == receipt.submitter && one.series == receipt.series;
  });
  if (line == account.lines.end() && account.lines.size() < limits::receipts_shown_max) {
    line = account.lines.insert(line, {receipt.submitter, receipt.series, {}});
  } else if (line == account.lines.end()) {
    line = std::min_element(account.lines.begin(), account.lines.end(), [](const Line& one, const Line& other) { return one.work < other.work; });
    if (line->work >= receipt.work) return;  // else two lines that push each other out would count again and again
    *line = {receipt.submitter, receipt.series, line->work};  // it counts with what it has beyond the one that it replaces
  }
  account.balance = capped(account.balance + (receipt.work - line->work));
  line->work = receipt.work;
  touch(account);
}

// --- On disk: balance, served, lines; times in microseconds ---

Bytes FavourAccounts::encoded(const Account& account) {
  Bytes bytes;
  packed::put_varint(bytes, micros(account.balance));
  packed::put_varint(bytes, micros(account.served));
  packed::put_varint(bytes, account.lines.size());
  for (const Line& line : account.lines) {
    packed::put(bytes, line.submitter.view());
    packed::put_u64(bytes, line.series);
    packed::put_varint(bytes, micros(line.work));
  }
  return bytes;
}

std::optional<FavourAccounts::Account> FavourAccounts::decoded(ByteView bytes) {
  packed::Reader reader(bytes);
  const auto duration = [&]() -> std::optional<Duration> {
    const auto count = reader.varint();
    if (!count || *count > micros(duration_max)) return std::nullopt;
    return std::chrono::microseconds(*count);
  };
  const auto balance = duration(), served = duration();
  const auto count = reader.varint();
  if (!balance || !served || !count || *count > limits::receipts_shown_max) return std::nullopt;
  Account account{*balance, *served};
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto submitter = reader.id<PeerId>();
    const auto series = reader.u64();
    const auto work = duration();
    if (!submitter || !series || !work) return std::nullopt;
    account.lines.push_back({*submitter, *series, *work});
  }
  if (reader.left() > 0) return std::nullopt;
  return account;
}

void FavourAccounts::restored(const std::vector<FavourRow>& rows) {
  for (const FavourRow& row : rows) {
    if (row.swarm != swarm_ || accounts_.size() >= limits::favour_accounts_max) continue;
    if (auto account = decoded(row.account)) accounts_.insert_or_assign(row.owner, *std::move(account));
  }
}

std::vector<Row> FavourAccounts::take_rows(BootTime now, bool at_once) {
  if (!any_changed_ || (!at_once && now < written_at_ + limits::accounts_interval)) return {};
  any_changed_ = false;
  written_at_ = now;
  std::vector<Row> rows;
  for (const PublicKey& owner : std::exchange(forgotten_, {})) {
    if (!accounts_.contains(owner)) rows.push_back(FavourRow{swarm_, owner, {}});
  }
  for (auto& [owner, account] : accounts_) {
    if (std::exchange(account.changed, false)) rows.push_back(FavourRow{swarm_, owner, encoded(account)});
  }
  return rows;
}

}  // namespace dugnad::core
