// `dugnad audit`: who computed a job's units, and why they are believed: from the evidence alone, offline, on nobody's word.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>

#include "sdk/cli/audit_report.h"
#include "sdk/cli/command.h"
#include "sdk/cli/dossiers.h"
#include "sdk/cli/options.h"

namespace dugnad::sdk::cli {
namespace {

struct Request {
  std::string what;
  std::string data;
  std::string out;
  std::uint64_t recompute = 0;
  std::optional<std::uint64_t> unit;
  bool json = false;
};

/// What is audited, and where it comes from.
struct Subject {
  core::Dossier dossier;
  std::optional<Journal> journal;  // none: a file
  JobId job;                       // of the journal
};

/// A job's id is hex digits alone; a file of such a name is ./NAME.
bool names_a_job(const std::string& what) { return what.find_first_not_of("0123456789abcdef") == what.npos; }

struct Opened {
  std::optional<Subject> subject;
  ExitCode code = ExitCode::ok;
};

Opened open(const Request& request, Crypto& verifier) {
  const auto failed = [](ExitCode code, const Error& error) { return Opened{{}, fail(code, error.message)}; };
  if (!names_a_job(request.what)) {
    auto dossier = read_dossier(request.what, verifier);
    if (!dossier) return failed(ExitCode::environment, dossier.error());
    return {Subject{*std::move(dossier), {}, {}}, ExitCode::ok};
  }
  auto journal = Journal::open(request.data);
  if (!journal) return failed(ExitCode::environment, journal.error());
  const auto job = journal->find(request.what);
  if (!job) return failed(ExitCode::bad_usage, job.error());
  auto dossier = dossier_of(*journal, *job);
  if (!dossier) return failed(ExitCode::environment, dossier.error());
  return {Subject{*std::move(dossier), *std::move(journal), job->stored.job}, ExitCode::ok};
}

/// The outputs that are at hand: of a job all small ones, of a file the brief ones.
Result<OutputAtHand> outputs_of(const Subject& subject) {
  if (!subject.journal) {
    return OutputAtHand([&accepted = subject.dossier.accepted](UnitIndex unit) -> std::optional<Bytes> {
      const core::AcceptedClaimOf* found = core::find_accepted(accepted, unit);
      const auto output = found == nullptr || found->claim.outcome != Outcome::ok ? std::nullopt : found->claim.output();
      return output ? std::optional(Bytes(output->begin(), output->end())) : std::nullopt;
    });
  }
  auto accepted = subject.journal->accepted(subject.job);
  if (!accepted) return accepted.error();
  std::map<UnitIndex, Bytes> outputs;
  for (AcceptedUnit& unit : *accepted) {
    if (unit.outcome == Outcome::ok && !unit.output.large) outputs[unit.unit] = std::move(unit.output.bytes);
  }
  return OutputAtHand([outputs = std::move(outputs)](UnitIndex unit) {
    const auto found = outputs.find(unit);
    return found == outputs.end() ? std::nullopt : std::optional(found->second);
  });
}

Result<Recomputed> recompute_some(const Subject& subject, const std::optional<Recipe>& recipe, std::uint64_t count) {
  if (!recipe) return Error{"the evidence does not say how the job's units were cut, or another version of dugnad wrote it"};
  const auto outputs = outputs_of(subject);
  if (!outputs) return outputs.error();
  Generator generator(fresh_seed());
  return recompute(*recipe, subject.dossier.accepted, tasks::builtin_tasks(), count, generator, *outputs);
}

ExitCode audit_unit(const Request& request, const Subject& subject, core::Recheck& recheck) {
  const UnitIndex unit{*request.unit};
  const core::AcceptedClaimOf* accepted = core::find_accepted(subject.dossier.accepted, unit);
  if (accepted == nullptr) return fail(ExitCode::environment, "nothing was accepted for unit " + std::to_string(unit.value));
  AuditedUnit audited{unit, accepted->claim, recheck.testimonies(), recheck.needed(), {}};
  const core::Findings findings = recheck.findings();
  for (const core::UnitFinding& doubt : findings.doubtful) {
    if (doubt.unit == unit) audited.doubt = doubt;
  }
  if (request.json) std::cout << json_of(audited).dump() << '\n';
  else std::cout << text_of(audited);
  return audited.doubt ? ExitCode::environment : ExitCode::ok;
}

ExitCode audit_all(const Request& request, const Subject& subject, const core::CheckedPapers& papers, core::Recheck& recheck,
                   std::optional<core::StatedConfidence> stated) {
  Audited audited{papers, decode_recipe(subject.dossier.papers.recipe), std::move(stated), recheck.needed(), recheck.findings(), {}};
  if (request.recompute > 0) {
    auto recomputed = recompute_some(subject, audited.recipe, request.recompute);
    if (!recomputed) return fail(ExitCode::bad_usage, recomputed.error().message);
    audited.recomputed = *std::move(recomputed);
  }
  if (request.json) std::cout << json_of(audited).dump() << '\n';
  else std::cout << text_of(audited);
  if (!request.out.empty()) {
    const auto bytes = write_dossier(subject.dossier, request.out, *subject.journal);
    if (!bytes) return fail(ExitCode::environment, bytes.error().message);
    std::cerr << "wrote " << request.out << ", " << *bytes << " bytes\n";
  }
  return audited.holds() ? ExitCode::ok : ExitCode::environment;
}

}  // namespace

ExitCode audit(Arguments arguments) {
  Request request;
  CLI::App app(
      "Rechecks the evidence for a job's results, offline: every signature, who signed what was accepted, and whether that is what the owner "
      "asked for.",
      "dugnad audit");
  app.footer(
      "The submitter's own results are unsigned: they are its word, and marked as such. What no evidence can show is whether two keys are two "
      "people.\n"
      "Exit code 0 where everything is confirmed, 1 where evidence is missing, forged or contradicts what was accepted; each is named.\n\n"
      "Examples:\n  dugnad audit 3f2a                      a job of this user's\n  dugnad audit 3f2a --unit 17            who computed unit 17, "
      "and why it is believed\n"
      "  dugnad audit 3f2a --export proof.dug   a file for others, who need nothing else\n"
      "  dugnad audit proof.dug --recompute 10  which they recheck, computing ten of its units again\n");
  app.add_option("JOB|FILE", request.what, "The job's id, or as much of its beginning as no other job has; or a file that --export wrote.")
      ->type_name("")
      ->required();
  CLI::Option* unit = app.add_option("--unit", request.unit, "Of this unit alone: who returned what, and why it is believed.")->type_name("N");
  CLI::Option* out =
      app.add_option("--export", request.out, "Write all of the evidence to FILE, signed with the owner's key.")->type_name("FILE");
  CLI::Option* again =
      app.add_option("--recompute", request.recompute,
                     "Compute N of the units again here, or run the task's check again, drawn at random; of built-in tasks.")
          ->type_name("N");
  unit->excludes(out)->excludes(again);
  app.add_flag("--json", request.json, "Print a JSON object.");
  add_data_option(app, request.data);
  if (const auto exit = parse(app, arguments)) return *exit;
  if (!request.out.empty() && !names_a_job(request.what)) return fail(ExitCode::bad_usage, "--export is for a job; copy the file instead");
  if (!sodium_ready()) return fail(ExitCode::environment, "this machine has no randomness");

  const auto verifier = make_sodium(fresh_keys());
  Opened opened = open(request, *verifier);
  if (!opened.subject) return opened.code;
  const core::Dossier& dossier = opened.subject->dossier;
  const auto papers = core::check(dossier.papers, *verifier);
  if (!papers) return fail(ExitCode::environment, papers.error().message);
  const bool has_confidence = !dossier.papers.summary.empty();
  auto stated = core::decode_stated_confidence(dossier.papers.summary);
  if (has_confidence && !stated) return fail(ExitCode::environment, "the submitter's account of the job is damaged");
  core::Recheck recheck(*papers, dossier.papers.swarm, has_confidence, dossier.accepted, *verifier,
                        request.unit ? std::optional(UnitIndex{*request.unit}) : std::nullopt);
  if (!core::each_batch(dossier, [&](const core::EvidenceBatch& batch) { recheck.add(batch); })) {
    return fail(ExitCode::environment, "the evidence of the job is damaged");
  }
  return request.unit ? audit_unit(request, *opened.subject, recheck) : audit_all(request, *opened.subject, *papers, recheck, std::move(stated));
}

}  // namespace dugnad::sdk::cli
