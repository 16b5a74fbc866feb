// Golden bytes: one example of everything that travels. A change here is a change of the protocol, and asks for a new version.
#include <doctest/doctest.h>

#include "coordinatorless/base/rows.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/handshake.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

/// An id of 32 times this byte.
template <class T>
T id(std::uint8_t byte) {
  T id;
  id.bytes.fill(byte);
  return id;
}

Signature signature(std::uint8_t byte) {
  Signature signature;
  signature.fill(byte);
  return signature;
}

const auto job = id<JobId>(0x10);
const WallTime date{std::chrono::milliseconds(1'700'000'000'000)};
const Signed vouched{{0xb0, 0xb1}, signature(0x5e)};

/// Hex with spaces between fields, for reading.
std::string joined(std::string text) {
  std::erase(text, ' ');
  return text;
}

template <class T, class Decode>
void check_golden(const T& value, Decode decode_it, const std::string& hex) {
  const Bytes bytes = encode(value);
  CHECK(to_hex(bytes) == joined(hex));
  CHECK(decode_it(bytes) == value);
}

void check_golden(const Message& message, const std::string& hex) { check_golden(message, decode, hex); }

const std::string h10 = "c420 1010101010101010101010101010101010101010101010101010101010101010 ";
const std::string h20 = "c420 2020202020202020202020202020202020202020202020202020202020202020 ";
const std::string h30 = "c420 3030303030303030303030303030303030303030303030303030303030303030 ";
const std::string s5e = "c440 5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"
                        "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e ";
const std::string vouched_hex = "92 c402 b0b1 " + s5e;
const std::string date_hex = "cf 0000018bcfe56800 ";

}  // namespace

TEST_CASE("golden bytes of Contacts") { check_golden(Contacts{{vouched}, true}, "94 01 01 91" + vouched_hex + "c3"); }
TEST_CASE("golden bytes of Announce") { check_golden(Announce{vouched, 3}, "94 01 02 " + vouched_hex + "03"); }
TEST_CASE("golden bytes of Digest") { check_golden(Digest{{{job, 300}}}, "93 01 03 91 92" + h10 + "cd012c"); }
TEST_CASE("golden bytes of Pull") { check_golden(Pull{{job, id<JobId>(0x20)}}, "93 01 04 92" + h10 + h20); }
TEST_CASE("golden bytes of Want") { check_golden(Want{job, 2, std::chrono::seconds(1)}, "95 01 05 " + h10 + "02 ce000f4240"); }
TEST_CASE("golden bytes of Lease") {
  check_golden(Lease{job, {0x0102030405060708}, std::chrono::seconds(10), {{{0}, Bytes{0xaa}}, {{70000}, {}}}},
               "96 01 06 " + h10 + "cf0102030405060708 ce00989680 92  92 00 c401aa  92 ce00011170 c400");
}
TEST_CASE("golden bytes of Results") {
  check_golden(Results{job, std::chrono::milliseconds(1), {{{5}, {6}, Outcome::failed, Bytes{0xee, 0xff}}}, signature(0x5e)},
               "96 01 07 " + h10 + "cd03e8 91  94 05 06 01 c402eeff " + s5e);
}
TEST_CASE("golden bytes of a large input and a large output") {
  const Value large{BlobId{70000, id<Hash>(0x30)}};
  check_golden(Lease{job, {7}, std::chrono::seconds(10), {{{0}, large}}},
               "96 01 06 " + h10 + "07 ce00989680 91  92 00 92 ce00011170" + h30);
  check_golden(Results{job, std::chrono::milliseconds(1), {{{5}, {6}, Outcome::ok, large}}, signature(0x5e)},
               "96 01 07 " + h10 + "cd03e8 91  94 05 06 00 92 ce00011170" + h30 + s5e);
}
TEST_CASE("golden bytes of Return") { check_golden(Return{job, {{1}, {200}}}, "94 01 08 " + h10 + "92 01 ccc8"); }
TEST_CASE("golden bytes of Revoke") { check_golden(Revoke{job, {{1}, {200}}}, "94 01 09 " + h10 + "92 01 ccc8"); }
TEST_CASE("golden bytes of Closed") { check_golden(Closed{job}, "93 01 0a " + h10); }
TEST_CASE("golden bytes of Knock") {
  check_golden(Knock{.from = id<PeerId>(0x20), .to = id<PeerId>(0x30), .record = vouched, .session = 9, .answer = true},
               "97 01 0b " + h20 + h30 + vouched_hex + "09 c3");
}
TEST_CASE("golden bytes of Relay") {
  check_golden(Relay{id<PeerId>(0x20), id<PeerId>(0x30), 7, {1, 2, 3}}, "96 01 0c " + h20 + h30 + "07 c403 010203");
}
TEST_CASE("golden bytes of RelayGone") { check_golden(RelayGone{id<PeerId>(0x20)}, "93 01 0d " + h20); }
TEST_CASE("golden bytes of Seek") { check_golden(Seek{{70000, id<Hash>(0x30)}, 2}, "94 01 10 92 ce00011170" + h30 + "02"); }
TEST_CASE("golden bytes of Found") {
  check_golden(Found{{70000, id<Hash>(0x30)}, {vouched}}, "94 01 11 92 ce00011170" + h30 + "91 " + vouched_hex);
}

TEST_CASE("golden bytes of Results that say their inputs") {
  const InputDigests inputs{Bytes(input_digest_bytes, 0x1d)};
  check_golden(Results{job, std::chrono::milliseconds(1), {{{5}, {6}, Outcome::ok, Bytes{0xee}}}, signature(0x5e), inputs},
               "97 01 07 " + h10 + "cd03e8 91  94 05 06 00 c401ee " + s5e + "91 c410 1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d");
}
TEST_CASE("golden bytes of Entrust") { check_golden(Entrust{vouched, vouched}, "94 01 12 " + vouched_hex + vouched_hex); }
TEST_CASE("golden bytes of Follow") {
  check_golden(Follow{job, 7, 300, true, false, vouched, 5}, "99 01 13 " + h10 + "07 cd012c c3 c2 " + vouched_hex + "05");
}
TEST_CASE("golden bytes of Record") {
  check_golden(Record{job, 7, 300, 302, true, {{id<PublicKey>(0x20), {0xaa}, {}}, {{}, {0xbb}, signature(0x5e)}}},
               "98 01 14 " + h10 + "07 cd012c cd012e c3 92  93 " + h20 + "c401aa c0  93 c0 c401bb " + s5e);
}
TEST_CASE("golden bytes of an owner's word") {
  OwnersWord word{.job = job, .units = {{{5}, Bytes{0xaa}}}, .finals = {{{6}, 70000, Outcome::ok, Bytes{0xee}}}, .collected = {}, .deed = {},
                  .recipe = {0x01}};
  check_golden(word, decode_owners_word, "97 01 " + h10 + "91 92 05 c401aa  91 94 06 ce00011170 00 c401ee  c0 c0 c40101");
  word = {.job = job, .units = {}, .finals = {}, .collected = CollectedResults{id<PublicKey>(0x20), {0xff}},
          .deed = Deed{7, id<Hash>(0x30), {{id<PeerId>(0x20), {}, true}}}, .recipe = {}};
  check_golden(word, decode_owners_word, "97 01 " + h10 + "90 90  92 " + h20 + "c401ff  93 07 " + h30 + "91 93 " + h20 + "c0 c3  c400");
}

TEST_CASE("golden bytes of Binding") { check_golden(Binding{vouched}, "93 01 0e " + vouched_hex); }
TEST_CASE("golden bytes of Receipts") {
  check_golden(Receipts{{{{0xb0}, signature(0x5e), {}}, {{}, signature(0x5e), signature(0x5e)}}},
               "93 01 0f 92  93 c401b0 " + s5e + "c0  93 c400 " + s5e + s5e);
}

TEST_CASE("golden bytes of a binding to an owner, and of a receipt") {
  check_golden(OwnerBinding{id<PublicKey>(0x10), id<PeerId>(0x20)}, decode_owner_binding, "93 01 " + h10 + h20);
  const Receipt receipt{id<PublicKey>(0x10), id<PeerId>(0x20), 70000, id<PublicKey>(0x30), 7, std::chrono::milliseconds(1), date};
  check_golden(receipt, decode_receipt, "98 01 " + h10 + h20 + "ce00011170 " + h30 + "07 cd03e8 " + date_hex);
}

TEST_CASE("golden bytes of a contact record") {
  ContactRecord record{.key = id<PublicKey>(0x10), .curve = id<CurveKey>(0x20), .endpoint = Endpoint::parse("127.0.0.1:4210"),
                       .relays = {}, .donates = true, .sequence = 5, .expires = date};
  check_golden(record, decode_contact_record,
               "98 01 " + h10 + h20 + "92 c410 00000000000000000000ffff7f000001 cd1072  90 c3 05 " + date_hex);
  record.endpoint.reset();
  record.relays = {id<PeerId>(0x30)};
  check_golden(record, decode_contact_record, "98 01 " + h10 + h20 + "c0 91" + h30 + "c3 05 " + date_hex);
  record.proof = IdentityTicket{24322, 70000};
  check_golden(record, decode_contact_record, "99 01 " + h10 + h20 + "c0 91" + h30 + "c3 05 " + date_hex + "92 cd5f02 ce00011170");
}
TEST_CASE("a contact record without a proof says so in one way alone") {
  const std::string fields = "01 " + h10 + h20 + "c0 90 c3 05 " + date_hex;
  const auto decodes = [](const std::string& hex) { return decode_contact_record(*from_hex(joined(hex))).has_value(); };
  CHECK(decodes("98 " + fields));
  CHECK_FALSE(decodes("99 " + fields + "c0"));
  CHECK_FALSE(decodes("9a " + fields + "92 01 01 c0"));
  CHECK(decodes("9a " + fields + "c0 05"));        // a steward, without one
  CHECK_FALSE(decodes("9a " + fields + "c0 00"));  // with room for nothing
  CHECK_FALSE(decodes("97 01 " + h10 + h20 + "c0 90 c3 05 "));
  CHECK_FALSE(decodes("99 " + fields + "92 ce7fffffff 01"));  // a month that no calendar has
}
TEST_CASE("golden bytes of a goodbye") {
  check_golden(Goodbye{id<PublicKey>(0x10), 5, date}, decode_goodbye, "94 01 " + h10 + "05 " + date_hex);
  CHECK(to_text(signed_bytes(Domain::goodbye, {}, {}))
            .starts_with("\x10"
                         "dugnad/1/goodbye"));
}
TEST_CASE("golden bytes of a manifest") {
  Manifest manifest{.owner = id<PublicKey>(0x10), .nonce = id<Hash>(0x20), .task = "nqueens", .task_version = 1, .copies = 2,
                    .unit_limit = std::chrono::minutes(1), .memory_bytes = 1 << 20, .module = {}, .fuel = 0, .created = date};
  check_golden(manifest, decode_manifest, "9c 01 " + h10 + h20 + "a7 6e717565656e73 01 02 ce03938700 ce00100000 c0 00 c0 " + date_hex);
  manifest.module = BlobId{70000, id<Hash>(0x30)};
  manifest.fuel = 300;
  manifest.confidence = WantedConfidence{1000, true, 200000, false};
  check_golden(manifest, decode_manifest,
               "9c 01 " + h10 + h20 + "a7 6e717565656e73 01 02 ce03938700 ce00100000 92 ce00011170" + h30 + "cd012c 94 cd03e8 c3 ce00030d40 c2 " +
                   date_hex);
}
TEST_CASE("golden bytes of a delegation") {
  check_golden(Delegation{job, 1, {id<PeerId>(0x20)}}, decode_delegation, "94 01 " + h10 + "01 91" + h20);
}
TEST_CASE("golden bytes of an announcement") {
  check_golden(Announcement{vouched, vouched, vouched, 2, date, false}, decode_announcement,
               "97 01 " + vouched_hex + vouched_hex + vouched_hex + "02 " + date_hex + "c2");
}

TEST_CASE("golden bytes of a results' root") {
  const Results results{
      job, {}, {{{1}, {2}, Outcome::ok, Bytes{3}}, {{4}, {5}, Outcome::failed, {}}, {{6}, {7}, Outcome::donor_fault, Bytes{8}}}, {}};
  CHECK(results_root(results).hex() == "2d4a062d11aefcb6d42c743c14d22606bca38ceaa4f62c86fa6b4a8bd05a862f");
}

TEST_CASE("golden bytes of a large output in the results' root, and of its input's tag") {
  const Value large{BlobId{70000, id<Hash>(0x30)}};
  const Results results{job, {}, {{{1}, {2}, Outcome::ok, large}}, {}};
  CHECK(results_root(results).hex() == "f44afb2484596f42662ee0078e4c6538590fd0a1ec3a79e6ef6f98f44009e1a4");
  CHECK(input_tag_of(large) == 15761576885649183249U);
  // The same 40 bytes as a small value are another output, and another input.
  const Results small{job, {}, {{{1}, {2}, Outcome::ok, large.bytes}}, {}};
  CHECK(results_root(small) != results_root(results));
  CHECK(input_tag_of(large.bytes) != input_tag_of(large));
}

TEST_CASE("golden bytes of the handshake") {
  REQUIRE(sodium_ready());
  SecretKeys keys;
  keys.sign_seed.fill(1);
  keys.curve.fill(2);
  const auto self = make_sodium(keys);
  const Nonce nonce{7};
  CHECK(to_hex(make_hello(*self, swarm_id("golden"), id<CurveKey>(0x20), nonce)) == joined("9700 "
                         "c4201b509717d72ce7e9e7b62eceb75a8879ee44097d909e52876982329e078fc0b6 "
                         "0101 "
                         "c4208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c "
                         "c4200700000000000000000000000000000000000000000000000000000000000000 "
                         "c440 "
                         "b0f7967fb97d056cda94d7cf6e97a9ebf704fe4bd1904e9288f6aade12e20e12e36a"
                         "065720030bfc10efcb0a56fcac9b665b16ceaf7bf83be04d264e06f4090d"));
  const Introduced hello{.key = id<PublicKey>(0x10), .peer = {}, .nonce = nonce};
  CHECK(to_hex(make_welcome(*self, swarm_id("golden"), id<CurveKey>(0x20), hello, Nonce{8})) == joined("950101 "
                         "c4208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c "
                         "c4200800000000000000000000000000000000000000000000000000000000000000 "
                         "c440 "
                         "3c49b7073b2e93e3d7f2c5085197be83744afb7d11d7f16cd6cfc3ef8b5bf40ebd2d"
                         "dc0a7560405e8f7458ce7fb40a6500356e966c8c47af62ffc0fd7ae93d04"));
  CHECK(to_hex(make_refused(Refusal::full)) == "920205");
}
