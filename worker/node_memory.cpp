#include "worker/node_memory.h"

#include <filesystem>
#include <iterator>
#include <utility>

namespace dugnad::worker {
namespace {

constexpr const char* worker_role = "worker";

std::vector<ReceiptRow> receipts_beside(const store::DataDir& dir, const std::string& role) {
  const std::string path = dir.file(std::string(worker_role) + ".journal");
  std::error_code unknown;
  if (role == worker_role || !std::filesystem::exists(path, unknown)) return {};
  const auto beside = store::Store::open_for_reading(path);
  auto receipts = beside ? (*beside)->receipts() : Result<std::vector<ReceiptRow>>(std::vector<ReceiptRow>());
  return receipts ? *std::move(receipts) : std::vector<ReceiptRow>();
}

}  // namespace

std::vector<core::Event> Remembered::events() && {
  std::vector<core::Event> events;
  if (!contacts.contacts.empty()) events.push_back(std::move(contacts));
  if (!favours.receipts.empty() || !favours.accounts.empty()) events.push_back(std::move(favours));
  if (!reputations.donors.empty()) events.push_back(std::move(reputations));
  if (!waiting.notes.empty()) events.push_back(std::move(waiting));
  if (!held.jobs.empty()) events.push_back(std::move(held));
  return events;
}

Result<Remembered> remember(const store::Store& journal, const store::DataDir& dir, const std::string& role, const SwarmId& swarm) {
  auto contacts = journal.contacts();
  if (!contacts) return contacts.error();
  auto receipts = journal.receipts();
  if (!receipts) return receipts.error();
  auto accounts = journal.favours(swarm);
  if (!accounts) return accounts.error();
  auto donors = journal.reputations(swarm);
  if (!donors) return donors.error();
  auto waiting = journal.notes(NoteKind::waiting);
  if (!waiting) return waiting.error();
  for (ReceiptRow& row : receipts_beside(dir, role)) receipts->push_back(std::move(row));
  return Remembered{{*std::move(contacts)}, {*std::move(receipts), *std::move(accounts)}, {*std::move(donors)}, {*std::move(waiting)}, {}};
}

}  // namespace dugnad::worker
