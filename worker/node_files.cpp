#include "worker/node_files.h"

#include <cstdio>
#include <fstream>
#include <utility>
#include <vector>

#include "coordinatorless/store/keys.h"

namespace dugnad::worker {
namespace {

constexpr const char* tickets_header = "dugnad proofs 1";
constexpr std::size_t tickets_most = 16;  // swarms; the one that was proved longest ago makes room

using Tickets = std::vector<std::pair<std::string, core::IdentityTicket>>;  // by swarm, in hex

/// As many lines as make sense: what is damaged is searched for again.
Tickets read_tickets(const std::string& path) {
  std::ifstream in(path);
  Tickets tickets;
  std::string line;
  if (!std::getline(in, line) || line != tickets_header) return tickets;
  std::pair<std::string, core::IdentityTicket> entry;
  while (tickets.size() < tickets_most && in >> entry.first >> entry.second.month >> entry.second.nonce) tickets.push_back(entry);
  return tickets;
}

}  // namespace

Result<NodeFiles> NodeFiles::open(const std::string& data, const std::string& role, unsigned most) {
  auto dir = store::DataDir::open(data);
  if (!dir) return dir.error();
  std::optional<Error> taken;
  for (unsigned number = 1; number <= most; ++number) {
    const std::string name = number == 1 ? role : role + "-" + std::to_string(number);
    auto lock = dir->lock(name);
    if (!lock) {
      if (!taken) taken = lock.error();
      continue;
    }
    const auto keys = store::load_or_make_keys(dir->file(name + ".key"));
    if (!keys) return keys.error();
    return NodeFiles(*std::move(dir), name, *std::move(lock), *keys);
  }
  return taken.value_or(Error{"no " + role + " may use the data directory " + dir->path()});
}

std::optional<std::uint16_t> NodeFiles::last_port() const {
  std::ifstream in(dir_.file(name_ + ".port"));
  unsigned port = 0;
  if (!(in >> port) || port == 0 || port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

void NodeFiles::remember_port(std::uint16_t port) const {
  if (last_port() == port) return;
  std::ofstream(dir_.file(name_ + ".port"), std::ios::trunc) << port << '\n';
}

std::optional<core::IdentityTicket> NodeFiles::ticket(const SwarmId& swarm) const {
  for (const auto& [its_swarm, ticket] : read_tickets(dir_.file(name_ + ".proof"))) {
    if (its_swarm == swarm.hex()) return ticket;
  }
  return std::nullopt;
}

void NodeFiles::remember_ticket(const SwarmId& swarm, const core::IdentityTicket& ticket) const {
  const std::string path = dir_.file(name_ + ".proof"), beside = path + ".new";
  Tickets tickets = read_tickets(path);
  std::erase_if(tickets, [&](const auto& entry) { return entry.first == swarm.hex(); });
  tickets.insert(tickets.begin(), {swarm.hex(), ticket});
  if (tickets.size() > tickets_most) tickets.resize(tickets_most);
  std::ofstream out(beside, std::ios::trunc);
  out << tickets_header << '\n';
  for (const auto& [its_swarm, its_ticket] : tickets) out << its_swarm << ' ' << its_ticket.month << ' ' << its_ticket.nonce << '\n';
  out.close();
  if (!out || std::rename(beside.c_str(), path.c_str()) != 0) std::remove(beside.c_str());
}

}  // namespace dugnad::worker
