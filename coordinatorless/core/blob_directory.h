// BlobDirectory: who else has a blob. A submitter tells its donors of each other; whoever finds no holder asks its neighbours, and these
// theirs.
//
// Specification
//   1. Who fetches a blob of a job asks the submitter (`Seek`, no hops): it names those that asked before, seekers_max of them at most, and
//      remembers the asker. Rationale: they have it, or are fetching it too, and help each other instead of all drawing on the submitter's
//      uplink. Of an input they are remembered only where every unit is computed by several anyway: who is told of others in a job that audits
//      would know when it is looked at. There it names whom the job says (core/job_inputs.cpp), and remembers nobody.
//   2. Else whoever has it here answers with its own record, and others pass the question on, to seek_fanout neighbours and seek_hops_max
//      hops at most, the same question once in seek_memory. The answer goes back the way that the question came. Rationale: a question
//      costs at most some forty messages of its own size; nobody is sent an answer who has not asked.
//   3. Each neighbour has a budget of questions, and each donor of our jobs a larger one. Rationale: a flood; but a donor of a quick task asks as
//      often as it is leased a large input.
//   4. Of an answer only records that are genuine count, or are passed on; what they are worth shows when the chunks come. Unasked answers
//      are ignored: the question may have been forgotten.
//   5. A found holder gets a link of its own, within blob_links_max and the rules of who may be dialled, as long as something may come of
//      it.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/links.h"
#include "coordinatorless/core/membership.h"
#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/self.h"
#include "coordinatorless/core/token_bucket.h"

namespace dugnad::core {

class BlobDirectory {
 public:
  /// All outlive the directory.
  BlobDirectory(const Self& self, Links& links, Membership& membership) : self_(self), links_(links), membership_(membership) {}

  /// What this peer can say of a blob itself.
  struct Own {
    bool job = false;    // it is a job's of this peer, or of a donor of one
    bool named = false;  // the asker is a donor of one of them or its steward, and knows that this peer has it
    bool here = false;   // it is here, and that is no secret
    bool close = false;  // the asker works on a job with this peer, and may ask often
  };
  [[nodiscard]] std::optional<Charge> on(const PeerId& from, const Seek& seek, const Own& own, Now now, Output& out);
  /// The answer to a donor of ours that asks who has this blob: these, and nobody else.
  [[nodiscard]] std::optional<Charge> name(const PeerId& to, const BlobId& blob, std::span<const PeerId> holders, Now now, Output& out);

  struct Holders {
    std::vector<ContactRecord> records;
    Charge charge;
  };
  /// `wanted`: by this peer. Those that it may try.
  [[nodiscard]] Holders on(const PeerId& from, const Found& found, bool wanted, Now now, Output& out);

  /// Asks neighbours.
  void seek(const BlobId& blob, Now now, Output& out);
  /// A link with that holder, if there may be one; `told_by` has named it.
  void link(const ContactRecord& holder, const PeerId& told_by, Now now, Output& out);
  /// Lets go of the holders of which nothing is to be had any more, as `counts_on` says.
  template <class CountsOn>
  void tidy(CountsOn counts_on, Now now) {
    std::erase_if(linked_, [&](const PeerId& peer) {
      if (counts_on(peer)) return false;
      links_.drop(peer, Purpose::blob, now);
      return true;
    });
    tidy_at_ = linked_.empty() ? never : now.boot + limits::overlay_interval;
  }
  void lost(const PeerId& peer);
  [[nodiscard]] BootTime next_deadline() const { return tidy_at_; }

 private:
  struct Asked {
    std::vector<PeerId> by;  // neighbours that wait for an answer; at most found_holders_max
    BootTime until{};
    unsigned answers = 0;
  };
  /// `often`: on behalf of a job.
  [[nodiscard]] bool may_ask(const PeerId& from, bool often, Now now);
  void tell(const PeerId& to, const BlobId& blob, bool named, Now now, Output& out);
  void pass_on(const BlobId& blob, std::uint8_t hops, const PeerId* except, Output& out);
  Asked* asked(const BlobId& blob, Now now);

  const Self& self_;
  Links& links_;
  Membership& membership_;

  std::map<BlobId, std::vector<PeerId>> seekers_;  // of blobs of own jobs, the latest last
  std::deque<BlobId> seekers_order_;               // in which they were first asked for; at most directory_blobs_max
  std::map<BlobId, Asked> asked_;                  // questions passed on
  std::deque<BlobId> asked_order_;                 // at most seeks_remembered_max
  std::map<PeerId, TokenBucket> budgets_;          // of neighbours
  std::map<PeerId, TokenBucket> donors_;           // of our own jobs
  std::set<PeerId> linked_;                        // for the sake of a blob
  BootTime tidy_at_ = never;
};

}  // namespace dugnad::core
