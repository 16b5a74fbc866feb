#include "sdk/job_lock.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

namespace dugnad::sdk {

Result<std::optional<JobLock>> JobLock::try_lock(const std::string& data_dir, const JobId& job) {
  const std::string path = data_dir + "/jobs.lock";
  // A descriptor of its own for each lock: locks of open file descriptions also keep two Swarms of one process apart.
  store::Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return Error{"cannot open " + path + ": " + store::reason_of(errno)};
  std::uint64_t place = 0;
  std::memcpy(&place, job.bytes.data(), sizeof place);
  struct flock byte {};
  byte.l_type = F_WRLCK;
  byte.l_whence = SEEK_SET;
  byte.l_start = static_cast<off_t>(place >> 2);  // an offset is signed, and its end must not overflow
  byte.l_len = 1;
  if (::fcntl(fd.get(), F_OFD_SETLK, &byte) == 0) return std::optional(JobLock(std::move(fd)));
  if (errno == EAGAIN || errno == EACCES) return std::optional<JobLock>();
  return Error{"cannot lock " + path + ": " + store::reason_of(errno)};
}

}  // namespace dugnad::sdk
