#include "coordinatorless/core/record_check.h"

#include <utility>

#include "coordinatorless/core/codec.h"

namespace dugnad::core {
namespace {

std::optional<SignedResults> read_results(const PublicKey& donor, ByteView frame, const JobId& job, const Self& self) {
  auto message = decode(frame);
  if (!message) return std::nullopt;
  auto* results = std::get_if<Results>(&*message);
  if (results == nullptr || results->job != job || results->results.empty()) return std::nullopt;
  if (!self.verify(Domain::results, donor, results_root(*results).view(), results->signature)) return std::nullopt;
  return SignedResults{donor, std::move(*results)};
}

}  // namespace

std::optional<Proven> proven(const RecordEntry& entry, const JobId& job, const PublicKey& owner, const Self& self) {
  if (entry.donor) {
    auto results = read_results(*entry.donor, entry.body, job, self);
    return results ? std::optional<Proven>(std::move(*results)) : std::nullopt;
  }
  if (!entry.signature || !self.verify(Domain::word, owner, entry.body, *entry.signature)) return std::nullopt;
  auto word = decode_owners_word(entry.body);
  if (!word || word->job != job) return std::nullopt;
  return std::optional<Proven>(std::move(*word));
}

std::optional<SignedResults> proven(const CollectedResults& collected, const JobId& job, const Self& self) {
  return read_results(collected.donor, collected.frame, job, self);
}

RecordEntry entry_of(const OwnersWord& word, const Self& self) {
  Bytes body = encode(word);
  const Signature signature = self.sign_as_owner(Domain::word, body);
  return {std::nullopt, std::move(body), signature};
}

RecordEntry entry_of(const PublicKey& donor, const Results& results) { return {donor, encode(Message(results)), std::nullopt}; }

}  // namespace dugnad::core
