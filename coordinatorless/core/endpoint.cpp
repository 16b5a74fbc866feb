#include "coordinatorless/core/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace dugnad::core {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::uint64_t prefix(const Endpoint& endpoint, int v4_bytes, int v6_bytes) {
  const bool v4 = endpoint.is_v4();
  const int from = v4 ? 12 : 0;
  std::uint64_t value = v4 ? 4 : 6;  // keeps the two families apart
  for (int i = 0; i < (v4 ? v4_bytes : v6_bytes); ++i) value = value << 8 | endpoint.ip[from + i];
  return value;
}

/// The IPv4 address behind a translating (64:ff9b::/96, RFC 6052) or tunnelling (2002::/16, RFC 3056) IPv6 address.
std::optional<Endpoint> carried(const Endpoint& endpoint) {
  constexpr std::array<std::uint8_t, 12> nat64{0, 0x64, 0xff, 0x9b};
  const auto& ip = endpoint.ip;
  int from = 0;
  if (std::equal(nat64.begin(), nat64.end(), ip.begin())) from = 12;
  if (ip[0] == 0x20 && ip[1] == 0x02) from = 2;
  if (from == 0) return std::nullopt;
  Endpoint v4{.port = endpoint.port};
  std::copy(v4_prefix.begin(), v4_prefix.end(), v4.ip.begin());
  std::copy_n(ip.begin() + from, 4, v4.ip.begin() + 12);
  return v4;
}

}  // namespace

bool Endpoint::is_v4() const { return std::equal(v4_prefix.begin(), v4_prefix.end(), ip.begin()); }

std::string Endpoint::text() const {
  char buffer[INET6_ADDRSTRLEN];
  if (is_v4()) {
    inet_ntop(AF_INET, ip.data() + 12, buffer, sizeof buffer);
    return std::string(buffer) + ":" + std::to_string(port);
  }
  inet_ntop(AF_INET6, ip.data(), buffer, sizeof buffer);
  return "[" + std::string(buffer) + "]:" + std::to_string(port);
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.size() > 64) return std::nullopt;
  Endpoint endpoint;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc{} || end != port.data() + port.size() || endpoint.port == 0 || port[0] == '0') return std::nullopt;
  std::string host(text.substr(0, colon));
  if (host.find('\0') != std::string::npos) return std::nullopt;  // inet_pton would see only what stands before it
  if (host.front() == '[') {
    if (host.back() != ']') return std::nullopt;
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), endpoint.ip.data()) != 1) return std::nullopt;
    return endpoint;
  }
  std::copy(v4_prefix.begin(), v4_prefix.end(), endpoint.ip.begin());
  if (inet_pton(AF_INET, host.c_str(), endpoint.ip.data() + 12) != 1) return std::nullopt;
  return endpoint;
}

Reach reach_of(const Endpoint& endpoint) {
  const auto& ip = endpoint.ip;
  if (endpoint.port == 0) return Reach::unusable;
  if (endpoint.is_v4()) {
    const int a = ip[12], b = ip[13];
    if (a == 127) return Reach::loopback;
    if (a == 10 || (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168) || (a == 169 && b == 254) || (a == 100 && b >= 64 && b < 128))
      return Reach::local;
    if (a == 0 || a >= 224) return Reach::unusable;  // this network, multicast, reserved, broadcast
    return Reach::global;
  }
  if (const auto v4 = carried(endpoint)) return reach_of(*v4);
  if (std::all_of(ip.begin(), ip.begin() + 12, [](int byte) { return byte == 0; })) {
    const bool one = ip[12] == 0 && ip[13] == 0 && ip[14] == 0 && ip[15] == 1;
    return one ? Reach::loopback : Reach::unusable;  // else unspecified, or the "IPv4-compatible" addresses that nobody routes
  }
  if (ip[0] == 0xff) return Reach::unusable;  // multicast
  const bool link_or_site_local = ip[0] == 0xfe && (ip[1] & 0x80) != 0;
  const bool unique_local = (ip[0] & 0xfe) == 0xfc;
  return link_or_site_local || unique_local ? Reach::local : Reach::global;
}

std::uint64_t group_of(const Endpoint& endpoint) { return prefix(endpoint, 2, 4); }
std::uint64_t neighbourhood_of(const Endpoint& endpoint) { return prefix(endpoint, 3, 6); }

}  // namespace dugnad::core
