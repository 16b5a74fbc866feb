// What a person types, made into addresses: names are resolved here, because libzmq's resolver would block its I/O thread for everybody.
// Every error is one line for the user.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "coordinatorless/base/result.h"
#include "coordinatorless/core/contact.h"
#include "coordinatorless/core/endpoint.h"

namespace dugnad::zmq {

inline constexpr std::uint16_t default_port = 4210;

/// `HOST:PORT`, HOST a name or an IP literal (IPv6 in brackets). Asks the resolver for names alone; of several answers the first, IPv4 before IPv6.
[[nodiscard]] Result<core::Endpoint> resolve(std::string_view host_port);

/// The contact with its host as an IP literal, as the core wants it.
[[nodiscard]] Result<core::Contact> resolve(core::Contact contact);

/// `--listen`: `tcp://HOST:PORT`, where port 0 means any and HOST may be `*`; `none` gives nothing to listen on.
[[nodiscard]] Result<std::optional<core::Endpoint>> parse_listen(std::string_view text);

/// `--advertise`: `tcp://HOST:PORT`, where others reach us.
[[nodiscard]] Result<core::Endpoint> parse_advertise(std::string_view text);

/// Without `--listen`: last time's port, then the default one, then any, on all addresses.
[[nodiscard]] std::vector<core::Endpoint> default_listen(std::optional<std::uint16_t> last_port);

/// Where others can dial a socket bound to `bound`. An address stays as it is, loopback included; a wildcard becomes the source address
/// that the kernel would choose towards the Internet (no packet is sent), else loopback. Behind a NAT that is the inner address: only
/// `--advertise` knows better.
[[nodiscard]] core::Endpoint advertised(const core::Endpoint& bound);

}  // namespace dugnad::zmq
