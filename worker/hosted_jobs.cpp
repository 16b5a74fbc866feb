#include "worker/hosted_jobs.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace dugnad::worker {
namespace {

constexpr int order_makes_no_sense = 2;                       // `dugnad`'s exit code for bad usage
constexpr auto lived_long = std::chrono::minutes(1);          // its end is then an accident, and it is back soon
constexpr auto start_failed_pause = std::chrono::seconds(5);  // no process, no descriptor: the machine is short of them

void send_signal(int process, int signal) { ::syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0); }

/// The exit status where it has ended.
std::optional<int> ended(pid_t process) {
  int status = 0;
  const pid_t found = ::waitpid(process, &status, WNOHANG);
  if (found == 0 || (found < 0 && errno == EINTR)) return std::nullopt;
  return found < 0 ? 0 : status;
}

class SpawnPlan {
 public:
  explicit SpawnPlan(const std::string& log) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    // A group of its own: Ctrl-C in the worker's terminal is the worker's, which passes it on once.
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  /// 0, or why not.
  [[nodiscard]] int spawn(pid_t& process, std::vector<std::string> words) const {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    return ::posix_spawn(&process, arguments[0], &actions_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

Result<std::string> find_dugnad() {
  std::string own(4096, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", own.data(), own.size());
  own.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  for (const std::string& place : {own.substr(0, own.rfind('/')), std::string(DUGNAD_BIN_DIR)}) {
    const std::string program = place + "/dugnad";
    if (!place.empty() && ::access(program.c_str(), X_OK) == 0) return program;
  }
  return Error{"dugnad, which would run the job, is neither beside the worker's program nor in " DUGNAD_BIN_DIR};
}

HostedJobs::HostedJobs(HostedOptions options) : options_(std::move(options)), orders_(options_.data_dir) {}

HostedJobs::~HostedJobs() { end_at_once({}); }

void HostedJobs::look() {
  for (const JobId& job : orders_.all()) {
    const auto known = std::find_if(hosted_.begin(), hosted_.end(), [&](const Hosted& each) { return each.job == job; });
    if (known == hosted_.end()) {
      hosted_.push_back({.job = job});
    } else if (known->process < 0) {
      known->pause = {};  // somebody wants it now
      known->not_before = {};
    }
  }
  start_due();
}

void HostedJobs::turn() {
  reap();
  start_due();
}

void HostedJobs::watched(std::vector<pollfd>& all) const {
  for (const Hosted& hosted : hosted_) {
    if (hosted.process >= 0) all.push_back({hosted.ended, POLLIN, 0});
  }
}

int HostedJobs::milliseconds_left() const {
  if (leaving_) return -1;
  std::size_t running = 0;
  auto next = Clock::time_point::max();
  for (const Hosted& hosted : hosted_) {
    if (hosted.process >= 0)
      ++running;
    else
      next = std::min(next, hosted.not_before);
  }
  // Where all places are taken, the next end of one is the next that happens.
  if (next == Clock::time_point::max() || running >= options_.running_max) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void HostedJobs::leave() {
  leaving_ = true;
  for (const Hosted& hosted : hosted_) {
    if (hosted.process >= 0) send_signal(hosted.ended, SIGTERM);
  }
}

bool HostedJobs::any_running() const {
  return std::any_of(hosted_.begin(), hosted_.end(), [](const Hosted& hosted) { return hosted.process >= 0; });
}

void HostedJobs::end_at_once(std::chrono::milliseconds patience) {
  leave();
  const auto until = Clock::now() + patience;
  for (Hosted& hosted : hosted_) {
    if (hosted.process < 0) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd ends{hosted.ended, POLLIN, 0};
    if (::poll(&ends, 1, static_cast<int>(std::max<std::int64_t>(0, left))) != 1) send_signal(hosted.ended, SIGKILL);
    while (::waitpid(hosted.process, nullptr, 0) < 0 && errno == EINTR) {}
    ::close(hosted.ended);
    hosted.process = hosted.ended = -1;
  }
}

void HostedJobs::start_due() {
  if (leaving_) return;
  auto running =
      static_cast<std::size_t>(std::count_if(hosted_.begin(), hosted_.end(), [](const Hosted& each) { return each.process >= 0; }));
  std::erase_if(hosted_, [&](Hosted& hosted) {
    if (hosted.process >= 0 || hosted.not_before > Clock::now() || running >= options_.running_max) return false;
    if (!start(hosted)) return true;
    if (hosted.process >= 0) ++running;
    return false;
  });
}

bool HostedJobs::start(Hosted& hosted) {
  auto arguments = orders_.get(hosted.job);
  if (!arguments) {
    const bool damaged = orders_.has(hosted.job);
    orders_.remove(hosted.job);
    if (damaged) say(hosted.job, "cannot be run: its order is damaged; submit it again");
    return false;
  }
  // The process that it must not outlive is told, so that it can see whether that has gone already.
  std::vector<std::string> words{options_.program, "submit",          "--resume", hosted.job.hex(),
                                 "--data",         options_.data_dir, "--hosted", std::to_string(::getpid())};
  words.insert(words.end(), arguments->begin(), arguments->end());
  pid_t process = -1;
  int error = SpawnPlan(orders_.log_of(hosted.job)).spawn(process, std::move(words));
  if (error == 0) {
    hosted.ended = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
    if (hosted.ended < 0) {
      error = errno;
      ::kill(process, SIGKILL);
      while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {}
    }
  }
  if (error != 0) {
    say(hosted.job, std::string("cannot be started: ") + std::strerror(error));
    hosted.not_before = Clock::now() + start_failed_pause;
    return true;
  }
  hosted.process = process;
  hosted.since = Clock::now();
  say(hosted.job, "runs here");
  return true;
}

void HostedJobs::reap() {
  std::erase_if(hosted_, [this](Hosted& hosted) {
    if (hosted.process < 0) return false;
    const auto status = ended(hosted.process);
    if (!status) return false;
    ::close(hosted.ended);
    hosted.process = hosted.ended = -1;
    return !after_end(hosted, *status);
  });
}

bool HostedJobs::after_end(Hosted& hosted, int status) {
  if (!orders_.has(hosted.job)) {
    say(hosted.job, "has ended");
    return false;
  }
  if (leaving_) return true;
  if (WIFEXITED(status) && WEXITSTATUS(status) == order_makes_no_sense) {
    orders_.remove(hosted.job);
    say(hosted.job, "cannot be run; " + orders_.log_of(hosted.job) + " says why");
    return false;
  }
  const bool accident = Clock::now() - hosted.since >= lived_long || hosted.pause.count() == 0;
  hosted.pause = accident ? options_.first_pause : std::min(2 * hosted.pause, options_.longest_pause);
  hosted.not_before = Clock::now() + hosted.pause;
  say(hosted.job, "was interrupted, and is taken up again in " + std::to_string(hosted.pause.count()) + " ms; " +
                      orders_.log_of(hosted.job) + " says why");
  return true;
}

void HostedJobs::say(const JobId& job, const std::string& what) const {
  if (options_.say) options_.say("job " + job.brief() + " " + what);
}

}  // namespace dugnad::worker
