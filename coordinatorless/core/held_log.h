// HeldLog: what happened to the results of a job that are not final, in the order in which it happened, so that whoever takes the job up again after
// a crash stands where it was: which results there are, which audits were drawn and done, who was convicted, which blocks are open or final.
//
// Specification
//   1. Donors' results are not in it a second time: each batch of evidence (core/evidence.h) has its place in the log. What the log adds to one
//      is what evidence does not have: of each result that nobody had returned for its unit before, the input's tag and, where it is not brief,
//      the output. Batches of evidence and their places stand in the same row.
//   2. It holds what TrustLedger was told, not what followed from that: who reads it tells another ledger the same. So does it get the same
//      audit draws, from the logged key of their generator. Rationale: a result that was drawn and is drawn anew would be looked at twice as
//      likely, and its catch charged too little.
//   3. Each run draws with a key of its own. Rationale: what a crash has taken was drawn already, and somebody may have seen what came of it.
//   4. Of a job by copies it holds the results alone: agreement follows from them.
//   5. Nothing of it is signed, as nobody else believes it.
//
// The bytes: events, each a u8 kind (its place in HeldEvent, from 1) and its fields in order: ids as they are, numbers as varints, floats as the
// u64 of their bits, bools as u8; of text and bytes the length first.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "coordinatorless/base/packed.h"
#include "coordinatorless/core/audit_plan.h"
#include "coordinatorless/core/trust_ledger.h"

namespace dugnad::core {

namespace held {

/// All that was logged before is void: it could not be read.
struct Afresh {};
/// Draws come from a generator with this key from now on.
struct DrawKey {
  std::array<std::uint8_t, 32> key{};
};
/// The next units of the job, in the order in which they came.
struct UnitsCame {
  UnitIndex first;
  std::uint64_t count = 0;
};
struct DonorJoined {
  DonorIndex donor = 0;
  PeerId peer;
  Past past = Past::unknown;
};
struct EstablishedThere {
  bool any = true;
};
struct FirstsChecked {
  bool check = false;
};
struct BlockOpened {
  AuditTerms terms;
};
struct BlockEnded {
  UnitNumber at = 0;
};
/// A result that differs from all others of its unit.
struct NewResult {
  std::uint32_t place = 0;  // in the batch of evidence
  std::uint64_t input_tag = 0;
  Bytes output;  // empty where the evidence has it
};
/// The next batch of evidence in the same row.
struct ResultsCame {
  std::vector<NewResult> fresh;  // by place
};
struct NobodyAudits {
  UnitNumber unit = 0;
};
struct NobodyComputes {
  UnitNumber unit = 0;
};
struct GivenUp {
  UnitNumber unit = 0;
  std::string reason;
};
struct TurnEnded {};
/// The unit came again with another input, or not at all: nothing under this number is wanted.
struct Withdrawn {
  UnitNumber unit = 0;
};

/// Beside all this: at a unit whose output was known.
struct Convicted {
  DonorIndex donor = 0;
  bool colluded = false;
};

}  // namespace held

using HeldEvent = std::variant<held::Afresh, held::DrawKey, held::UnitsCame, held::DonorJoined, held::EstablishedThere, held::FirstsChecked,
                               held::BlockOpened, held::BlockEnded, held::ResultsCame, held::NobodyAudits, held::NobodyComputes, held::GivenUp,
                               held::TurnEnded, held::Withdrawn, held::Convicted>;

void put_held(Bytes& out, const HeldEvent& event);
/// The next one; nullopt for anything that put_held() does not write.
[[nodiscard]] std::optional<HeldEvent> read_held(packed::Reader& in);

/// What is to be logged.
class HeldLog {
 public:
  /// `worth`: a crash without it would cost somebody's work.
  void add(const HeldEvent& event, bool worth = false) {
    put_held(bytes_, event);
    worth_ = worth_ || worth;
  }
  /// Before what was added since `bytes_now()` was this.
  void add_before(std::size_t since, const HeldEvent& event, bool worth) {
    Bytes bytes;
    put_held(bytes, event);
    bytes_.insert(bytes_.begin() + static_cast<std::ptrdiff_t>(since), bytes.begin(), bytes.end());
    worth_ = worth_ || worth;
  }
  [[nodiscard]] std::size_t bytes_now() const { return bytes_.size(); }
  struct Part {
    Bytes bytes;
    bool worth = false;
  };
  /// Since last asked.
  [[nodiscard]] Part take() { return {std::exchange(bytes_, {}), std::exchange(worth_, false)}; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  Bytes bytes_;
  bool worth_ = false;
};

}  // namespace dugnad::core
