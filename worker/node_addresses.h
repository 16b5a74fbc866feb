// NodeAddresses: what a person typed for --join, --listen and --advertise, as addresses; names are resolved here, before libzmq sees them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/base/result.h"
#include "coordinatorless/core/contact.h"
#include "worker/node.h"

namespace dugnad::worker {

/// What is stated with --join: for the protocol an address, for the log what the user typed.
struct Joined {
  std::string host_port;
  core::Contact contact;
};
/// Asks the resolver, which may take long.
[[nodiscard]] Result<std::vector<Joined>> resolve_all(const std::vector<std::string>& texts);

struct Addresses {
  std::vector<core::Endpoint> listen;
  bool by_default = false;
  std::optional<core::Endpoint> advertise;
};
[[nodiscard]] Result<Addresses> addresses_of(const NodeOptions& options, std::optional<std::uint16_t> last_port);

}  // namespace dugnad::worker
