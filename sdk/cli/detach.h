// `dugnad submit --detach`: the job is handed to the worker of this data directory, which keeps it running without this terminal.
//
// What moves: the program and its units into the spool, the job into the journal, how it is to be run into an order (worker/hosted_orders.h). The
// worker hears of the order at its control socket, and takes up what it finds there at every start. The process that it starts is a peer of
// its own, and signs with the owner's key a delegation to itself that is later than every earlier one.
#pragma once

#include "sdk/cli/submit_options.h"

namespace dugnad::sdk::cli {

/// Returns once the job runs there, or has ended; prints its id. 1 where no worker runs here.
[[nodiscard]] ExitCode detach(SubmitOptions options);

}  // namespace dugnad::sdk::cli
