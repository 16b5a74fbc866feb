#include "worker/node_addresses.h"

#include "coordinatorless/zmq/resolve.h"

namespace dugnad::worker {

Result<std::vector<Joined>> resolve_all(const std::vector<std::string>& texts) {
  std::vector<Joined> all;
  for (const std::string& text : texts) {
    const auto parsed = core::Contact::parse(text);
    if (!parsed) return parsed.error();
    const auto resolved = zmq::resolve(*parsed);
    if (!resolved) return Error{"cannot join through " + parsed->host_port + ": " + resolved.error().message};
    all.push_back({parsed->host_port, *resolved});
  }
  return all;
}

Result<Addresses> addresses_of(const NodeOptions& options, std::optional<std::uint16_t> last_port) {
  Addresses addresses;
  if (!options.advertise.empty()) {
    const auto advertise = zmq::parse_advertise(options.advertise);
    if (!advertise) return advertise.error();
    addresses.advertise = *advertise;
  }
  if (options.listen.empty()) {
    addresses.listen = zmq::default_listen(last_port);
    addresses.by_default = true;
    return addresses;
  }
  const auto listen = zmq::parse_listen(options.listen);
  if (!listen) return listen.error();
  if (*listen) addresses.listen.push_back(**listen);
  if (addresses.advertise && addresses.listen.empty())
    return Error{"--advertise says where others reach us, and --listen none that nobody does; drop one"};
  return addresses;
}

}  // namespace dugnad::worker
