// Samples: messages and signed bodies with random contents within their limits, for the codec's tests and for fuzzing.
#pragma once

#include <variant>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/messages.h"

namespace dugnad::core::samples {

class Sampler {
 public:
  /// Lists have at most `items_most` items, byte strings at most `bytes_most` bytes.
  Sampler(Generator generator, std::size_t items_most, std::size_t bytes_most)
      : generator_(std::move(generator)), items_most_(items_most), bytes_most_(bytes_most) {}

  static constexpr std::size_t kinds = std::variant_size_v<Message>;

  /// A message of the variant's alternative `kind`.
  Message message(std::size_t kind) {
    switch (kind) {
      case 0: return Contacts{list<Signed>(limits::welcome_records, [&] { return signed_bytes(limits::record_bytes_max); }), flag()};
      case 1:
        return Announce{signed_bytes(limits::announcement_bytes_max),
                        static_cast<std::uint8_t>(generator_.below(limits::gossip_hops_max + 1u))};
      case 2: return Digest{list<DigestEntry>(limits::digest_entries_max, [&] { return DigestEntry{id<JobId>(), number()}; })};
      case 3: return Pull{list<JobId>(limits::digest_entries_max, [&] { return id<JobId>(); })};
      case 4: return Want{id<JobId>(), static_cast<std::uint32_t>(number()), duration()};
      case 5:
        return Lease{id<JobId>(), {number()}, duration(), list<LeasedUnit>(limits::batch_units_max, [&] {
                       return LeasedUnit{{number()}, value()};
                     })};
      case 6: {
        Results results{id<JobId>(), duration(), list<UnitResult>(limits::batch_units_max, [&] { return result(); }), signature(), {}};
        if (flag()) results.inputs = InputDigests{Bytes(results.results.size() * input_digest_bytes, 0x1d)};
        return results;
      }
      case 7: return Return{id<JobId>(), units()};
      case 8: return Revoke{id<JobId>(), units()};
      case 9: return Closed{id<JobId>()};
      case 10:
        return Knock{.from = id<PeerId>(),
                     .to = id<PeerId>(),
                     .record = signed_bytes(limits::record_bytes_max),
                     .session = number(),
                     .answer = flag()};
      case 11: return Relay{id<PeerId>(), id<PeerId>(), number(), bytes(1 << 16)};
      case 12: return RelayGone{id<PeerId>()};
      case 13: return Binding{signed_bytes(limits::receipt_bytes_max)};
      case 14:
        return Receipts{list<SignedReceipt>(limits::receipts_shown_max, [&] {
          return SignedReceipt{bytes(limits::receipt_bytes_max), signature(), flag() ? std::optional(signature()) : std::nullopt};
        })};
      case 15: return Seek{{generator_.below(limits::blob_bytes_max + 1), id<Hash>()}, static_cast<std::uint8_t>(generator_.below(4))};
      case 17: return Entrust{signed_bytes(limits::manifest_bytes_max), signed_bytes(limits::delegation_bytes_max)};
      case 18: {
        Signed delegation = signed_bytes(limits::delegation_bytes_max);
        return Follow{id<JobId>(), number(), number(), flag(), flag(), std::move(delegation), static_cast<std::uint32_t>(number())};
      }
      case 19:
        return Record{id<JobId>(), number(), number(), number(), flag(), list<RecordEntry>(limits::record_entries_max, [&] {
                        const bool donors = flag();
                        return RecordEntry{donors ? std::optional(id<PublicKey>()) : std::nullopt, bytes(1 << 10),
                                           donors ? std::nullopt : std::optional(signature())};
                      })};
      default:
        return Found{{generator_.below(limits::blob_bytes_max + 1), id<Hash>()},
                     list<Signed>(limits::found_holders_max, [&] { return signed_bytes(limits::record_bytes_max); })};
    }
  }

  ContactRecord record() {
    ContactRecord record{.key = id<PublicKey>(),
                         .curve = id<CurveKey>(),
                         .endpoint = std::nullopt,
                         .relays = {},
                         .donates = flag(),
                         .sequence = number(),
                         .expires = date(),
                         .proof = {}};
    if (flag()) {
      Endpoint& endpoint = record.endpoint.emplace();
      for (auto& byte : endpoint.ip) byte = static_cast<std::uint8_t>(generator_.next());
      endpoint.port = static_cast<std::uint16_t>(1 + generator_.below(65535));
    }
    if (flag()) record.proof = IdentityTicket{static_cast<std::uint32_t>(generator_.below(12 * 10'889 + 1)), number()};
    if (flag()) record.steward_bytes = 1 + generator_.below(1 << 30);
    record.relays = list<PeerId>(relays_max, [&] { return id<PeerId>(); });
    return record;
  }
  Goodbye goodbye() { return {id<PublicKey>(), number(), date()}; }
  OwnerBinding binding() { return {id<PublicKey>(), id<PeerId>()}; }
  Receipt receipt() { return {id<PublicKey>(), id<PeerId>(), number(), id<PublicKey>(), number(), duration(), date()}; }
  Manifest manifest() {
    Manifest manifest{.owner = id<PublicKey>(),
                      .nonce = id<Hash>(),
                      .task = {},
                      .task_version = static_cast<std::uint32_t>(number()),
                      .copies = static_cast<std::uint32_t>(1 + generator_.below(64)),
                      .unit_limit = duration(),
                      .memory_bytes = generator_.below(limits::memory_bytes_max + 1),
                      .module = {},
                      .fuel = 0,
                      .created = date()};
    if (flag()) {
      manifest.module = BlobId{1 + generator_.below(limits::module_bytes_max), id<Hash>()};
      manifest.fuel = number() >> 1;
    }
    if (flag()) {
      manifest.confidence = WantedConfidence{static_cast<std::uint32_t>(1 + generator_.below(999'999'999)), flag(),
                                             static_cast<std::uint32_t>(generator_.below(limits::assumed_ppm_max + 1)), flag()};
    }
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
    for (std::size_t length = 1 + generator_.below(64); length > 0; --length) manifest.task += letters[generator_.below(letters.size())];
    return manifest;
  }
  Delegation delegation() { return {id<JobId>(), number(), list<PeerId>(delegates_max, [&] { return id<PeerId>(); })}; }
  Announcement announcement() {
    return {signed_bytes(limits::manifest_bytes_max),
            signed_bytes(limits::delegation_bytes_max),
            signed_bytes(limits::record_bytes_max),
            number(),
            date(),
            flag()};
  }

  template <class T>
  T id() {
    T id;
    for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(generator_.next());
    return id;
  }

 private:
  bool flag() { return generator_.chance(0.5); }
  /// Every width is as likely as every other, so that each of msgpack's encodings comes up.
  std::uint64_t number() { return generator_.next() >> generator_.below(64); }
  Duration duration() { return std::chrono::microseconds(number() >> 16); }
  WallTime date() { return WallTime(std::chrono::milliseconds(number() >> 16)); }
  Signature signature() {
    Signature signature;
    for (auto& byte : signature) byte = static_cast<std::uint8_t>(generator_.next());
    return signature;
  }
  Bytes bytes(std::size_t most) {
    Bytes bytes(generator_.below(std::min(most, bytes_most_) + 1));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(generator_.next());
    return bytes;
  }
  Signed signed_bytes(std::size_t most) { return {bytes(most), signature()}; }
  Value value() {
    if (generator_.below(8) != 0) return bytes(700);
    return Value(BlobId{limits::unit_bytes_max + 1 + generator_.below(limits::blob_bytes_max - limits::unit_bytes_max), id<Hash>()});
  }
  UnitResult result() {
    UnitResult result{{number()}, {number()}, static_cast<Outcome>(generator_.below(outcome_last + 1u)), value()};
    if (result.output.large) result.outcome = Outcome::ok;
    return result;
  }
  std::vector<UnitIndex> units() { return list<UnitIndex>(limits::batch_units_max, [&] { return UnitIndex{number()}; }); }

  template <class T, class Make>
  std::vector<T> list(std::size_t most, Make make) {
    std::vector<T> items(generator_.below(std::min(most, items_most_) + 1));
    for (T& item : items) item = make();
    return items;
  }

  Generator generator_;
  std::size_t items_most_;
  std::size_t bytes_most_;
};

}  // namespace dugnad::core::samples
