#include "sdk/cli/receipts.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/store/store.h"
#include "sdk/cli/table.h"

namespace dugnad::sdk::cli {
namespace {

std::string formatted(const char* how, double value) {
  char text[32] = "";
  std::snprintf(text, sizeof text, how, value);
  return text;
}

/// Local time, to the minute.
std::string date_of(WallTime time) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  char text[32] = "";
  if (::localtime_r(&seconds, &parts) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts);
  return text;
}

std::string signers_of(const KnownReceipt& known) {
  if (!known.is_given) return "nobody: not to be believed";
  return known.is_taken ? "both" : "the giver alone";
}

const char* name_of(core::Contradiction contradiction) {
  switch (contradiction) {
    case core::Contradiction::none: return "none";
    case core::Contradiction::same_sequence: return "same_sequence";
    case core::Contradiction::less_work: return "less_work";
  }
  return "none";
}

auto place_of(const KnownReceipt& known) { return std::tuple(known.row.swarm, core::line_of(known.receipt), known.row.contradicts); }

KnownReceipt checked(ReceiptRow row, const core::Receipt& receipt, Crypto& crypto) {
  const core::SignedReceipt bytes = core::receipt_of(row);
  const bool given = core::is_given(bytes, receipt, row.swarm, crypto);
  const bool taken = given && core::is_taken(bytes, receipt, row.swarm, crypto);
  return {std::move(row), receipt, given, taken};
}

}  // namespace

Result<std::vector<KnownReceipt>> receipts_in(const std::string& data, Crypto& crypto) {
  std::vector<KnownReceipt> known;
  for (const char* file : {"worker.journal", "submitter.journal"}) {
    const std::string path = data + "/" + file;
    std::error_code unknown;
    if (!std::filesystem::exists(path, unknown)) continue;
    const auto store = store::Store::open_for_reading(path);
    if (!store) return store.error();
    auto rows = (*store)->receipts();
    if (!rows) return rows.error();
    for (ReceiptRow& row : *rows) {
      if (const auto receipt = core::decode_receipt(row.body)) known.push_back(checked(std::move(row), *receipt, crypto));
    }
  }
  std::stable_sort(known.begin(), known.end(), [](const auto& one, const auto& other) { return place_of(one) < place_of(other); });
  for (std::size_t i = 1; i < known.size(); ++i) {
    KnownReceipt& later = known[i];
    const KnownReceipt& kept = known[i - 1];
    if (later.row.contradicts && later.row.swarm == kept.row.swarm) {
      later.contradiction = core::proven_contradiction(core::receipt_of(kept.row), core::receipt_of(later.row), later.row.swarm, crypto);
    }
  }
  return known;
}

std::string text_of(const std::vector<KnownReceipt>& receipts, const PublicKey& us) {
  using Align = Table::Align;
  Table table({{"FAVOUR"}, {"OWNER"}, {"RECEIPT", Align::right}, {"CPU SECONDS", Align::right}, {"LAST"}, {"SIGNED BY"}});
  std::string cheats;
  for (const KnownReceipt& known : receipts) {
    const core::Receipt& receipt = known.receipt;
    if (!known.row.contradicts) {
      const bool to_us = receipt.receiver == us;
      table.add({to_us ? "thanks from" : "thanks to", (to_us ? receipt.giver : receipt.receiver).hex(), std::to_string(receipt.sequence),
                 formatted("%.3f", seconds_of(receipt.work)), date_of(receipt.created), signers_of(known)});
    } else if (known.contradiction != core::Contradiction::none) {
      cheats += "\nowner " + receipt.giver.hex() + " cheats: it signed two receipts " +
                (known.contradiction == core::Contradiction::same_sequence ? "of one number, " : "of which the later says less, the one of number ") +
                std::to_string(receipt.sequence) + "\n";
    }
  }
  return table.text() + cheats;
}

std::string json_of(const std::vector<KnownReceipt>& receipts) {
  std::string lines;
  for (const KnownReceipt& known : receipts) {
    const core::Receipt& receipt = known.receipt;
    const nlohmann::ordered_json object{{"giver", receipt.giver.hex()},
                                        {"receiver", receipt.receiver.hex()},
                                        {"submitter", receipt.submitter.hex()},
                                        {"series", receipt.series},
                                        {"sequence", receipt.sequence},
                                        {"cpu_seconds", seconds_of(receipt.work)},
                                        {"created_ms", receipt.created.time_since_epoch().count()},
                                        {"given", known.is_given},
                                        {"taken", known.is_taken},
                                        {"contradiction", name_of(known.contradiction)},
                                        {"swarm", known.row.swarm.hex()},
                                        {"body", to_hex(known.row.body)},
                                        {"giver_signature", to_hex(known.row.giver_signature)},
                                        {"receiver_signature", known.row.receiver_signature ? to_hex(*known.row.receiver_signature) : ""}};
    lines += object.dump() + "\n";
  }
  return lines;
}

}  // namespace dugnad::sdk::cli
