#include "coordinatorless/core/contact.h"

#include <doctest/doctest.h>

using namespace dugnad::core;

namespace {

const std::string peer(64, 'a');
const std::string curve = std::string(62, '0') + "1f";

std::string complaint(const std::string& text) {
  const auto contact = Contact::parse(text);
  REQUIRE_MESSAGE(!contact.ok(), text);
  return contact.error().message;
}

bool says(const std::string& text, const char* part) {
  const std::string message = complaint(text);
  const bool one_line = message.find('\n') == std::string::npos;
  INFO(message);
  return one_line && message.size() < 500 && message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a contact's text parses back to it") {
  for (const char* host_port : {"127.0.0.1:4210", "[::1]:4210", "host.example:1", "my-host:65535"}) {
    const std::string text = std::string("tcp://") + host_port + "/" + peer + "/" + curve;
    const auto contact = Contact::parse(text);
    REQUIRE_MESSAGE(contact.ok(), text);
    CHECK(contact->host_port == host_port);
    CHECK(contact->peer.hex() == peer);
    CHECK(contact->curve.hex() == curve);
    CHECK(contact->text() == text);
  }
}

TEST_CASE("a contact that does not parse says which part is wrong, in one line") {
  const std::string tail = "/" + peer + "/" + curve;
  CHECK(says("", "tcp://"));
  CHECK(says("udp://h:1" + tail, "does not begin with tcp://"));
  CHECK(says("tcp://h:1", "lacks the peer's id or its CURVE key"));
  CHECK(says("tcp://h:1/" + peer, "lacks the peer's id or its CURVE key"));
  CHECK(says("tcp://h" + tail, "HOST:PORT"));
  CHECK(says("tcp://:1" + tail, "HOST:PORT"));
  for (const char* port : {"", "0", "65536", "-1", "+1", "1x", " 1", "99999999999", "01"}) {
    CHECK_MESSAGE(says(std::string("tcp://h:") + port + tail, "port is not a number from 1 to 65535"), port);
  }
  for (const char* host : {"a b", "::1", "[::1", "::1]", "[]", "h\n", "h\x1b[2J", "user@h", "h,i", "*", "[localhost]", "[1.2.3.4]"}) {
    CHECK_MESSAGE(says(std::string("tcp://") + host + ":1" + tail, "HOST"), host);
  }
  CHECK(says("tcp://" + std::string(300, 'h') + ":1" + tail, "HOST"));
  CHECK(says("tcp://h:1/" + peer.substr(1) + "/" + curve, "peer id is not 64 lower-case hex digits"));
  CHECK(says("tcp://h:1/" + std::string(64, 'A') + "/" + curve, "peer id is not 64 lower-case hex digits"));
  CHECK(says("tcp://h:1/" + peer + "/" + curve + "0", "CURVE key is not 64 lower-case hex digits"));
  CHECK(says("tcp://h:1" + tail + "/", "CURVE key is not 64 lower-case hex digits"));
  CHECK(says("tcp://h:1" + tail + "\n", "CURVE key is not 64 lower-case hex digits"));
  CHECK(says("tcp://h:1" + tail + "\nmore", "CURVE key is not 64 lower-case hex digits"));
}

TEST_CASE("a hostile contact's text cannot make the complaint long, nor move the terminal") {
  const std::string message = complaint(std::string(100000, '\x1b'));
  CHECK(message.size() < 500);
  CHECK(message.find('\x1b') == std::string::npos);
}
