// Evidence against any bytes at all: an exported file whose author signed whatever it is, a batch as in a journal, a submitter's account.
#include <algorithm>

#include "coordinatorless/core/recheck.h"
#include "coordinatorless/core/stated_confidence.h"
#include "tests/core/cases.h"
#include "tests/fuzz/fuzz_target.h"

using namespace dugnad;
using namespace dugnad::core;

namespace {

constexpr std::size_t header_bytes = 18;
constexpr std::size_t signature_bytes = 64;

const test::Case& job() {
  static const test::Case one(2, 2);
  return one;
}

/// What stands between an exported file's header and its signature.
Bytes body_of(const Dossier& dossier) {
  const auto file = encode(dossier, *job().owner.crypto);
  return {file->begin() + header_bytes, file->end() - signature_bytes};
}

void check_dossier(ByteView body) {
  Bytes file = to_bytes("dugnad evidence 1\n");
  packed::put(file, body);
  packed::put(file, job().owner.self.sign(Domain::evidence, body));
  const auto dossier = decode_dossier(file, job().verifier());
  if (!dossier) return;
  const auto again = encode(*dossier, *job().owner.crypto);
  fuzz::check(again.ok(), "what was read can be written");
  Recheck recheck(job().papers, dossier->papers.swarm, false, dossier->accepted, job().verifier(), UnitIndex{1});
  const bool sound = each_batch(*dossier, [&](const EvidenceBatch& batch) { recheck.add(batch); });
  fuzz::check(sound, "a file's batches are read twice");
  const Findings findings = recheck.findings();
  fuzz::check(findings.confirmed + findings.doubtful.size() == findings.units, "every unit is confirmed or doubtful");
}

}  // namespace

std::vector<Bytes> fuzz::seeds(Generator& generator) {
  const test::Case& one = job();
  Dossier dossier = one.dossier;
  std::vector<UnitResult> all;
  std::vector<AcceptedUnit> accepted;
  for (std::uint64_t unit = 0; unit < 1 + generator.below(6); ++unit) {
    all.push_back({LeaseId{generator.below(3)}, {generator.below(8)}, static_cast<Outcome>(generator.below(4)), Bytes(generator.below(40), 7)});
    if (generator.chance(0.8)) accepted.push_back({all.back().unit, 0, Outcome::ok, all.back().output});
  }
  const StatedConfidence stated{0.99, false, 0.1, 0.99, {{generator.below(100), generator.share(), 3, 1}}};
  dossier.accepted = accepted_claims(accepted);
  dossier.papers.summary = encode(stated);
  EvidenceBatch veiled = one.batch(1, all);
  veil_others(veiled, one.job(), {0});
  std::vector<Bytes> inputs{encode(stated)};
  for (const EvidenceBatch& batch : {one.batch(0, all), veiled, one.own(all)}) {
    put_evidence(dossier.evidence.emplace_back(), batch);
    inputs.push_back(dossier.evidence.back());
  }
  inputs.push_back(body_of(dossier));
  return inputs;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  packed::Reader in(input);
  if (const auto batch = read_evidence(in)) {
    Bytes again;
    put_evidence(again, *batch);
    fuzz::check(std::ranges::equal(again, input.first(size - in.left())), "a batch has one encoding");
  }
  if (const auto stated = decode_stated_confidence(input)) {
    fuzz::check(std::ranges::equal(encode(*stated), input), "an account has one encoding");
  }
  check_dossier(input);
  return 0;
}
