// `dugnad peers`: who is in the swarm, as one that has just come sees it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "dugnad/swarm.h"
#include "sdk/cli/command.h"
#include "sdk/cli/options.h"
#include "sdk/cli/table.h"

namespace dugnad::sdk::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto look_interval = std::chrono::milliseconds(50);
constexpr auto settled_after = std::chrono::milliseconds(1500);  // a welcome comes with the link, and its answers a round trip later

/// Which peers there are and what is known of them; compared to see whether the view still changes.
std::vector<std::string> view_of(const std::vector<Peer>& peers) {
  std::vector<std::string> view;
  for (const Peer& peer : peers) view.push_back(peer.id + peer.address + (peer.connected ? "c" : "") + (peer.donates ? "d" : ""));
  std::sort(view.begin(), view.end());
  return view;
}

/// The peers once nothing has changed for a while, somebody having answered, or after `patience`.
std::vector<Peer> settled(const Swarm& swarm, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  auto changed = Clock::now();
  std::vector<Peer> peers = swarm.peers();
  for (auto now = changed; now < deadline; now = Clock::now()) {
    const bool linked = std::any_of(peers.begin(), peers.end(), [](const Peer& peer) { return peer.connected; });
    if (linked && now >= changed + settled_after) break;
    std::this_thread::sleep_for(look_interval);
    std::vector<Peer> later = swarm.peers();
    if (view_of(later) != view_of(peers)) changed = Clock::now();
    peers = std::move(later);
  }
  return peers;
}

void print_json(const std::vector<Peer>& peers) {
  for (const Peer& peer : peers) {
    std::cout
        << nlohmann::ordered_json{{"id", peer.id}, {"address", peer.address}, {"linked", peer.connected}, {"donates", peer.donates}}.dump()
        << '\n';
  }
}

}  // namespace

ExitCode list_peers(Arguments arguments) {
  SwarmOptions options{.local = 0};
  double wait = 10;
  bool json = false;
  CLI::App app("Joins the swarm, waits until it knows who is there, and lists them.", "dugnad peers");
  app.footer(
      "Examples:\n  dugnad peers                     through this machine's worker\n  dugnad peers --join CONTACT\n\nLINK: connected to "
      "this "
      "program right now. Everybody else is known by a signed record.\n");
  add_swarm_options(app, options);
  app.add_option("--wait", wait, "Give up when nobody has answered for so long; 4 is the exit code then. Default: 10.")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6).description(""));
  app.add_flag("--json", json, "Print a JSON object per peer.");
  add_data_option(app, options.data);
  if (const auto exit = parse(app, arguments)) return *exit;
  if (const auto checked = check_swarm_options(options); !checked) return fail(ExitCode::bad_usage, checked.error().message);

  options.log = [](const std::string& line) { complain(line); };
  const auto swarm = Swarm::join(options);
  if (!swarm) return fail(ExitCode::environment, swarm.error().message);
  std::vector<Peer> peers = settled(*swarm, std::chrono::milliseconds(std::llround(wait * 1000)));
  if (peers.empty()) return fail(ExitCode::nobody, "nobody has answered");
  std::sort(peers.begin(), peers.end(), [](const Peer& a, const Peer& b) { return a.id < b.id; });
  if (json) {
    print_json(peers);
    return ExitCode::ok;
  }
  Table table({{"PEER"}, {"ADDRESS"}, {"LINK"}, {"DONATES"}});
  for (const Peer& peer : peers) {
    table.add({peer.id, peer.address.empty() ? "(behind a NAT)" : peer.address, peer.connected ? "yes" : "", peer.donates ? "yes" : ""});
  }
  std::cout << table.text();
  return ExitCode::ok;
}

}  // namespace dugnad::sdk::cli
