// Processes with a disk of their own, small enough to be full.
#pragma once

#include <string>

#include "tests/e2e/swarm.h"

namespace dugnad::e2e {

/// Mounting for one process alone needs them.
inline bool namespaces_here() {
  Process probe = finished({"/usr/bin/unshare", "-rm", "true"});
  return probe.exit_code() == 0;
}

/// `command` behind what gives it a file system of its own at `directory`, of `size` as mount takes it, that nobody else sees and that goes with it.
inline Words with_own_disk(const std::string& directory, const std::string& size, const std::string& prepare, const Words& command) {
  const std::string script = "mount -t tmpfs -o size=" + size + " tmpfs \"$0\" && { " + prepare + " ; } && exec \"$@\"";
  return Words{"/usr/bin/unshare", "-rm", "/bin/sh", "-c", script, directory} + command;
}

}  // namespace dugnad::e2e
