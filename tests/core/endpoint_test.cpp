#include "coordinatorless/core/endpoint.h"

#include <doctest/doctest.h>

using namespace dugnad::core;

namespace {

Endpoint at(std::string_view text) {
  const auto endpoint = Endpoint::parse(text);
  REQUIRE_MESSAGE(endpoint, text);
  return *endpoint;
}

}  // namespace

TEST_CASE("an endpoint's text parses back to it") {
  for (const char* text : {"127.0.0.1:4210", "10.1.2.3:1", "255.255.255.255:65535", "[::1]:4210", "[2001:db8::7]:80", "[fe80::1]:9"}) {
    CHECK(at(text).text() == text);
    CHECK(at(at(text).text()) == at(text));
  }
}

TEST_CASE("an IPv4 address is the same endpoint however it is written") {
  CHECK(at("[::ffff:10.1.2.3]:7") == at("10.1.2.3:7"));
  CHECK(at("[::ffff:10.1.2.3]:7").is_v4());
  CHECK_FALSE(at("[::1]:7").is_v4());
}

TEST_CASE("what is no address and port is refused") {
  for (const char* text : {"", ":", "127.0.0.1", "127.0.0.1:", ":4210", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+1",
                           "127.0.0.1:-1", "127.0.0.1: 1", "127.0.0.1:1 ", " 127.0.0.1:1", "127.0.0.1:01", "127.0.0.1:1x",
                           "127.0.0:1", "127.0.0.256:1", "localhost:1", "::1:1", "[::1]", "[::1:1", "[]:1", "[:1", "]:1",
                           "[127.0.0.1]:1", "[::1]x:1", "[fe80::1%lo]:1", "*:4210", "127.0.0.1:99999999999999999999"}) {
    CHECK_MESSAGE(!Endpoint::parse(text), text);
  }
  CHECK_FALSE(Endpoint::parse(std::string_view("127.0.0.1\0:1", 12)));
  CHECK_FALSE(Endpoint::parse(std::string(1000, '1') + ":1"));
}

TEST_CASE("an address reaches as far as its range says") {
  for (const char* text : {"127.0.0.1:1", "127.255.0.9:1", "[::1]:1"}) CHECK_MESSAGE(reach_of(at(text)) == Reach::loopback, text);
  for (const char* text : {"10.0.0.1:1", "172.16.0.1:1", "172.31.255.1:1", "192.168.1.1:1", "169.254.1.1:1", "100.64.0.1:1",
                           "100.127.0.1:1", "[fe80::1]:1", "[fc00::1]:1", "[fd12::1]:1", "[fec0::1]:1"}) {
    CHECK_MESSAGE(reach_of(at(text)) == Reach::local, text);
  }
  for (const char* text : {"8.8.8.8:1", "172.32.0.1:1", "172.15.0.1:1", "192.169.0.1:1", "100.128.0.1:1", "100.63.0.1:1", "[2600::1]:1"}) {
    CHECK_MESSAGE(reach_of(at(text)) == Reach::global, text);
  }
  for (const char* text : {"0.0.0.0:1", "0.1.2.3:1", "224.0.0.1:1", "255.255.255.255:1", "[::]:1", "[ff02::1]:1"}) {
    CHECK_MESSAGE(reach_of(at(text)) == Reach::unusable, text);
  }
  Endpoint portless = at("8.8.8.8:1");
  portless.port = 0;
  CHECK(reach_of(portless) == Reach::unusable);
}

TEST_CASE("an IPv6 address that carries an IPv4 one reaches no further than that one") {
  // Else a gossiped record leads whoever has such a route into their own network.
  CHECK(reach_of(at("[64:ff9b::10.0.0.1]:1")) == Reach::local);
  CHECK(reach_of(at("[64:ff9b::8.8.8.8]:1")) == Reach::global);
  CHECK(reach_of(at("[2002:7f00:1::]:1")) == Reach::loopback);
  CHECK(reach_of(at("[2002:808:808::1]:1")) == Reach::global);
  CHECK(reach_of(at("[::10.0.0.1]:1")) == Reach::unusable);
}

TEST_CASE("addresses of one network are one group, and families never mix") {
  CHECK(group_of(at("10.1.2.3:1")) == group_of(at("10.1.99.99:2")));
  CHECK(group_of(at("10.1.2.3:1")) != group_of(at("10.2.2.3:1")));
  CHECK(neighbourhood_of(at("10.1.2.3:1")) == neighbourhood_of(at("10.1.2.99:2")));
  CHECK(neighbourhood_of(at("10.1.2.3:1")) != neighbourhood_of(at("10.1.3.3:1")));
  CHECK(group_of(at("[2001:db8:1::1]:1")) == group_of(at("[2001:db8:2::1]:1")));
  CHECK(group_of(at("[2001:db8::1]:1")) != group_of(at("[2001:db9::1]:1")));
  CHECK(neighbourhood_of(at("[2001:db8:1::1]:1")) == neighbourhood_of(at("[2001:db8:1:9::1]:1")));
  CHECK(neighbourhood_of(at("[2001:db8:1::1]:1")) != neighbourhood_of(at("[2001:db8:2::1]:1")));
  CHECK(group_of(at("0.0.0.0:1")) != group_of(at("[::1]:1")));
}
