#include "worker/held_jobs.h"

#include <sstream>

#include "worker/control_socket.h"

namespace dugnad::worker {

std::string encode(const std::vector<core::HeldJob>& jobs) {
  std::string text;
  for (const core::HeldJob& job : jobs) {
    text += (text.empty() ? "" : ";") + job.job.hex() + " " + std::to_string(job.units) + " " + std::to_string(job.units_done) +
            (job.leads ? " leads" : " follows");
  }
  return text;
}

Result<std::vector<core::HeldJob>> decode_held_jobs(std::string_view text) {
  std::vector<core::HeldJob> jobs;
  std::istringstream all{std::string(text)};
  for (std::string one; std::getline(all, one, ';');) {
    std::istringstream words(one);
    std::string id, what, rest;
    core::HeldJob job;
    words >> id >> job.units >> job.units_done >> what;
    const auto name = JobId::from_hex(id);
    if (!words || !name || (words >> rest) || (what != "leads" && what != "follows")) return Error{"the worker's answer makes no sense"};
    job.job = *name;
    job.leads = what == "leads";
    jobs.push_back(job);
  }
  return jobs;
}

Result<std::vector<core::HeldJob>> ask_held_jobs(const std::string& data_dir) {
  const std::string path = control_path(data_dir);
  const Asked asked = ask(path, {"held"});
  if (asked.answer && asked.answer->ok) return decode_held_jobs(asked.answer->text);
  if (asked.answer) return Error{"the worker of this data directory does not say what it holds: " + asked.answer->text};
  if (asked.why_not == NotAsked::trouble) return Error{asked.reason};
  return Error{"no worker is running in this data directory (" + path + ")"};
}

}  // namespace dugnad::worker
