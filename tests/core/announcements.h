// Announcements for tests: genuine ones, made of parts that a test can spoil one at a time.
#pragma once

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/seam.h"
#include "tests/core/identities.h"

namespace dugnad::core::test {

inline Signed sign(const Identity& by, Domain domain, Bytes body) {
  Signed raw{std::move(body), {}};
  raw.signature = by.self.sign(domain, raw.body);
  return raw;
}

/// A job of `owner` that `submitter` leases out. Every part may be changed before announce().
struct Posting {
  const Identity& owner;
  const Identity& submitter;
  Manifest manifest;
  Delegation delegation;
  ContactRecord record;
  std::uint64_t sequence = 1;
  WallTime expires{};
  bool closed = false;
  // Who signs which part; others than these are forgers.
  const Identity* manifest_by = &owner;
  const Identity* delegation_by = &owner;
  const Identity* record_by = &submitter;
  const Identity* announced_by = &submitter;

  Posting(const Identity& its_owner, const Identity& its_submitter, Now now, std::uint8_t number = 0)
      : owner(its_owner), submitter(its_submitter) {
    manifest.owner = owner.crypto->public_key();
    manifest.nonce.bytes[0] = number;
    manifest.task = "primes";
    manifest.created = now.wall;
    delegation = {job(), 1, {submitter.self.id}};
    record = submitter.record(1, now.wall);
    record.endpoint = Endpoint::parse("192.0.2.1:4210");
    expires = now.wall + std::chrono::duration_cast<WallTime::duration>(limits::announcement_lease);
  }

  [[nodiscard]] JobId job() const { return JobId{hash_of(encode(manifest)).bytes}; }
  [[nodiscard]] Signed signed_manifest() const { return sign(*manifest_by, Domain::manifest, encode(manifest)); }
  [[nodiscard]] Signed signed_delegation() const { return sign(*delegation_by, Domain::delegation, encode(delegation)); }
  [[nodiscard]] Announce announce(std::uint8_t hops = 0) const {
    const Announcement announcement{
        signed_manifest(), signed_delegation(), sign(*record_by, Domain::contact, encode(record)), sequence, expires, closed};
    return {sign(*announced_by, Domain::announcement, encode(announcement)), hops};
  }
};

/// The messages of one kind in `out`, with their receivers, in order.
template <class Kind>
std::vector<std::pair<PeerId, Kind>> messages(const Output& out) {
  std::vector<std::pair<PeerId, Kind>> found;
  for (const Addressed& addressed : out.messages) {
    if (const auto* match = std::get_if<Kind>(&addressed.message)) found.emplace_back(addressed.to, *match);
  }
  return found;
}

/// The messages of one kind that were sent since last asked.
template <class Kind>
std::vector<std::pair<PeerId, Kind>> take(Output& out) {
  auto found = messages<Kind>(out);
  out.messages.clear();
  return found;
}

}  // namespace dugnad::core::test
