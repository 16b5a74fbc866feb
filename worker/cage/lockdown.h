// Lockdown: what turns a process into a cage, layer by layer. Each is applied by the process to itself, for good. A stranger's code that has taken
// over V8 must be stopped by all of them together, and by most of them alone:
//
//   privileges   an unprivileged id where it was root, no capabilities, no_new_privs, not dumpable, dies with its launcher
//   rlimits      no core, no file may grow, no further descriptors or processes, memory as the launcher said
//   namespaces   own network without a device, own IPC, mounts and host name; wherever the kernel lets this user have them
//   Landlock     no file or directory, no TCP port, no signal or abstract socket outside, as far as the kernel's version knows these
//   seccomp      a handful of system calls on memory, time and the one socket; everything else is refused
//
// All but the namespaces are required: where one is missing, strangers' code is not run.
#pragma once

#include <string>

#include "coordinatorless/base/result.h"

namespace dugnad::worker::cage {

/// Before any thread: a user namespace needs that. What it could have, as text: "namespaces" or "no namespaces (why)".
[[nodiscard]] std::string enter_namespaces();

/// The required layers, in the order above, behind the last system call that needs more than they leave. `socket`: the one descriptor that stays
/// usable; all others are closed. What holds, as text, for the donor to read; or an error that names the layer and the reason.
[[nodiscard]] Result<std::string> lock_down(int socket);

// --- Single layers, for the tests that see each hold alone ---

[[nodiscard]] Result<void> drop_privileges();
[[nodiscard]] Result<void> set_rlimits();
/// The version of Landlock's interface that was used.
[[nodiscard]] Result<int> restrict_files();
[[nodiscard]] Result<void> filter_calls(int socket);

}  // namespace dugnad::worker::cage
