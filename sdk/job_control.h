// What other programs of the same user can ask the one that runs a job, and how they find it: every submitting program has a control socket in the
// data directory, named as its key is: `submitter.sock`, `submitter-2.sock`, ... They are few, so that whoever looks for a job asks them all.
//
//   status JOB    ok, and the job's progress as NAME=NUMBER with blanks between; names that a reader does not know are passed over
//   cancel JOB    ok: it is about to end
//
// Whoever has not got the job answers `no`. What is final of a job is no matter of these sockets: it is in the journal, which all can read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/result.h"
#include "dugnad/swarm.h"
#include "worker/control_protocol.h"

namespace dugnad::sdk {

/// Submitting programs in one data directory at once; each has a key of its own.
inline constexpr unsigned swarms_per_data_dir_max = 16;
inline constexpr const char* submitter_role = "submitter";

/// `submitter-2.sock` for `submitter-2`.
[[nodiscard]] std::string control_name_of(const std::string& program);

// --- The program that runs jobs ---

/// `session`: of the job that `asked` names; nullptr where it is not here. Blocks while the protocol's thread is asked.
[[nodiscard]] worker::ControlAnswer answer_for(Session* session, const worker::ControlRequest& asked);

// --- Those that ask ---

/// How a running job stands. nullopt where no program answers for it: then the journal says all there is.
[[nodiscard]] std::optional<Progress> ask_progress(const std::string& data_dir, const JobId& job);
/// True where the program that runs the job is ending it, false where no program answers for it. An error in one line.
[[nodiscard]] Result<bool> ask_to_cancel(const std::string& data_dir, const JobId& job);

// --- As text ---

[[nodiscard]] std::string text_of(const Progress& progress);
/// What is missing or no number stays as it is by default.
[[nodiscard]] Progress progress_of(std::string_view text);

}  // namespace dugnad::sdk
