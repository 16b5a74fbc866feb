// EarlyMessages: what donors say before this submitter's process can take it in: of a job that it is about to take up again, or of units that have
// not come yet.
//
// Specification
//   1. What is said of a job that is not known waits for restored_grace from the first such message on. Rationale: a program that is started again is
//      found by its donors before it has read its journal; told that there is no such job, they would drop the work of hours.
//   2. Results under a lease of an earlier run wait until their units have come. Their signature has been checked.
//   3. At most early_messages_max and early_bytes_max together, and early_of_peer_max and early_of_peer_bytes of one peer; what is beyond is not
//      heard. Whoever goes takes its Wants along.
#pragma once

#include <list>
#include <optional>
#include <vector>

#include "coordinatorless/core/messages.h"

namespace dugnad::core {

class EarlyMessages {
 public:
  struct Want {
    PeerId from;
    core::Want said;
  };
  struct Results {
    PeerId from;
    PublicKey key;
    core::Results said;
  };

  /// Whether what is said of an unknown job is to wait.
  [[nodiscard]] bool may_wait(BootTime now);
  void keep(Want want);
  void keep(Results results);

  /// A job has come.
  [[nodiscard]] std::vector<Want> take_wants(const JobId& job);
  /// Those of that job that are `ready`.
  template <class Ready>
  [[nodiscard]] std::vector<Results> take_results(const JobId& job, const Ready& ready) {
    std::vector<Results> taken;
    for (auto at = results_.begin(); at != results_.end();) {
      const auto each = at++;
      if (each->said.job != job || !ready(each->said)) continue;
      bytes_ -= bytes_of(each->said);
      taken.push_back(std::move(*each));
      results_.erase(each);
    }
    return taken;
  }
  [[nodiscard]] bool empty() const { return results_.empty() && wants_.empty(); }
  /// The job is over.
  void drop(const JobId& job);
  void lost(const PeerId& peer);
  /// Of jobs that are not `known`.
  template <class Known>
  void drop_unknown(const Known& known) {
    std::erase_if(wants_, [&](const Want& each) { return !known(each.said.job); });
    std::erase_if(results_, [&](const Results& each) {
      const bool goes = !known(each.said.job);
      if (goes) bytes_ -= bytes_of(each.said);
      return goes;
    });
  }

 private:
  [[nodiscard]] static std::size_t bytes_of(const core::Results& results);
  [[nodiscard]] bool has_room(const PeerId& from, std::size_t bytes) const;

  std::optional<BootTime> until_;
  std::list<Want> wants_;
  std::list<Results> results_;
  std::size_t bytes_ = 0;
};

}  // namespace dugnad::core
