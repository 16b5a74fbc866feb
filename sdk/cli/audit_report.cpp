#include "sdk/cli/audit_report.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "sdk/cli/table.h"
#include "sdk/cli/task_parameters.h"

namespace dugnad::sdk::cli {
namespace {

using Json = nlohmann::ordered_json;
using Says = core::Testimony::Says;
using Kind = core::UnitFinding::Kind;

std::string counted(std::uint64_t count, const std::string& what) { return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s"); }

std::string batches(std::uint64_t count) { return std::to_string(count) + (count == 1 ? " batch" : " batches"); }

std::string text_of(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

const char* name_of(Says says) {
  switch (says) {
    case Says::agrees: return "agrees";
    case Says::differs: return "differs";
    case Says::earlier_input: return "of an earlier input";
    case Says::fault: return "could not do it";
    case Says::open: return "open";
  }
  return "";
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::unsupported: return "unsupported";
    case Kind::disputed: return "disputed";
    case Kind::gave_up: return "gave up";
  }
  return "";
}

std::string why_of(Kind kind, std::uint32_t needed) {
  switch (kind) {
    case Kind::unsupported: return "fewer peers agree with what was accepted than the " + std::to_string(needed) + " that the job asks for";
    case Kind::disputed: return "the submitter's own result, or as many peers, say something else";
    case Kind::gave_up: return "accepted as failed, and no evidence shows it";
  }
  return "";
}

std::string task_of(const Audited& audited) {
  const core::Manifest& manifest = audited.papers.manifest;
  if (audited.recipe && audited.recipe->kind == Recipe::Kind::run) return command_line_of(manifest.task, audited.recipe->parameters);
  return manifest.module ? manifest.task + " (a module, " + to_text(*manifest.module).substr(0, 16) + "...)" : manifest.task;
}

std::string submitter_of(const Audited& audited) {
  std::string text;
  for (const PeerId& peer : audited.papers.delegation.peers) text += (text.empty() ? "" : ", ") + peer.hex();
  return text;
}

std::string rule_of(const Audited& audited) {
  if (!audited.stated) return counted(audited.needed, "peer") + (audited.needed == 1 ? " computes" : " agree on") + " each unit";
  const core::StatedConfidence& stated = *audited.stated;
  if (stated.checked) {
    return "confidence " + text_of(stated.goal) + (stated.combined ? " of the answer" : " of a unit") +
           "; each result was checked by the task's own check, or computed by the submitter, as that states";
  }
  return "confidence " + text_of(stated.goal) + (stated.combined ? " of the answer" : " of a unit") + ", " + text_of(stated.assumed) +
         " saboteurs assumed; reached " + text_of(stated.reached) + ", as the submitter states";
}

struct StatedTotals {
  std::uint64_t units = 0;
  std::uint64_t audits = 0;
  std::uint64_t catches = 0;
};
StatedTotals totals_of(const core::StatedConfidence& stated) {
  StatedTotals totals;
  for (const core::StatedBlock& block : stated.blocks) {
    totals.units += block.units;
    totals.audits += block.audits;
    totals.catches += block.catches;
  }
  return totals;
}

std::uint64_t donors_that_differ(const core::Findings& findings) {
  return static_cast<std::uint64_t>(
      std::count_if(findings.donors.begin(), findings.donors.end(), [](const core::DonorRecord& each) { return each.differing > 0; }));
}

std::map<Kind, std::vector<UnitIndex>> doubtful_by_kind(const core::Findings& findings) {
  std::map<Kind, std::vector<UnitIndex>> units;
  for (const core::UnitFinding& doubt : findings.doubtful) units[doubt.kind].push_back(doubt.unit);
  return units;
}

/// The units at which each peer said something else than was accepted.
std::map<std::pair<bool, PeerId>, std::vector<UnitIndex>> differing_by_peer(const core::Findings& findings) {
  std::map<std::pair<bool, PeerId>, std::vector<UnitIndex>> units;
  for (const auto& each : findings.differing) {
    auto& of_peer = units[{each.own, each.peer}];
    if (of_peer.empty() || of_peer.back() != each.unit) of_peer.push_back(each.unit);
  }
  return units;
}

std::string units_table(const Audited& audited) {
  const core::Findings& findings = audited.findings;
  Table table({{"UNITS"}, {"", Table::Align::right}});
  const auto row = [&](const std::string& what, std::uint64_t count) { table.add({what, std::to_string(count)}); };
  row("accepted", findings.units);
  if (findings.failed > 0) row("of these as failed", findings.failed);
  for (const auto& [donors, units] : findings.signed_by) row("signed by " + counted(donors, "donor"), units);
  row("computed by more than one peer", findings.audited);
  row("computed by the submitter too", findings.own);
  row("confirmed", findings.confirmed);
  if (findings.with_own > 0) row("of these with the submitter's own word", findings.with_own);
  row("not confirmed", findings.doubtful.size());
  return table.text();
}

std::string donors_table(const core::Findings& findings) {
  using Align = Table::Align;
  Table table({{"DONOR"}, {"RESULTS", Align::right}, {"AGREE", Align::right}, {"DIFFER", Align::right}, {"FAULTS", Align::right}});
  for (const core::DonorRecord& donor : findings.donors) {
    table.add({donor.peer.hex() + (donor.own ? " (the submitter, unsigned)" : ""), std::to_string(donor.results),
               std::to_string(donor.agreeing), std::to_string(donor.differing), std::to_string(donor.faults)});
  }
  return table.text();
}

std::string stated_table(const core::StatedConfidence& stated, const core::Findings& findings) {
  using Align = Table::Align;
  const StatedTotals totals = totals_of(stated);
  Table table({{"THE SUBMITTER'S ACCOUNT"}, {"STATED", Align::right}, {"FOUND", Align::right}});
  table.add({"units final, in " + counted(stated.blocks.size(), "block"), std::to_string(totals.units), std::to_string(findings.units)});
  if (stated.checked) table.add({"computed by the submitter", std::to_string(totals.audits), std::to_string(findings.own)});
  else table.add({"audits", std::to_string(totals.audits), std::to_string(findings.audited)});
  table.add({"donors caught", std::to_string(totals.catches), std::to_string(donors_that_differ(findings))});
  return table.text();
}

/// What is wrong, and who was outvoted; a line each.
std::string remarks(const Audited& audited) {
  const core::Findings& findings = audited.findings;
  std::string text;
  for (const auto& [peer, units] : differing_by_peer(findings)) {
    text += (peer.first ? "the submitter's own results" : "donor " + peer.second.hex()) + (peer.first ? " differ" : " was outvoted") + " at unit" +
            (units.size() == 1 ? " " : "s ") + ranges(units) + '\n';
  }
  for (const auto& [kind, units] : doubtful_by_kind(findings)) {
    text += "unit" + std::string(units.size() == 1 ? " " : "s ") + ranges(units) + ": " + why_of(kind, audited.needed) + '\n';
  }
  if (findings.forged > 0) text += batches(findings.forged) + " with a signature that does not hold\n";
  if (audited.overstates()) text += "the submitter states more units as final than were accepted\n";
  if (audited.recomputed) {
    const auto& [units, differing, checked] = *audited.recomputed;
    text += std::string(checked > 0 ? "checked" : "computed") + " again here: " + counted(units, "unit") +
            (differing.empty() ? ", alike\n" : ", not alike: " + ranges(differing) + '\n');
  }
  return text;
}

/// For people: "8 bytes 0a1b...", "failed: no such file".
std::string text_of(const core::Claim& claim) {
  const auto output = claim.output();
  std::string text = claim.outcome == Outcome::ok ? "" : claim.outcome == Outcome::failed ? "failed: " : "not done: ";
  if (!output) return text + (claim.large ? "a large output, its name's hash " : "hash ") + claim.digest().hex();
  if (claim.outcome == Outcome::ok) return counted(output->size(), "byte") + (output->empty() ? "" : " " + to_hex(*output));
  for (const std::uint8_t byte : *output) text += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?';  // a stranger's words
  return text;
}

Json json_of(const core::Claim& claim) {
  Json object{{"outcome", claim.outcome == Outcome::ok ? "ok" : claim.outcome == Outcome::failed ? "failed" : "fault"}};
  if (claim.large) object["large"] = true;
  if (const auto output = claim.output()) object["output"] = to_hex(*output);
  object["hash"] = claim.digest().hex();
  return object;
}

/// Peers whose last word agrees, by whether they are donors.
std::string why(const AuditedUnit& unit) {
  if (unit.doubt) return "not believed: " + why_of(unit.doubt->kind, unit.needed);
  std::set<PeerId> donors;
  bool own = false;
  for (const core::Testimony& each : unit.testimonies) {
    if (each.says != Says::agrees) continue;
    if (each.own) own = true;
    else donors.insert(each.peer);
  }
  if (donors.empty() && !own) return "it failed, as the evidence shows: no result that enough peers agree on, or nobody able to finish it";
  std::string text = "believed because " + (donors.empty() ? "" : counted(donors.size(), "donor") + " signed it");
  if (own) text += std::string(donors.empty() ? "" : " and ") + "the submitter computed it itself (its word, unsigned)";
  return text + "; the job asks for " + counted(unit.needed, "peer");
}

}  // namespace

bool Audited::overstates() const { return stated && totals_of(*stated).units > findings.units; }

std::string ranges(const std::vector<UnitIndex>& units) {
  std::string text;
  for (std::size_t from = 0; from < units.size();) {
    std::size_t to = from;
    while (to + 1 < units.size() && units[to + 1].value == units[to].value + 1) ++to;
    text += (text.empty() ? "" : ", ") + std::to_string(units[from].value);
    if (to > from) text += '-' + std::to_string(units[to].value);
    from = to + 1;
  }
  return text;
}

std::string text_of(const Audited& audited) {
  const core::Findings& findings = audited.findings;
  std::string text = "job        " + audited.papers.job.hex() + "\ntask       " + task_of(audited) + "\nowner      " +
                     audited.papers.manifest.owner.hex() + ", whose signature holds\nsubmitter  " + submitter_of(audited) + "\nrule       " +
                     rule_of(audited) + "\n\n" + units_table(audited) + '\n';
  if (audited.stated) text += stated_table(*audited.stated, findings) + '\n';
  text += donors_table(findings) + '\n' + remarks(audited);
  text += audited.holds() ? "confirmed: " : "NOT confirmed: ";
  return text + std::to_string(findings.confirmed) + " of " + counted(findings.units, "unit") + " by " +
         batches(findings.batches - findings.forged) + " of results\n";
}

nlohmann::ordered_json json_of(const Audited& audited) {
  const core::Findings& findings = audited.findings;
  Json object{{"job", audited.papers.job.hex()}, {"task", audited.papers.manifest.task}};
  if (audited.recipe) object["parameters"] = audited.recipe->parameters;
  object["owner"] = audited.papers.manifest.owner.hex();
  object["submitter"] = Json::array();
  for (const PeerId& peer : audited.papers.delegation.peers) object["submitter"].push_back(peer.hex());
  object["needed"] = audited.needed;
  object["units"] = findings.units;
  object["failed"] = findings.failed;
  object["confirmed"] = findings.confirmed;
  object["with_own"] = findings.with_own;
  object["own"] = findings.own;
  object["audited"] = findings.audited;
  object["signed_by"] = Json::object();
  for (const auto& [donors, units] : findings.signed_by) object["signed_by"][std::to_string(donors)] = units;
  object["batches"] = findings.batches;
  object["forged"] = findings.forged;
  object["donors"] = Json::array();
  for (const core::DonorRecord& donor : findings.donors) {
    object["donors"].push_back(Json{{"peer", donor.peer.hex()},
                                    {"own", donor.own},
                                    {"results", donor.results},
                                    {"agree", donor.agreeing},
                                    {"differ", donor.differing},
                                    {"faults", donor.faults}});
  }
  object["outvoted"] = Json::array();
  for (const auto& each : findings.differing) {
    object["outvoted"].push_back(Json{{"unit", each.unit.value}, {"peer", each.peer.hex()}, {"own", each.own}});
  }
  object["doubtful"] = Json::array();
  for (const core::UnitFinding& doubt : findings.doubtful) {
    object["doubtful"].push_back(Json{{"unit", doubt.unit.value},
                                      {"why", name_of(doubt.kind)},
                                      {"donors", doubt.donors},
                                      {"own", doubt.own},
                                      {"against", doubt.against}});
  }
  if (audited.stated) {
    const StatedTotals totals = totals_of(*audited.stated);
    object["stated"] = Json{{"goal", audited.stated->goal},       {"combined", audited.stated->combined},
                            {"assumed", audited.stated->assumed}, {"reached", audited.stated->reached},
                            {"blocks", audited.stated->blocks.size()}, {"units", totals.units},
                            {"audits", totals.audits},            {"catches", totals.catches}};
    if (audited.stated->checked) object["stated"]["checked"] = true;
  }
  if (audited.recomputed) {
    object["recomputed"] = Json{{"units", audited.recomputed->units}, {"differing", Json::array()}};
    for (const UnitIndex unit : audited.recomputed->differing) object["recomputed"]["differing"].push_back(unit.value);
  }
  object["holds"] = audited.holds();
  return object;
}

std::string text_of(const AuditedUnit& unit) {
  std::string text = "unit " + std::to_string(unit.unit.value) + ": " + text_of(unit.accepted) + "\n\n";
  Table table({{"PEER"}, {"SAYS"}, {"LEASE", Table::Align::right}, {"BATCH", Table::Align::right}, {"RESULT"}});
  for (const core::Testimony& each : unit.testimonies) {
    table.add({each.peer.hex() + (each.own ? " (the submitter, unsigned)" : ""), name_of(each.says), std::to_string(each.lease.value),
               std::to_string(each.batch), text_of(each.claim)});
  }
  return text + table.text() + '\n' + why(unit) + '\n';
}

nlohmann::ordered_json json_of(const AuditedUnit& unit) {
  Json object{{"unit", unit.unit.value}, {"accepted", json_of(unit.accepted)}, {"results", Json::array()}};
  for (const core::Testimony& each : unit.testimonies) {
    Json result{{"peer", each.peer.hex()}, {"own", each.own}, {"says", name_of(each.says)}, {"lease", each.lease.value}, {"batch", each.batch}};
    result.update(json_of(each.claim));
    object["results"].push_back(std::move(result));
  }
  object["needed"] = unit.needed;
  object["why"] = why(unit);
  object["holds"] = !unit.doubt;
  return object;
}

}  // namespace dugnad::sdk::cli
