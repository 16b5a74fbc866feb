#include "coordinatorless/core/endpoint.h"

#include <arpa/inet.h>

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
    if (a == 10 || (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168) || (a == 169 && b == 254) || (a == 100 && b >= 64 && b < 128)) return Reach::local;
    if (a == 0 || a >= 224) return Reach::unusable;  // this network, multicast, reserved, broadcast
    return Reach::global;
  }
  bool zeros = true;
  for (int i = 0; i < 15; ++i) zeros = zeros && ip[i] == 0;
  if (zeros) return ip[15] == 1 ? Reach::loopback : Reach::unusable;
  if (ip[0] == 0xff) return Reach::unusable;
  if ((ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80)) return Reach::local;
  return Reach::global;
}

std::uint64_t group_of(const Endpoint& endpoint) { return prefix(endpoint, 2, 4); }
std::uint64_t neighbourhood_of(const Endpoint& endpoint) { return prefix(endpoint, 3, 6); }

}  // namespace dugnad::core
