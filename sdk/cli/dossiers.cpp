#include "sdk/cli/dossiers.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/store/data_dir.h"
#include "coordinatorless/store/files.h"
#include "coordinatorless/store/keys.h"
#include "sdk/cli/report.h"
#include "sdk/read_file.h"

namespace dugnad::sdk::cli {

Result<core::Dossier> dossier_of(const Journal& journal, const KnownJob& job) {
  const JobId& id = job.stored.job;
  auto papers = journal.papers(id);
  if (!papers) return papers.error();
  if (!*papers) return Error{"job " + brief(id.hex()) + " was submitted by a version of dugnad that kept no evidence"};
  auto summary = journal.summary(id);
  if (!summary) return summary.error();
  auto accepted = journal.accepted(id);
  if (!accepted) return accepted.error();
  auto evidence = journal.evidence(id);
  if (!evidence) return evidence.error();
  PapersRow& row = **papers;
  return core::Dossier{{row.swarm,
                        {job.stored.manifest, row.manifest_signature},
                        {std::move(row.delegation), row.delegation_signature},
                        job.stored.recipe,
                        summary->value_or(Bytes{})},
                       core::accepted_claims(*accepted),
                       *std::move(evidence)};
}

Result<core::Dossier> read_dossier(const std::string& path, Crypto& verifier) {
  const auto bytes = read_file(path, core::limits::evidence_file_max);
  if (!bytes) return bytes.error();
  auto dossier = core::decode_dossier(*bytes, verifier);
  if (!dossier) return Error{"cannot audit " + path + ": " + dossier.error().message};
  return dossier;
}

Result<std::size_t> write_dossier(const core::Dossier& dossier, const std::string& path, const Journal& journal) {
  const auto cannot = [&](const std::string& reason) { return Error{"cannot write " + path + ": " + reason}; };
  const auto dir = store::DataDir::open_for_reading(journal.data());
  if (!dir) return dir.error();
  const auto keys = store::load_or_make_keys(dir->file("owner.key"));
  if (!keys) return keys.error();
  const auto manifest = core::decode_manifest(dossier.papers.manifest.body);
  if (!manifest || manifest->owner != public_key_of(*keys)) return cannot("the job belongs to another owner key than the one here");
  const auto file = core::encode(dossier, *make_sodium(*keys));
  if (!file) return cannot(file.error().message);
  const std::string part = path + ".part";
  bool written = false;
  {
    const store::Descriptor fd(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    written = fd.valid() && store::write_all(fd.get(), *file);
  }
  if (!written || std::rename(part.c_str(), path.c_str()) != 0) {
    const int error = errno;
    std::remove(part.c_str());
    return cannot(store::reason_of(error));
  }
  return file->size();
}

}  // namespace dugnad::sdk::cli
