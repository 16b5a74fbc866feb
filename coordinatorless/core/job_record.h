// JobRecord: what the submitter of a job and its stewards know of it in common: a list of entries that only grows, each of which proves itself. What
// its owner says (units, what is final, who may compute what) is signed by the owner's key; results are signed by donors. Whoever leads the job out
// writes, the others follow; merging two lists is taking what one does not have.
//
// Specification
//   1. A follower asks for what stands from its place on, and is answered at once, or once there is something (Follow). One answer is on its way at
//      a time. Rationale: who is slow slows nobody else.
//   2. Nobody is sent what it has given itself, unless it asks for that.
//   3. An answer brings something, unless it says at once that there is nothing. Rationale: else two peers could ask and answer each other for ever.
//   4. A submitter lets the oldest entries go beyond record_backlog_max. Rationale: its stewards have them; it is not one of them.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "coordinatorless/core/messages.h"
#include "coordinatorless/core/seam.h"

namespace dugnad::core {

class JobRecord {
 public:
  /// `series`: drawn anew by each process.
  JobRecord(const JobId& job, std::uint64_t series) : job_(job), series_(series) {}

  /// False where it is here, or was. `from`: who gave it; oneself.
  bool add(RecordEntry entry, const PeerId& from, BootTime now);
  [[nodiscard]] bool has(const RecordEntry& entry) const { return known_.contains(name_of(entry)); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Lets go of the oldest entries beyond so many bytes.
  void trim(std::uint64_t most);

  // --- Followers ---

  void on_follow(const PeerId& from, const Follow& follow, Output& out);
  /// Tells those that wait what is new.
  void tick(BootTime now, Output& out);
  [[nodiscard]] BootTime next_deadline() const { return tell_at_; }
  /// Whether it has had all that stands before that place, large inputs included: it asked for more behind it, and lacks none.
  [[nodiscard]] bool has_up_to(const PeerId& follower, std::uint64_t place) const;
  [[nodiscard]] std::uint64_t end() const { return first_ + entries_.size(); }

  // --- Following others ---

  /// `delegation`: shows that this peer may, where the other may not know; else empty.
  /// `all`: what this peer has given it too.
  void follow(const PeerId& whom, Signed delegation, bool all, Output& out);
  /// The entries of an answer that was asked for, to be checked and added; none where it has come before. nullopt where nobody asks that peer, or its
  /// answer is none. Afterwards it is asked for more.
  [[nodiscard]] std::optional<std::vector<RecordEntry>> on_record(const PeerId& from, Record record);
  void ask_for_more(const PeerId& whom, Output& out);
  /// What this peer lacks is said with its next questions; and where it is nothing any more, at once.
  void set_lacks(std::size_t lacks, Output& out);
  /// It had nothing more when it last answered.
  [[nodiscard]] bool is_read(const PeerId& whom) const;
  void lost(const PeerId& peer);

 private:
  using Name = std::array<std::uint8_t, 16>;
  struct Kept {
    RecordEntry entry;
    PeerId from;
  };
  struct Follower {
    std::uint64_t next = 0;  // what was not sent yet
    bool waits = false;      // for more; so what was sent is there
    bool all = false;
    std::uint64_t has = 0;   // what stands before it has arrived
    std::uint32_t lacks = 0;
  };
  struct Followed {
    std::uint64_t series = 0;
    std::uint64_t next = 0;
    Signed delegation;
    bool all = false;
    bool asked = false;
    bool waits = false;  // it was asked for what is new, and says nothing where nothing is
    bool read = false;
    bool answered = false;  // and not asked since
  };
  [[nodiscard]] static Name name_of(const RecordEntry& entry);
  /// What is new to a follower; false where that is nothing.
  bool answer(const PeerId& to, Follower& follower, std::uint64_t from, bool even_nothing, Output& out);
  void ask(const PeerId& whom, Followed& followed, bool wait, Output& out) const;

  const JobId job_;
  const std::uint64_t series_;
  std::deque<Kept> entries_;
  std::uint64_t first_ = 0;  // place of the first entry
  std::uint64_t bytes_ = 0;
  std::set<Name> known_;
  std::map<PeerId, Follower> followers_;  // delegates, while they are linked
  std::map<PeerId, Followed> followed_;   // followed_max
  std::uint32_t lacks_ = 0;
  BootTime tell_at_ = never;
};

}  // namespace dugnad::core
