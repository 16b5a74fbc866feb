// `dugnad id`: who this user is to the swarm.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "coordinatorless/store/data_dir.h"
#include "coordinatorless/store/keys.h"
#include "sdk/cli/command.h"
#include "sdk/cli/options.h"
#include "sdk/cli/receipts.h"
#include "sdk/cli/table.h"
#include "worker/control_socket.h"

namespace dugnad::sdk::cli {
namespace {

constexpr const char* owner_file = "owner.key";

/// The programs that have a key here: worker, submitter, submitter-2, ...
std::vector<std::string> roles_in(const store::DataDir& dir) {
  std::vector<std::string> roles;
  std::error_code unreadable;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path(), unreadable)) {
    const std::filesystem::path file = entry.path().filename();
    if (file.extension() == ".key" && file != owner_file) roles.push_back(file.stem());
  }
  std::sort(roles.begin(), roles.end());
  return roles;
}

ExitCode show_receipts(const store::DataDir& dir, const SecretKeys& owner, bool json) {
  const auto crypto = make_sodium(owner);
  const auto receipts = receipts_in(dir.path(), *crypto);
  if (!receipts) return fail(ExitCode::environment, receipts.error().message);
  if (json) std::cout << json_of(*receipts);
  else if (receipts->empty()) std::cerr << "no receipts yet\n";
  else std::cout << text_of(*receipts, public_key_of(owner));
  return ExitCode::ok;
}

}  // namespace

ExitCode show_ids(Arguments arguments) {
  std::string data;
  bool receipts = false, json = false;
  CLI::App app("Prints the owner's public key, which signs this user's jobs, and the ids of the peers that have run here.", "dugnad id");
  app.footer(
      "Examples:\n  dugnad id\n  dugnad id --receipts\n\nThe owner's key is made on first use. Both kinds of keys are files in the data "
      "directory that nobody else can read; whoever copies\nowner.key can submit in its name.\n\nOther owners thank this one with receipts "
      "for what its workers have computed for them, and their workers do this owner's jobs first in\nreturn. --receipts lists them, and "
      "those that this owner gave, with the signatures checked; whoever gave two that contradict each other is named.\n");
  auto* wants_receipts = app.add_flag("--receipts", receipts, "Lists the receipts instead: who thanked whom for how much CPU time.");
  app.add_flag("--json", json, "Prints a JSON object per receipt, with what was signed.")->needs(wants_receipts);
  add_data_option(app, data);
  if (const auto exit = parse(app, arguments)) return *exit;
  const auto dir = store::DataDir::open(data);
  if (!dir) return fail(ExitCode::environment, dir.error().message);
  const auto owner = store::load_or_make_keys(dir->file(owner_file));
  if (!owner) return fail(ExitCode::environment, owner.error().message);

  if (receipts) return show_receipts(*dir, *owner, json);

  Table table({{"WHO"}, {"ID"}});
  table.add({"owner", public_key_of(*owner).hex()});
  for (const std::string& role : roles_in(*dir)) {
    const auto keys = store::load_or_make_keys(dir->file(role + ".key"));
    if (!keys) return fail(ExitCode::environment, keys.error().message);
    table.add({role, peer_id_of(public_key_of(*keys)).hex()});
  }
  std::cout << table.text();
  if (const auto contact = worker::ask_contact(dir->path())) std::cout << "\nThe worker that runs here: " << *contact << '\n';
  return ExitCode::ok;
}

}  // namespace dugnad::sdk::cli
