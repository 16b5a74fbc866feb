// Lockdown: what turns a process into a cage, layer by layer. Each is applied by the process to itself, for good. A stranger's code that has taken
// over V8 must be stopped by all of them together, and by most of them alone:
//
//   privileges   an unprivileged id where it was root, no capabilities, no_new_privs, not dumpable, dies with its launcher
//   rlimits      no core, no file may grow, no further descriptors or processes, memory as the launcher said
//   namespaces   own network without a device, own IPC, mounts and host name, and an empty directory for a root; wherever the kernel lets this user
//                have them. The root is for what Landlock leaves open: to look at files' names, owners and times, and to change these.
//   Landlock     no file or directory, no TCP port, no signal or abstract socket outside, as far as the kernel's version knows these
//   seccomp      a handful of system calls on memory, time and the one socket; everything else is refused, and what only an attack would try
//                ends the process
//
// Executable memory is not among what is taken away. V8's collector makes the pages of its code writable and executable again as it goes, so that
// the process must be able to have such pages, and whoever has taken V8 over can have them the same way: to filter by address would leave just
// the pages that matter, protection keys are the process's own to change, and without a compiler there is no WebAssembly in this V8. So the layers
// reckon with machine code of the attacker's; only to map memory that is executable from the start, which V8 never does, is refused.
//
// All but the namespaces are required: where one is missing, strangers' code is not run.
#pragma once

#include <string>

#include "coordinatorless/base/result.h"

namespace dugnad::worker::cage {

struct Namespaces {
  bool own_mounts = false;
  std::string said;  // "namespaces" or "no namespaces (why)"
};

/// Before any thread: a user namespace needs that.
[[nodiscard]] Namespaces enter_namespaces();

/// The rest, in the order above, behind the last system call that needs more than they leave. `socket`: the one descriptor that stays
/// usable; all others are closed. What holds, as text, for the donor to read; or an error that names the layer and the reason.
[[nodiscard]] Result<std::string> lock_down(int socket, const Namespaces& namespaces);

// --- Single layers, for the tests that see each hold alone ---

/// With mounts of one's own.
[[nodiscard]] Result<void> empty_the_root();
[[nodiscard]] Result<void> drop_privileges();
[[nodiscard]] Result<void> set_rlimits();
/// The version of Landlock's interface that was used.
[[nodiscard]] Result<int> restrict_files();
[[nodiscard]] Result<void> filter_calls(int socket);

}  // namespace dugnad::worker::cage
