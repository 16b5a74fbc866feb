#include "coordinatorless/zmq/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <memory>
#include <string>

namespace dugnad::zmq {
namespace {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};

std::optional<HostPort> split(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  HostPort parts{.host = std::string(text.substr(0, colon))};
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), parts.port);
  if (error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
  if (parts.host.front() == '[') {
    if (parts.host.back() != ']') return std::nullopt;
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  } else if (parts.host.find(':') != std::string::npos) {
    return std::nullopt;  // an IPv6 address without brackets: where it ends is anybody's guess
  }
  if (parts.host.empty() || parts.host.find('\0') != std::string::npos) return std::nullopt;
  return parts;
}

std::optional<core::Endpoint> endpoint_of(const sockaddr* address, std::uint16_t port) {
  core::Endpoint endpoint{.port = port};
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    endpoint.ip[10] = endpoint.ip[11] = 0xff;
    std::memcpy(endpoint.ip.data() + 12, &v4.sin_addr, 4);
    return endpoint;
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(endpoint.ip.data(), &v6.sin6_addr, 16);
    return endpoint;
  }
  return std::nullopt;
}

/// RFC 6761, 6.3: nobody is asked who localhost is, since somebody might answer. Nor has every machine a file that says so.
bool is_localhost(std::string host) {
  std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return std::tolower(c); });
  if (host.ends_with('.')) host.pop_back();
  return host == "localhost" || host.ends_with(".localhost");
}

Result<core::Endpoint> look_up(const HostPort& parts) {
  if (is_localhost(parts.host)) return core::Endpoint::parse("127.0.0.1:" + std::to_string(parts.port)).value();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(parts.host.c_str(), nullptr, &hints, &found);
  if (error != 0) return Error{"cannot find the host '" + parts.host + "': " + gai_strerror(error)};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> answers(found, &freeaddrinfo);
  for (const int family : {AF_INET, AF_INET6}) {
    for (const addrinfo* answer = found; answer; answer = answer->ai_next) {
      if (answer->ai_family != family) continue;
      if (const auto endpoint = endpoint_of(answer->ai_addr, parts.port)) return *endpoint;
    }
  }
  return Error{"the host '" + parts.host + "' has no IP address"};
}

constexpr std::string_view scheme = "tcp://";

core::Endpoint any_address(std::uint16_t port) {
  core::Endpoint endpoint{.port = port};
  endpoint.ip[10] = endpoint.ip[11] = 0xff;
  return endpoint;
}

bool is_wildcard(const core::Endpoint& endpoint) {
  return std::all_of(endpoint.ip.begin() + (endpoint.is_v4() ? 12 : 0), endpoint.ip.end(), [](std::uint8_t byte) { return byte == 0; });
}

/// The source address that the kernel would choose towards `target`: connecting a datagram socket looks up the route and sends nothing.
std::optional<core::Endpoint> source_towards(const sockaddr* target, socklen_t size, std::uint16_t port) {
  const int fd = socket(target->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  sockaddr_storage own{};
  socklen_t own_size = sizeof own;
  const bool found = connect(fd, target, size) == 0 && getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) == 0;
  close(fd);
  if (!found) return std::nullopt;
  const auto endpoint = endpoint_of(reinterpret_cast<const sockaddr*>(&own), port);
  return endpoint && !is_wildcard(*endpoint) ? endpoint : std::nullopt;
}

}  // namespace

Result<core::Endpoint> resolve(std::string_view host_port) {
  const auto parts = split(host_port);
  if (!parts || parts->port == 0) return Error{"'" + std::string(host_port) + "' is not HOST:PORT"};
  return look_up(*parts);
}

Result<core::Contact> resolve(core::Contact contact) {
  const auto endpoint = resolve(contact.host_port);
  if (!endpoint) return endpoint.error();
  contact.host_port = endpoint->text();
  return contact;
}

Result<std::optional<core::Endpoint>> parse_listen(std::string_view text) {
  if (text == "none") return std::optional<core::Endpoint>();
  const auto parts = text.starts_with(scheme) ? split(text.substr(scheme.size())) : std::nullopt;
  if (!parts) return Error{"--listen wants tcp://HOST:PORT or none, not '" + std::string(text) + "'"};
  if (parts->host == "*") return std::optional(any_address(parts->port));
  const auto endpoint = look_up(*parts);
  if (!endpoint) return Error{"--listen: " + endpoint.error().message};
  return std::optional(*endpoint);
}

Result<core::Endpoint> parse_advertise(std::string_view text) {
  const auto parts = text.starts_with(scheme) ? split(text.substr(scheme.size())) : std::nullopt;
  if (!parts || parts->port == 0) return Error{"--advertise wants tcp://HOST:PORT, not '" + std::string(text) + "'"};
  auto endpoint = look_up(*parts);
  if (!endpoint) return Error{"--advertise: " + endpoint.error().message};
  if (is_wildcard(*endpoint)) return Error{"--advertise: nobody can dial '" + parts->host + "'"};
  return endpoint;
}

std::vector<core::Endpoint> default_listen(std::optional<std::uint16_t> last_port) {
  std::vector<core::Endpoint> choices;
  if (last_port && *last_port != 0) choices.push_back(any_address(*last_port));
  if (last_port != default_port) choices.push_back(any_address(default_port));
  choices.push_back(any_address(0));
  return choices;
}

core::Endpoint advertised(const core::Endpoint& bound) {
  if (!is_wildcard(bound)) return bound;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(53);
  v4.sin_addr.s_addr = htonl(0xc6330001);  // 198.51.0.1: any global address finds the default route
  if (const auto own = source_towards(reinterpret_cast<const sockaddr*>(&v4), sizeof v4, bound.port)) return *own;
  if (!bound.is_v4()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(53);
    v6.sin6_addr.s6_addr[0] = 0x20;
    v6.sin6_addr.s6_addr[15] = 1;  // 2000::1
    if (const auto own = source_towards(reinterpret_cast<const sockaddr*>(&v6), sizeof v6, bound.port)) return *own;
    core::Endpoint loopback{.port = bound.port};
    loopback.ip[15] = 1;
    return loopback;
  }
  core::Endpoint loopback = any_address(bound.port);
  loopback.ip[12] = 127;
  loopback.ip[15] = 1;
  return loopback;
}

}  // namespace dugnad::zmq
