// Dossiers from where they are: a job's evidence in the journal, or a file that somebody exported.
#pragma once

#include <string>

#include "coordinatorless/core/dossier.h"
#include "sdk/cli/journal.h"

namespace dugnad::sdk::cli {

/// An error where the job was submitted by a version that kept no evidence.
[[nodiscard]] Result<core::Dossier> dossier_of(const Journal& journal, const KnownJob& job);

/// A file that may come from anybody. An error in one line.
[[nodiscard]] Result<core::Dossier> read_dossier(const std::string& path, Crypto& verifier);

/// Signed with the owner's key of the journal's data directory; the file appears under its name complete or not at all. Its size in bytes.
[[nodiscard]] Result<std::size_t> write_dossier(const core::Dossier& dossier, const std::string& path, const Journal& journal);

}  // namespace dugnad::sdk::cli
