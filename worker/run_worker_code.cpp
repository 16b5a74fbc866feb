#include "worker/run_worker_code.h"

namespace dugnad::worker {
namespace {

std::string whose(const Allow& allow) {
  if (allow.any || !allow.given) return "anybody's programs";
  return "the programs of " + std::to_string(allow.owners.size()) + (allow.owners.size() == 1 ? " owner" : " owners");
}

}  // namespace

Result<AdmittedCode> admit_code(const Allow& allow) {
  AdmittedCode admitted;
  if (allow.given && !allow.modules()) {
    admitted.said = "runs built-in tasks alone, as --allow builtin says";
    return admitted;
  }
  auto launcher = Launcher::start();
  const Result<std::string> layers = launcher ? (*launcher)->check() : Result<std::string>(launcher.error());
  if (!layers) {
    const std::string& reason = layers.error().message;
    if (allow.given) return Error{"no cage for strangers' programs here: " + reason + "; --allow builtin donates without them"};
    admitted.said = "runs built-in tasks alone, since there is no cage for strangers' programs here: " + reason;
    return admitted;
  }
  admitted.said = "runs " + whose(allow) + " too, caged: " + *layers;
  admitted.policy.modules = true;
  admitted.policy.any = allow.any || !allow.given;
  admitted.policy.owners = allow.owners;
  admitted.launcher = *std::move(launcher);
  return admitted;
}

}  // namespace dugnad::worker
