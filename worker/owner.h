// What a job's owner signs before a swarm hears of the job: its manifest, and who may lease out its units.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coordinatorless/base/crypto.h"
#include "coordinatorless/base/result.h"
#include "coordinatorless/core/seam.h"

namespace dugnad::worker {

struct JobOrder {
  std::string task;
  std::uint32_t task_version = 1;
  std::uint32_t copies = 2;  // matching results from this many different peers
  Duration unit_limit{};     // after which an attempt is the donor's failure; zero: none
  Bytes recipe;              // how the submitting program finds and rebuilds the job; kept with it, never sent
  std::optional<BlobId> module{};  // the program, kept by Node::keep(); none: the built-in task
  std::uint64_t memory_bytes = 0;  // 0: the donor's default
  std::uint64_t fuel = 0;          // of a module, for each unit; 0: not counted
  std::optional<core::WantedConfidence> confidence{};  // instead of copies
  unsigned stewards = 0;  // peers that are to hold it while its submitter is away
};

struct SignedJob {
  JobId id;
  core::JobSubmitted event;
};

/// A new job of `owner`, leased out by `submitter`. An error names what the protocol's limits refuse.
[[nodiscard]] Result<SignedJob> make_job(const JobOrder& order, const SecretKeys& owner, const PeerId& submitter, const SwarmId& swarm,
                                         WallTime created);

/// The job of an earlier run, from its journalled manifest body, leased out by `submitter` from now on: the later epoch replaces the earlier
/// run's delegation, whose body `before` is, where it is known: the stewards that it names are named again. An error where the manifest is not
/// the owner's.
[[nodiscard]] Result<SignedJob> take_up_job(Bytes manifest, Bytes recipe, const SecretKeys& owner, const PeerId& submitter,
                                            const SwarmId& swarm, std::uint64_t epoch, ByteView before = {});

}  // namespace dugnad::worker
