// Endpoint: an IP address and a port. Names never get this far: a person's host name is resolved by the driver before it is used.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dugnad::core {

struct Endpoint {
  std::array<std::uint8_t, 16> ip{};  // IPv6, or IPv4 mapped into ::ffff:0:0/96
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;

  [[nodiscard]] bool is_v4() const;
  /// `127.0.0.1:4210`, `[::1]:4210`.
  [[nodiscard]] std::string text() const;
  /// The reverse of text(); no names, port 1 to 65535.
  [[nodiscard]] static std::optional<Endpoint> parse(std::string_view text);
};

/// How far an address reaches. A gossiped address is only dialled where our own reach is the same or it is `global`.
enum class Reach : std::uint8_t { unusable = 0, loopback = 1, local = 2, global = 3 };  // local: private and link-local ranges
[[nodiscard]] Reach reach_of(const Endpoint& endpoint);

/// The network an address belongs to, /16 in IPv4 and /32 in IPv6: whoever holds one address there can hold many.
[[nodiscard]] std::uint64_t group_of(const Endpoint& endpoint);
/// The finer network for dialling limits, /24 and /48.
[[nodiscard]] std::uint64_t neighbourhood_of(const Endpoint& endpoint);

}  // namespace dugnad::core
