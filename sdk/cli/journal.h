// The journal as the commands look at it: jobs of this and of earlier runs, read beside whatever process writes them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/store/store.h"
#include "sdk/recipe.h"

namespace dugnad::sdk::cli {

struct KnownJob {
  store::StoredJob stored;
  std::optional<Recipe> recipe;  // nullopt: another version of dugnad has written it
};

class Journal {
 public:
  /// That of the data directory `data`; empty: the user's own. A journal that no job was ever written to is an empty one.
  [[nodiscard]] static Result<Journal> open(const std::string& data);

  /// The oldest first.
  [[nodiscard]] Result<std::vector<KnownJob>> jobs() const;
  /// The job whose id is `id` or alone begins with it.
  [[nodiscard]] Result<KnownJob> find(const std::string& id) const;
  [[nodiscard]] Result<std::vector<AcceptedUnit>> accepted(const JobId& job) const;
  // Nothing for a job of a version that kept none.
  [[nodiscard]] Result<std::optional<PapersRow>> papers(const JobId& job) const;
  [[nodiscard]] Result<std::vector<Bytes>> evidence(const JobId& job) const;
  [[nodiscard]] Result<std::optional<Bytes>> summary(const JobId& job) const;
  /// The bytes of an output; an error where a large one is not on this disk any more.
  [[nodiscard]] Result<Bytes> output_of(const AcceptedUnit& unit) const;
  /// Whoever asked has all outputs of a job that is over: large ones are kept for nobody any more.
  void outputs_given(const JobId& job) const;

  /// Whether a running program works on the job.
  [[nodiscard]] bool busy(const JobId& job) const;
  /// Marks an unfinished job as one that will not be taken up again. An error where a running program works on it; that one is to be asked.
  [[nodiscard]] Result<void> cancel(const JobId& job) const;

  /// The data directory.
  [[nodiscard]] const std::string& data() const { return data_; }

 private:
  Journal(std::string data, std::unique_ptr<store::Store> store) : data_(std::move(data)), store_(std::move(store)) {}

  std::string data_;
  std::unique_ptr<store::Store> store_;  // nullptr: there is none yet
};

/// "running", "waiting" for the worker here to take it up, "unfinished", "done", "failed", "cancelled".
[[nodiscard]] std::string state_of(const Journal& journal, const store::StoredJob& job);
/// One line where the job cannot be resumed from what is on this machine, or is running.
[[nodiscard]] std::optional<std::string> why_not_resumed(const Journal& journal, const KnownJob& job);
/// "nqueens --n 16".
[[nodiscard]] std::string what_of(const KnownJob& job);

}  // namespace dugnad::sdk::cli
