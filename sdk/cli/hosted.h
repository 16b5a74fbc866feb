// A hosted submission: `dugnad submit --resume JOB` as a worker runs it for `--detach` (worker/hosted_jobs.h): without a terminal, and no longer than
// the worker. Its log is a file, so that what others can make it say has an end.
#pragma once

#include <sys/types.h>

#include <memory>

#include "sdk/cli/journal.h"
#include "sdk/cli/outputs.h"
#include "sdk/cli/report.h"

namespace dugnad::sdk::cli {

/// This process ends, in order, when process `worker` does, which has started it.
void end_with(pid_t worker);

/// Troubles and the end, on stderr.
[[nodiscard]] std::unique_ptr<Report> hosted_report();

/// For outputs that are read from the journal.
[[nodiscard]] std::unique_ptr<Outputs> outputs_nowhere();

/// A job that has ended for good, or was given up, is not to be run again: its order goes, and what was spooled for it.
void settle_hosted(const std::string& data, const std::string& job, ExitCode code);

/// The same for a job that was cancelled by another program.
void forget_hosted(const Journal& journal, const KnownJob& job);

/// Whether a worker keeps the job running, or will once it is started.
[[nodiscard]] bool is_hosted(const Journal& journal, const JobId& job);

}  // namespace dugnad::sdk::cli
