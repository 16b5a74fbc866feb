#include "coordinatorless/core/identity_proof.h"

#include <algorithm>
#include <chrono>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/expiry.h"

namespace dugnad::core {
namespace {

/// A record was dated by one clock, passed on by another, and may be half an hour old.
constexpr WallTime::duration honest_delay = 2 * wall_skew + std::chrono::ceil<WallTime::duration>(limits::record_lease);

bool is_within(std::uint32_t month, WallTime now, WallTime::duration slack) {
  return month + 1 >= month_of(now - slack) && month <= month_of(now + slack);
}

}  // namespace

std::uint32_t month_of(WallTime time) {
  const std::chrono::sys_days day(std::chrono::floor<std::chrono::days>(time.time_since_epoch()));
  const std::chrono::year_month_day date(day);
  const int months = static_cast<int>(date.year()) * 12 + static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  return static_cast<std::uint32_t>(std::max(months, 0));
}

Dating dating_of(std::uint32_t month, WallTime now) {
  if (is_within(month, now, wall_skew)) return Dating::current;
  return is_within(month, now, honest_delay) ? Dating::off : Dating::absurd;
}

ProofInput proof_input(const SwarmId& swarm, const PublicKey& key, const IdentityTicket& ticket) {
  ProofInput input;
  auto at = input.password.begin();
  for (unsigned i = 0; i < 4; ++i) *at++ = static_cast<std::uint8_t>(ticket.month >> (8 * i));
  for (unsigned i = 0; i < 8; ++i) *at++ = static_cast<std::uint8_t>(ticket.nonce >> (8 * i));
  std::copy(key.bytes.begin(), key.bytes.end(), at);
  const Hash salt = hash_of(view_of("dugnad/1/identity"), swarm.view());
  std::copy_n(salt.bytes.begin(), input.salt.size(), input.salt.begin());
  return input;
}

bool meets(const Hash& hash, unsigned bits) {
  for (const std::uint8_t byte : hash.bytes) {
    if (bits < 8) return bits == 0 || byte >> (8 - bits) == 0;
    if (byte != 0) return false;
    bits -= 8;
  }
  return bits == 0;
}

}  // namespace dugnad::core
