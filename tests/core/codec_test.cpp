#include "coordinatorless/core/codec.h"

#include <doctest/doctest.h>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/base/merkle.h"
#include "tests/core/sample_messages.h"

using namespace dugnad;
using namespace dugnad::core;
using samples::Sampler;

namespace {

Sampler sampler(std::uint64_t seed, std::size_t items_most = 5000, std::size_t bytes_most = 1 << 20) {
  return {Generator::from_seed(seed), items_most, bytes_most};
}

/// Whether the frame is refused, or taken for something that is written as that very frame.
bool harmless(ByteView frame) {
  const auto message = decode(frame);
  return !message || std::ranges::equal(encode(*message), frame);
}

/// `check` for a small sample of each kind of message.
template <class Check>
void for_each_kind(std::uint64_t seed, Check check) {
  for (std::size_t kind = 0; kind < Sampler::kinds; ++kind) {
    INFO("message kind ", kind);
    check(encode(sampler(seed + kind, 3, 20).message(kind)));
  }
}

ContactRecord with_endpoint(std::uint16_t port) {
  ContactRecord record;
  record.endpoint = Endpoint{{}, port};
  return record;
}

void put_bin(Bytes& frame, std::size_t size) {
  frame.push_back(0xc4);
  frame.push_back(static_cast<std::uint8_t>(size));
  frame.resize(frame.size() + size, 7);
}

/// A Revoke with this array header instead of its own, and these bytes as items.
Bytes revoke_with(const Bytes& header, const Bytes& items) {
  Bytes frame{0x94, 1, 9};
  put_bin(frame, 32);
  frame.insert(frame.end(), header.begin(), header.end());
  frame.insert(frame.end(), items.begin(), items.end());
  return frame;
}

}  // namespace

TEST_CASE("every message comes back as it was sent") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::size_t kind = 0; kind < Sampler::kinds; ++kind) {
      const Message message = sampler(seed * 100 + kind).message(kind);
      REQUIRE(message.index() == kind);
      const Bytes frame = encode(message);
      const auto back = decode(frame);
      REQUIRE_MESSAGE(back, "kind ", kind, ", seed ", seed);
      CHECK(*back == message);
      CHECK(encode(*back) == frame);
    }
  }
}

TEST_CASE("every signed body comes back as it was signed") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Sampler sample = sampler(seed);
    const auto record = sample.record();
    CHECK(decode_contact_record(encode(record)) == record);
    const auto goodbye = sample.goodbye();
    CHECK(decode_goodbye(encode(goodbye)) == goodbye);
    const auto manifest = sample.manifest();
    CHECK(decode_manifest(encode(manifest)) == manifest);
    const auto delegation = sample.delegation();
    CHECK(decode_delegation(encode(delegation)) == delegation);
    const auto announcement = sample.announcement();
    CHECK(decode_announcement(encode(announcement)) == announcement);
    const auto binding = sample.binding();
    CHECK(decode_owner_binding(encode(binding)) == binding);
    const auto receipt = sample.receipt();
    CHECK(decode_receipt(encode(receipt)) == receipt);
  }
}

TEST_CASE("one kind of signed body is never taken for another") {
  Sampler sample = sampler(1);
  const Bytes bodies[] = {encode(sample.record()), encode(sample.manifest()), encode(sample.delegation()), encode(sample.announcement()),
                          encode(sample.goodbye())};
  for (std::size_t i = 0; i < std::size(bodies); ++i) {
    CHECK(decode_contact_record(bodies[i]).has_value() == (i == 0));
    CHECK(decode_manifest(bodies[i]).has_value() == (i == 1));
    CHECK(decode_delegation(bodies[i]).has_value() == (i == 2));
    CHECK(decode_announcement(bodies[i]).has_value() == (i == 3));
    CHECK(decode_goodbye(bodies[i]).has_value() == (i == 4));
    CHECK_FALSE(decode(bodies[i]));
  }
}

TEST_CASE("the largest message of each kind fits a frame") {
  Lease lease;
  Results results;
  for (std::uint64_t i = 0; i < limits::batch_units_max; ++i) {
    lease.units.push_back({{~i}, Bytes(limits::batch_bytes_max / limits::batch_units_max, 1)});
    results.results.push_back({{~i}, {~i}, Outcome::ok, Bytes(limits::batch_bytes_max / limits::batch_units_max, 1)});
  }
  Contacts contacts{std::vector<Signed>(limits::welcome_records, Signed{Bytes(limits::record_bytes_max), {}})};
  Digest digest{std::vector<DigestEntry>(limits::digest_entries_max, DigestEntry{{}, ~0ull})};
  for (const Message& message : {Message(lease), Message(results), Message(contacts), Message(digest)}) {
    const Bytes frame = encode(message);
    CHECK(frame.size() + limits::relay_overhead_bytes <= limits::message_bytes_max);  // it may have to go through a relay
    CHECK(decode(frame) == message);
  }
  Announcement announcement{{Bytes(limits::manifest_bytes_max), {}},
                            {Bytes(limits::delegation_bytes_max), {}},
                            {Bytes(limits::record_bytes_max), {}},
                            ~0ull,
                            {},
                            true};
  CHECK(decode_announcement(encode(announcement)) == announcement);
  ContactRecord record = with_endpoint(65535);
  record.relays.resize(relays_max);
  record.sequence = ~0ull;
  CHECK(decode_contact_record(encode(record)) == record);
  Delegation delegation{{}, ~0ull, std::vector<PeerId>(delegates_max)};
  CHECK(decode_delegation(encode(delegation)) == delegation);
}

TEST_CASE("a relay carries the largest frame, sealed") {
  const Message relay = Relay{{}, {}, ~0ull, Bytes(limits::message_bytes_max - limits::relay_overhead_bytes + 16)};
  CHECK(decode(encode(relay)) == relay);
}

TEST_CASE("a frame that is cut short or goes on is refused") {
  for_each_kind(7, [](const Bytes& frame) {
    for (std::size_t length = 0; length < frame.size(); ++length) CHECK_FALSE(decode(ByteView(frame).first(length)));
    for (int byte = 0; byte < 256; ++byte) {
      Bytes longer = frame;
      longer.push_back(static_cast<std::uint8_t>(byte));
      CHECK_FALSE(decode(longer));
    }
    Bytes twice = frame;
    twice.insert(twice.end(), frame.begin(), frame.end());
    CHECK_FALSE(decode(twice));
  });
}

TEST_CASE("a signed body that is cut short or goes on is refused") {
  Bytes body = encode(sampler(8).manifest());
  for (std::size_t length = 0; length < body.size(); ++length) CHECK_FALSE(decode_manifest(ByteView(body).first(length)));
  body.push_back(0xc0);
  CHECK_FALSE(decode_manifest(body));
}

TEST_CASE("a flipped bit gives nothing, or another message with that very frame") {
  for_each_kind(11, [](Bytes frame) {
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
      frame[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      CHECK(harmless(frame));
      frame[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    }
  });
}

TEST_CASE("each message has exactly one encoding") {
  const Bytes none;
  CHECK(decode(revoke_with({0x90}, none)));
  CHECK_FALSE(decode(revoke_with({0xdc, 0, 0}, none)));
  CHECK_FALSE(decode(revoke_with({0xdd, 0, 0, 0, 0}, none)));
  CHECK(decode(revoke_with({0x91}, {0x7f})));
  CHECK(decode(revoke_with({0x91}, {0xcd, 1, 44})));
  for (const Bytes& seven : {Bytes{0xcc, 7}, Bytes{0xcd, 0, 7}, Bytes{0xce, 0, 0, 0, 7}, Bytes{0xcf, 0, 0, 0, 0, 0, 0, 0, 7},
                             Bytes{0xd0, 7}, Bytes{0xd1, 0, 7}}) {
    CHECK_FALSE(decode(revoke_with({0x91}, seven)));
  }
  CHECK_FALSE(decode(revoke_with({0x91}, {0xd1, 1, 44})));         // 300, as long as its proper encoding, yet signed
  CHECK_FALSE(decode(revoke_with({0x91}, {0xd2, 0, 1, 0, 0})));
  Bytes wide{0x93, 1, 10, 0xc5, 0, 32};                            // a Closed whose job id has a longer header than it needs
  wide.resize(wide.size() + 32);
  CHECK_FALSE(decode(wide));
}

TEST_CASE("what no message holds is refused wherever it stands") {
  for (const Bytes& item : {Bytes{0xff}, Bytes{0xd0, 0x80}, Bytes{0xca, 0, 0, 0, 0}, Bytes{0xcb, 0, 0, 0, 0, 0, 0, 0, 0}, Bytes{0xa1, 'a'},
                            Bytes{0xc4, 0}, Bytes{0xc0}, Bytes{0xc3}, Bytes{0x80}, Bytes{0x81, 1, 1}, Bytes{0x90}, Bytes{0x91, 1},
                            Bytes{0xd4, 1, 1}, Bytes{0xc7, 0, 1}, Bytes{0xc1}}) {
    CHECK_FALSE(decode(revoke_with({0x91}, item)));
    CHECK_FALSE(decode(item));
  }
  CHECK_FALSE(decode(Bytes{}));
}

TEST_CASE("a message with a field too few or too many is refused") {
  for_each_kind(13, [](Bytes frame) {
    REQUIRE(frame[0] / 16 == 9);  // a short array
    ++frame[0];
    frame.push_back(1);
    CHECK_FALSE(decode(frame));
    frame.pop_back();
    frame[0] = static_cast<std::uint8_t>(frame[0] - 2);
    CHECK_FALSE(decode(frame));
  });
}

TEST_CASE("a message of another version or an unknown type is refused") {
  for_each_kind(17, [](const Bytes& frame) {
    for (const std::uint8_t version : {0, 2, 127}) {
      Bytes other = frame;
      other[1] = version;
      CHECK_FALSE(decode(other));
    }
    for (const std::uint8_t type : {0, 21, 127}) {
      Bytes other = frame;
      other[2] = type;
      CHECK_FALSE(decode(other));
    }
  });
  for (const std::uint8_t version : {0, 2, 127}) {
    Bytes body = encode(sampler(18).manifest());
    body[1] = version;
    CHECK_FALSE(decode_manifest(body));
  }
}

TEST_CASE("ids and signatures have their exact length") {
  for (const std::size_t size : {0, 31, 33, 64}) {
    Bytes frame{0x93, 1, 10};
    put_bin(frame, size);
    CHECK_FALSE(decode(frame));
  }
}

TEST_CASE("lists over their limits are refused") {
  const Bytes units(limits::batch_units_max + 1, 1);
  CHECK(decode(revoke_with({0xdc, 0x04, 0x00}, Bytes(limits::batch_units_max, 1))));
  CHECK_FALSE(decode(revoke_with({0xdc, 0x04, 0x01}, units)));

  Bytes pull{0x93, 1, 4, 0xdc, 0x01, 0x01};
  for (std::size_t i = 0; i < limits::digest_entries_max + 1; ++i) put_bin(pull, 32);
  CHECK_FALSE(decode(pull));

  ContactRecord record;
  record.relays.resize(relays_max);
  Bytes body = encode(record);
  const std::size_t at = 2 + 34 + 34 + 1;  // behind array, version, both keys and the missing endpoint
  REQUIRE(body[at] == 0x93);
  body[at] = 0x94;
  body.insert(body.begin() + at + 1, {0xc4, 32});
  body.insert(body.begin() + at + 3, 32, 0);
  CHECK_FALSE(decode_contact_record(body));
}

TEST_CASE("inputs and outputs over their limits are refused") {
  const auto lease_of = [](std::size_t units, std::size_t size) {  // by hand: encode() would not
    Bytes frame{0x96, 1, 6};
    put_bin(frame, 32);
    frame.insert(frame.end(), {1, 1, static_cast<std::uint8_t>(0x90 + units)});
    for (std::size_t i = 0; i < units; ++i) {
      frame.insert(frame.end(), {0x92, 1, 0xc6, 0, static_cast<std::uint8_t>(size >> 16), static_cast<std::uint8_t>(size >> 8),
                                 static_cast<std::uint8_t>(size)});
      frame.resize(frame.size() + size);
    }
    return frame;
  };
  CHECK(decode(lease_of(12, limits::unit_bytes_max)));
  CHECK_FALSE(decode(lease_of(1, limits::unit_bytes_max + 1)));
  CHECK_FALSE(decode(lease_of(13, limits::unit_bytes_max)));  // over batch_bytes_max together
}

TEST_CASE("a large value is a blob of a length that would not travel inline, and never a reason") {
  const auto decodes = [](std::uint64_t length, Outcome outcome) {  // by hand: encode() would not
    Bytes frame{0x96, 1, 7};
    put_bin(frame, 32);
    frame.insert(frame.end(), {1, 0x91, 0x94, 1, 1, static_cast<std::uint8_t>(outcome), 0x92, 0xce});
    for (int shift = 24; shift >= 0; shift -= 8) frame.push_back(static_cast<std::uint8_t>(length >> shift));
    put_bin(frame, 32);
    put_bin(frame, 64);
    return decode(frame).has_value();
  };
  CHECK(decodes(limits::unit_bytes_max + 1, Outcome::ok));
  CHECK(decodes(limits::blob_bytes_max, Outcome::ok));
  CHECK_FALSE(decodes(limits::unit_bytes_max, Outcome::ok));
  CHECK_FALSE(decodes(limits::blob_bytes_max + 1, Outcome::ok));
  CHECK_FALSE(decodes(limits::blob_bytes_max, Outcome::failed));
  CHECK_FALSE(decodes(limits::blob_bytes_max, Outcome::donor_fault));
}

TEST_CASE("numbers out of range are refused") {
  Bytes want{0x95, 1, 5};
  put_bin(want, 32);
  const auto with = [&](const Bytes& slots, const Bytes& work) {
    Bytes frame = want;
    frame.insert(frame.end(), slots.begin(), slots.end());
    frame.insert(frame.end(), work.begin(), work.end());
    return decode(frame).has_value();
  };
  const Bytes fits{0xce, 0xff, 0xff, 0xff, 0xff};
  const Bytes too_wide{0xcf, 0, 0, 0, 1, 0, 0, 0, 0};
  CHECK(with(fits, {1}));
  CHECK_FALSE(with(too_wide, {1}));
  CHECK_FALSE(with({0xff}, {1}));
  CHECK(with({1}, {0xcf, 0, 1, 0, 0, 0, 0, 0, 0}));             // nine years
  CHECK_FALSE(with({1}, {0xcf, 0, 2, 0, 0, 0, 0, 0, 0}));       // eighteen
  CHECK_FALSE(with({1}, {0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0}));
  CHECK_FALSE(with({1}, {0xff}));

  Bytes hops = encode(Announce{{}, limits::gossip_hops_max});
  CHECK(decode(hops));
  ++hops.back();
  CHECK_FALSE(decode(hops));
}

TEST_CASE("a manifest's task, copies and dates are checked") {
  Manifest manifest;
  manifest.task = "nqueens";
  manifest.copies = 64;
  manifest.created = WallTime(std::chrono::milliseconds(127));
  const Bytes body = encode(manifest);
  REQUIRE(decode_manifest(body) == manifest);
  const auto changed = [&](std::uint8_t from, std::uint8_t to) {
    Bytes other = body;
    *std::find(other.begin(), other.end(), from) = to;
    return decode_manifest(other).has_value();
  };
  CHECK(changed('q', 'k'));
  for (const char letter : {'Q', ' ', '/', '\n', '\0', '\x7f', '\x1b'}) CHECK_FALSE(changed('q', static_cast<std::uint8_t>(letter)));
  CHECK_FALSE(changed('q', 0xe9));
  CHECK(changed(64, 63));
  CHECK_FALSE(changed(64, 65));
  CHECK_FALSE(changed(64, 0));

  Bytes unnamed = body;
  const auto name = std::find(unnamed.begin(), unnamed.end(), 0xa7);
  *name = 0xa0;
  unnamed.erase(name + 1, name + 8);
  CHECK_FALSE(decode_manifest(unnamed));

  Bytes late = body;
  REQUIRE(late.back() == 127);
  late.pop_back();
  late.insert(late.end(), {0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  CHECK_FALSE(decode_manifest(late));
}

TEST_CASE("an endpoint without a port is refused") {
  Bytes body = encode(with_endpoint(1));
  const std::size_t at = 2 + 34 + 34 + 1 + 18;
  REQUIRE(body[at] == 1);
  body[at] = 0;
  CHECK_FALSE(decode_contact_record(body));
}

TEST_CASE("durations travel as whole microseconds") {
  const Message message = decode(encode(Want{{}, 1, std::chrono::nanoseconds(1999)})).value();
  CHECK(std::get<Want>(message).work == std::chrono::microseconds(1));
}

TEST_CASE("the results' root changes with everything it vouches for") {
  const Results results{.job = {{1}},
                        .held = {},
                        .results = {{{1}, {2}, Outcome::ok, Bytes{3}}, {{1}, {3}, Outcome::failed, Bytes{4}}, {{1}, {4}, Outcome::ok, {}}},
                        .signature = {}};
  const Hash root = results_root(results);
  CHECK(root == results_root(results));

  const auto changed = [&](auto change) {
    Results other = results;
    change(other);
    return results_root(other) != root;
  };
  CHECK(changed([](Results& r) { r.job.bytes[31] ^= 1; }));
  CHECK(changed([](Results& r) { r.results[1].lease.value ^= 1ull << 63; }));
  CHECK(changed([](Results& r) { r.results[1].unit.value ^= 1ull << 63; }));
  CHECK(changed([](Results& r) { std::swap(r.results[1].unit.value, r.results[1].lease.value); }));
  CHECK(changed([](Results& r) { r.results[1].outcome = Outcome::ok; }));
  CHECK(changed([](Results& r) { r.results[2].output.bytes.push_back(0); }));
  CHECK(changed([](Results& r) { std::swap(r.results[0], r.results[1]); }));
  CHECK(changed([](Results& r) { r.results.pop_back(); }));
}

TEST_CASE("a result's leaf is what PROTOCOL.md says") {
  const Results results{.job = {{9}}, .held = {}, .results = {{{0x0102}, {0x0304}, Outcome::failed, to_bytes("out")}}, .signature = {}};
  Bytes leaf(32, 0);
  leaf[0] = 9;
  leaf.insert(leaf.end(), {4, 3, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 1});
  const Hash output = hash_of(view_of("out"));
  leaf.insert(leaf.end(), output.bytes.begin(), output.bytes.end());
  CHECK(results_root(results) == merkle_leaf(leaf));
}
