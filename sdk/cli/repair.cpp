#include "sdk/cli/repair.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "coordinatorless/store/data_dir.h"
#include "coordinatorless/store/repair.h"
#include "sdk/cli/command.h"
#include "sdk/cli/journal.h"
#include "sdk/cli/report.h"
#include "sdk/cli/table.h"

namespace dugnad::sdk::cli {
namespace {

std::vector<std::string> journals_in(const std::string& directory) {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".journal") paths.push_back(at->path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string name_of(const store::SalvagedJob& job) {
  return job.known ? what_of(KnownJob{{}, decode_recipe(job.recipe)}) : "(how it was submitted is lost)";
}

const char* name_of(store::HeldSaved held) {
  switch (held) {
    case store::HeldSaved::all: return "all";
    case store::HeldSaved::up_to_the_damage: return "up to the damage";
    case store::HeldSaved::nothing: return "nothing";
  }
  return "";
}

/// "24", or "24 or more" where rows are missing of which it is not known whose they were.
std::string lost_of(const store::SalvagedJob& job) {
  if (job.units_lost == 0 && job.maybe_more_lost) return "unknown";
  return std::to_string(job.units_lost) + (job.maybe_more_lost ? " or more" : "");
}

std::string next_of(const store::SalvagedJob& job) {
  if (!job.known) return "cannot be resumed: submit it again";
  if (job.reopened) return "was done, is unfinished again";
  if (job.held == store::HeldSaved::all) return "";
  return std::string("results that are not final: ") + (job.held == store::HeldSaved::nothing ? "lost" : "saved up to the damage");
}

void print(const std::string& path, const store::Repaired& repaired) {
  const store::Salvaged& saved = repaired.saved;
  std::cout << path << " was damaged; what is whole is in a new one, and the damaged one is kept as " << repaired.kept_as << '\n';
  using Align = Table::Align;
  Table table({{"JOB"}, {"TASK"}, {"UNITS SAVED", Align::right}, {"UNITS LOST", Align::right}, {""}});
  for (const auto& [id, job] : saved.jobs) {
    table.add({brief(id.hex()), name_of(job), std::to_string(job.units_saved), lost_of(job), next_of(job)});
  }
  if (!table.empty()) std::cout << table.text();
  std::cout << "saved besides: " << saved.contacts << " peers, " << saved.receipts << " receipts, " << saved.favours
            << " owners' accounts, " << saved.reputations << " donors' reputations\n";
  if (saved.rows_unknown > 0) {
    std::cout << saved.rows_unknown
              << " rows are of an older version, which kept no sums: whether they are what they were cannot be told\n";
  }
  if (saved.rows_lost > 0) std::cout << "units that were lost are computed again when their job is resumed: dugnad submit --resume JOB\n";
}

nlohmann::ordered_json json_of(const std::string& path, const std::optional<store::Repaired>& repaired) {
  nlohmann::ordered_json object{{"journal", path}, {"damaged", repaired.has_value()}};
  if (!repaired) return object;
  const store::Salvaged& saved = repaired->saved;
  object["kept_as"] = repaired->kept_as;
  object["rows_lost"] = saved.rows_lost;
  object["rows_without_sum"] = saved.rows_unknown;
  object["jobs"] = nlohmann::ordered_json::array();
  for (const auto& [id, job] : saved.jobs) {
    object["jobs"].push_back({{"job", id.hex()},
                              {"known", job.known},
                              {"units_saved", job.units_saved},
                              {"units_lost", job.units_lost},
                              {"maybe_more_lost", job.maybe_more_lost},
                              {"reopened", job.reopened},
                              {"held", name_of(job.held)}});
  }
  for (const auto& [name, count] : {std::pair{"contacts", saved.contacts},
                                    {"receipts", saved.receipts},
                                    {"favours", saved.favours},
                                    {"reputations", saved.reputations}}) {
    object[name] = count;
  }
  return object;
}

}  // namespace

ExitCode repair_journals(const std::string& data, bool json) {
  const auto dir = store::DataDir::open(data);
  if (!dir) return fail(ExitCode::environment, dir.error().message);
  ExitCode exit = ExitCode::ok;
  const auto paths = journals_in(dir->path());
  for (const std::string& path : paths) {
    const auto repaired = store::repair(path);
    if (!repaired) {
      exit = fail(ExitCode::environment, repaired.error().message);
    } else if (json) {
      std::cout << json_of(path, *repaired).dump() << '\n';
    } else if (*repaired) {
      print(path, **repaired);
    } else {
      std::cout << path << " is whole\n";
    }
  }
  if (paths.empty() && !json) std::cerr << "there is no journal in " << dir->path() << '\n';
  return exit;
}

}  // namespace dugnad::sdk::cli
