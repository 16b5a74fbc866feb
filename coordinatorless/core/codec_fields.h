// Fields: for each struct that travels, its fields in the order in which they stand on the wire, each with its limit.
// One description serves both directions (codec_wire.h), so that what is written and what is read cannot drift apart.
#pragma once

#include <concepts>
#include <tuple>
#include <type_traits>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core {

/// N and N-1 interoperate; there is no N-1 yet.
inline constexpr std::uint32_t oldest_version = limits::version;
[[nodiscard]] constexpr bool is_spoken(std::uint64_t version) { return version >= oldest_version && version <= limits::version; }

/// A message's type on the wire. Numbers are never used again.
template <class Message>
inline constexpr std::uint8_t type_number = 0;
template <> inline constexpr std::uint8_t type_number<Contacts> = 1;
template <> inline constexpr std::uint8_t type_number<Announce> = 2;
template <> inline constexpr std::uint8_t type_number<Digest> = 3;
template <> inline constexpr std::uint8_t type_number<Pull> = 4;
template <> inline constexpr std::uint8_t type_number<Want> = 5;
template <> inline constexpr std::uint8_t type_number<Lease> = 6;
template <> inline constexpr std::uint8_t type_number<Results> = 7;
template <> inline constexpr std::uint8_t type_number<Return> = 8;
template <> inline constexpr std::uint8_t type_number<Revoke> = 9;
template <> inline constexpr std::uint8_t type_number<Closed> = 10;
template <> inline constexpr std::uint8_t type_number<Knock> = 11;
template <> inline constexpr std::uint8_t type_number<Relay> = 12;
template <> inline constexpr std::uint8_t type_number<RelayGone> = 13;
template <> inline constexpr std::uint8_t type_number<Binding> = 14;
template <> inline constexpr std::uint8_t type_number<Receipts> = 15;
template <> inline constexpr std::uint8_t type_number<Seek> = 16;
template <> inline constexpr std::uint8_t type_number<Found> = 17;
template <> inline constexpr std::uint8_t type_number<Entrust> = 18;
template <> inline constexpr std::uint8_t type_number<Follow> = 19;
template <> inline constexpr std::uint8_t type_number<Record> = 20;

// --- Limits on one field ---

/// A number's value, a byte string's length or a Signed's body's length lies in [least, most].
template <class T>
struct Limited {
  T& value;
  std::uint64_t least;
  std::uint64_t most;
};
template <class T>
Limited<T> limited(T& value, std::uint64_t least, std::uint64_t most) { return {value, least, most}; }
template <class T>
Limited<T> at_most(T& value, std::uint64_t most) { return {value, 0, most}; }

/// At most `most` items; where the items are Signed, each body at most `body_most` bytes.
template <class T>
struct List {
  T& items;
  std::size_t most;
  std::size_t body_most;
};
template <class T>
List<T> list(T& items, std::size_t most, std::size_t body_most = 0) { return {items, most, body_most}; }

/// 1 to task_name_max of [a-z0-9_.-]: it is shown on terminals and looked up in tables.
template <class T>
struct TaskName {
  T& name;
};
template <class T>
TaskName<T> task_name(T& name) { return {name}; }
[[nodiscard]] inline bool is_task_name(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
  return !name.empty() && name.size() <= limits::task_name_max && name.find_first_not_of(allowed) == std::string_view::npos;
}

/// What stands last in a body or a message, or is not there at all: what was added without a new version. Without it the bytes are those from
/// before. `followed`: something stands behind it, so that its absence must be said.
template <class T>
struct Tail {
  T& value;
  bool followed = false;
};
template <class T>
Tail<T> tail(T& value, bool followed = false) { return {value, followed}; }

inline constexpr Duration duration_max = std::chrono::hours(24 * 3650);           // sums and products of a few never overflow
inline constexpr WallTime wall_time_max{std::chrono::milliseconds(1LL << 48)};    // the year 10889, for the same reason

inline constexpr std::uint32_t month_max = 12 * 10'889;  // and so do its months

// --- The descriptions ---

template <class T, class U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

template <class... F>
std::tuple<F...> fields(F&&... field) { return std::tuple<F...>(std::forward<F>(field)...); }

auto fields_of(Is<Endpoint> auto& e) { return fields(e.ip, limited(e.port, 1, 65535)); }

auto fields_of(Is<IdentityTicket> auto& t) { return fields(at_most(t.month, month_max), t.nonce); }
auto fields_of(Is<ContactRecord> auto& r) {
  return fields(r.key, r.curve, r.endpoint, list(r.relays, relays_max), r.donates, r.sequence, r.expires,
                tail(r.proof, r.steward_bytes.has_value()), tail(r.steward_bytes));
}
auto fields_of(Is<Goodbye> auto& g) { return fields(g.key, g.sequence, g.expires); }
auto fields_of(Is<BlobId> auto& b) { return fields(b.length, b.root); }
auto fields_of(Is<WantedConfidence> auto& c) {
  return fields(limited(c.error_ppb, 1, 999'999'999), c.combined, limited(c.assumed_ppm, 0, limits::assumed_ppm_max), c.stream);
}
auto fields_of(Is<Manifest> auto& m) {
  return fields(m.owner, m.nonce, task_name(m.task), m.task_version, limited(m.copies, 1, limits::copies_max), m.unit_limit,
                at_most(m.memory_bytes, limits::memory_bytes_max), m.module, at_most(m.fuel, limits::fuel_max), m.confidence, m.created,
                tail(m.stewarded));
}
auto fields_of(Is<Delegation> auto& d) { return fields(d.job, d.epoch, list(d.peers, delegates_max)); }
auto fields_of(Is<Announcement> auto& a) {
  return fields(at_most(a.manifest, limits::manifest_bytes_max), at_most(a.delegation, limits::delegation_bytes_max),
                at_most(a.submitter, limits::record_bytes_max), a.sequence, a.expires, a.closed);
}

auto fields_of(Is<Contacts> auto& m) { return fields(list(m.records, limits::welcome_records, limits::record_bytes_max), m.answer); }
auto fields_of(Is<Announce> auto& m) {
  return fields(at_most(m.announcement, limits::announcement_bytes_max), at_most(m.hops, limits::gossip_hops_max));
}
auto fields_of(Is<DigestEntry> auto& e) { return fields(e.job, e.sequence); }
auto fields_of(Is<Digest> auto& m) { return fields(list(m.entries, limits::digest_entries_max)); }
auto fields_of(Is<Pull> auto& m) { return fields(list(m.jobs, limits::digest_entries_max)); }
auto fields_of(Is<Want> auto& m) { return fields(m.job, m.slots, m.work); }
auto fields_of(Is<LeasedUnit> auto& u) { return fields(u.unit, u.input); }
auto fields_of(Is<Lease> auto& m) { return fields(m.job, m.lease, m.valid, list(m.units, limits::batch_units_max)); }
auto fields_of(Is<UnitResult> auto& r) { return fields(r.lease, r.unit, r.outcome, r.output); }
auto fields_of(Is<InputDigests> auto& d) { return fields(at_most(d.digests, limits::batch_units_max * input_digest_bytes)); }
auto fields_of(Is<Results> auto& m) {
  return fields(m.job, m.held, list(m.results, limits::batch_units_max), m.signature, tail(m.inputs));
}
auto fields_of(Is<Return> auto& m) { return fields(m.job, list(m.units, limits::batch_units_max)); }
auto fields_of(Is<Revoke> auto& m) { return fields(m.job, list(m.units, limits::batch_units_max)); }
auto fields_of(Is<Closed> auto& m) { return fields(m.job); }
auto fields_of(Is<Knock> auto& m) { return fields(m.from, m.to, at_most(m.record, limits::record_bytes_max), m.session, m.answer); }
auto fields_of(Is<Relay> auto& m) { return fields(m.from, m.to, m.counter, at_most(m.sealed, limits::message_bytes_max)); }
auto fields_of(Is<RelayGone> auto& m) { return fields(m.peer); }
auto fields_of(Is<Seek> auto& m) { return fields(m.blob, at_most(m.hops, limits::seek_hops_max)); }
auto fields_of(Is<Found> auto& m) { return fields(m.blob, list(m.holders, limits::found_holders_max, limits::record_bytes_max)); }

auto fields_of(Is<Entrust> auto& m) {
  return fields(at_most(m.manifest, limits::manifest_bytes_max), at_most(m.delegation, limits::delegation_bytes_max));
}
auto fields_of(Is<Follow> auto& m) {
  return fields(m.job, m.series, m.from, m.wait, m.all, at_most(m.delegation, limits::delegation_bytes_max), m.lacks);
}
auto fields_of(Is<RecordEntry> auto& e) { return fields(e.donor, at_most(e.body, limits::word_bytes_max), e.signature); }
auto fields_of(Is<Record> auto& m) {
  return fields(m.job, m.series, m.from, m.next, m.more, list(m.entries, limits::record_entries_max));
}
auto fields_of(Is<DeedDonor> auto& d) { return fields(d.donor, d.address, d.newcomer); }
auto fields_of(Is<Deed> auto& d) { return fields(d.version, d.key, list(d.donors, limits::deed_donors_max)); }
auto fields_of(Is<FinalUnit> auto& u) { return fields(u.unit, u.input_tag, u.outcome, u.output); }
auto fields_of(Is<CollectedResults> auto& r) { return fields(r.donor, at_most(r.frame, limits::message_bytes_max)); }
auto fields_of(Is<OwnersWord> auto& w) {
  return fields(w.job, list(w.units, limits::batch_units_max), list(w.finals, limits::batch_units_max), w.collected, w.deed,
                at_most(w.recipe, limits::recipe_bytes_max));
}

auto fields_of(Is<OwnerBinding> auto& b) { return fields(b.owner, b.peer); }
auto fields_of(Is<Binding> auto& m) { return fields(at_most(m.binding, limits::receipt_bytes_max)); }
auto fields_of(Is<Receipt> auto& r) { return fields(r.giver, r.submitter, r.series, r.receiver, r.sequence, r.work, r.created); }
auto fields_of(Is<SignedReceipt> auto& r) { return fields(at_most(r.body, limits::receipt_bytes_max), r.giver, r.receiver); }
auto fields_of(Is<Receipts> auto& m) { return fields(list(m.receipts, limits::receipts_shown_max)); }

/// One form for each length: else the same output could be returned in two ways, and would not agree with itself.
[[nodiscard]] inline bool is_large(const BlobId& blob) { return blob.length > limits::unit_bytes_max && blob.length <= limits::blob_bytes_max; }

template <class T>
concept Described = requires(T& value) { fields_of(value); };

template <Described T>
inline constexpr std::size_t field_count = std::tuple_size_v<decltype(fields_of(std::declval<T&>()))>;

/// How many of a signed body's fields are not there, and how many there can be of such.
template <Described T>
inline constexpr std::size_t tail_most = 0;
template <> inline constexpr std::size_t tail_most<ContactRecord> = 2;
template <> inline constexpr std::size_t tail_most<Manifest> = 1;
template <> inline constexpr std::size_t tail_most<Results> = 1;
[[nodiscard]] inline std::size_t tail_missing(const ContactRecord& record) { return record.steward_bytes ? 0 : record.proof ? 1 : 2; }
[[nodiscard]] inline std::size_t tail_missing(const Manifest& manifest) { return manifest.stewarded ? 0 : 1; }
[[nodiscard]] inline std::size_t tail_missing(const Results& results) { return results.inputs ? 0 : 1; }
template <class T>
[[nodiscard]] std::size_t tail_missing(const T&) { return 0; }

// A member that messages.h gains and this file does not is an error here, not a field that quietly stays at home.
struct Anything {
  template <class T>
  operator T() const;
};
template <class T, std::size_t... i>
consteval bool takes(std::index_sequence<i...>) { return requires { T{(static_cast<void>(i), Anything{})...}; }; }
template <class T, std::size_t count>
inline constexpr bool has_members = takes<T>(std::make_index_sequence<count>{}) && !takes<T>(std::make_index_sequence<count + 1>{});
template <Described... T>
inline constexpr bool all_members_described = (has_members<T, field_count<T>> && ...);
static_assert(all_members_described<Endpoint, BlobId, IdentityTicket, ContactRecord, Goodbye, Manifest, Delegation, Announcement, DigestEntry,
                                    LeasedUnit, UnitResult, OwnerBinding, Receipt, SignedReceipt, InputDigests, RecordEntry, DeedDonor, Deed,
                                    FinalUnit, CollectedResults, OwnersWord>);
static_assert(all_members_described<Contacts, Announce, Digest, Pull, Want, Lease, Results, Return, Revoke, Closed, Knock, Relay, RelayGone,
                                    Binding, Receipts, Seek, Found, Entrust, Follow, Record>);

// --- Limits over several fields ---

template <class T>
[[nodiscard]] bool is_sound(const T&) { return true; }
/// A module has bytes; fuel is a module's.
[[nodiscard]] inline bool is_sound(const Manifest& manifest) {
  if (!manifest.module) return manifest.fuel == 0;
  return manifest.module->length > 0 && manifest.module->length <= limits::module_bytes_max;
}
[[nodiscard]] inline bool is_sound(const Seek& seek) { return seek.blob.length <= limits::blob_bytes_max; }
[[nodiscard]] inline bool is_sound(const Found& found) { return found.blob.length <= limits::blob_bytes_max; }
[[nodiscard]] inline bool is_sound(const Lease& lease) {
  std::size_t total = 0;
  for (const LeasedUnit& unit : lease.units) total += unit.input.bytes.size();
  return total <= limits::batch_bytes_max;
}
[[nodiscard]] inline bool is_sound(const ContactRecord& record) { return !record.steward_bytes || *record.steward_bytes > 0; }
/// The owner's words are signed, and donors' frames only inside.
[[nodiscard]] inline bool is_sound(const Record& record) {
  std::size_t total = 0;
  for (const RecordEntry& entry : record.entries) {
    if (entry.donor.has_value() == entry.signature.has_value()) return false;
    total += entry.body.size();
  }
  return total <= limits::record_bytes_sent_max;
}
[[nodiscard]] inline bool is_sound(const Results& results) {
  std::size_t total = 0;
  if (results.inputs && results.inputs->digests.size() != results.results.size() * input_digest_bytes) return false;
  for (const UnitResult& result : results.results) {
    if (result.output.large && result.outcome != Outcome::ok) return false;  // a reason is never large
    total += result.output.bytes.size();
  }
  return total <= limits::batch_bytes_max;
}

}  // namespace dugnad::core
