#include "coordinatorless/zmq/resolve.h"

#include <doctest/doctest.h>

namespace dugnad::zmq {
namespace {

std::string listen_error(std::string_view text) {
  const auto parsed = parse_listen(text);
  return parsed.ok() ? "" : parsed.error().message;
}
std::string advertise_error(std::string_view text) {
  const auto parsed = parse_advertise(text);
  return parsed.ok() ? "" : parsed.error().message;
}

}  // namespace

TEST_CASE("addresses are read as they stand, names are looked up") {
  CHECK(resolve("127.0.0.1:4210")->text() == "127.0.0.1:4210");
  CHECK(resolve("[::1]:4210")->text() == "[::1]:4210");
  for (const char* local : {"localhost:4210", "LocalHost.:4210", "worker.localhost:4210"}) {
    const auto named = resolve(local);
    REQUIRE(named.ok());
    CHECK(named->text() == "127.0.0.1:4210");
  }
}

TEST_CASE("what cannot be an address is one clear line") {
  for (const std::string text : {"", "host", ":4210", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:4210x", "::1:4210", "[::1:4210"}) {
    const auto resolved = resolve(text);
    REQUIRE_FALSE(resolved.ok());
    CHECK(resolved.error().message == "'" + text + "' is not HOST:PORT");
  }
  const auto unknown = resolve("no-such-host.invalid:4210");
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().message.starts_with("cannot find the host 'no-such-host.invalid': "));
}

TEST_CASE("a contact's name becomes an address") {
  core::Contact contact{.host_port = "localhost:4210", .peer = {}, .curve = {}};
  const auto resolved = resolve(contact);
  REQUIRE(resolved.ok());
  CHECK(core::Endpoint::parse(resolved->host_port).has_value());
}

TEST_CASE("--listen and --advertise say what they want") {
  CHECK((*parse_listen("tcp://127.0.0.1:0"))->text() == "127.0.0.1:0");
  CHECK((*parse_listen("tcp://*:4210"))->text() == "0.0.0.0:4210");
  CHECK_FALSE(parse_listen("none")->has_value());
  CHECK(listen_error("127.0.0.1:4210") == "--listen wants tcp://HOST:PORT or none, not '127.0.0.1:4210'");
  CHECK(listen_error("tcp://4210") == "--listen wants tcp://HOST:PORT or none, not 'tcp://4210'");
  CHECK(parse_advertise("tcp://192.0.2.7:4210")->text() == "192.0.2.7:4210");
  CHECK(advertise_error("tcp://192.0.2.7:0") == "--advertise wants tcp://HOST:PORT, not 'tcp://192.0.2.7:0'");
  CHECK(advertise_error("tcp://0.0.0.0:4210") == "--advertise: nobody can dial '0.0.0.0'");
}

TEST_CASE("last time's port is tried first, then the default one, then any") {
  const auto ports = [](std::optional<std::uint16_t> last) {
    std::vector<std::uint16_t> found;
    for (const auto& endpoint : default_listen(last)) found.push_back(endpoint.port);
    return found;
  };
  CHECK(ports(std::nullopt) == std::vector<std::uint16_t>{4210, 0});
  CHECK(ports(4210) == std::vector<std::uint16_t>{4210, 0});
  CHECK(ports(5000) == std::vector<std::uint16_t>{5000, 4210, 0});
}

TEST_CASE("a bound address is advertised as it is, a wildcard as one of the machine's addresses") {
  const auto loopback = *resolve("127.0.0.1:4210");
  CHECK(advertised(loopback) == loopback);
  const auto guess = advertised(**parse_listen("tcp://*:4210"));
  CHECK(guess.port == 4210);
  CHECK(guess.is_v4());
  CHECK(core::reach_of(guess) != core::Reach::unusable);
}

}  // namespace dugnad::zmq
