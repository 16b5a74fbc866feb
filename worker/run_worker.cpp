#include "worker/run_worker.h"

#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "coordinatorless/zmq/clocks.h"
#include "worker/control_server.h"
#include "worker/held_jobs.h"
#include "worker/hosted_jobs.h"
#include "worker/node.h"
#include "worker/run_worker_code.h"
#include "worker/run_worker_options.h"

namespace dugnad::worker {
namespace {

/// From the signal to the end of the process, whatever a unit or the network is doing. The protocol takes four seconds at most, and its last
/// frames half a second.
constexpr Duration leave_within = std::chrono::milliseconds(4500);
constexpr auto hosted_patience = std::chrono::seconds(1);  // of a restart, beyond the time that everybody has to leave
constexpr int last_frames_milliseconds = 100;  // libzmq's thread has frames still, which exec would lose

// --- Log ---

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

Log make_log(bool as_json) {
  auto logger = spdlog::stderr_color_mt("dugnad-worker");
  if (!as_json) {
    logger->set_pattern("%H:%M:%S %^%l%$ %v");
    return [logger](LogLevel level, const std::string& line) { logger->log(level_of(level), line); };
  }
  // The message arrives as a JSON string, its quotes included.
  logger->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%v})");
  return [logger](LogLevel level, const std::string& line) {
    logger->log(level_of(level), nlohmann::json(line).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  };
}

int fail(const std::string& reason) {
  std::fprintf(stderr, "dugnad-worker: %s\n", reason.c_str());
  return EXIT_FAILURE;
}

// --- The process ---

unsigned processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int count = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : static_cast<int>(std::thread::hardware_concurrency());
  return count > 0 ? static_cast<unsigned>(count) : 1;
}

/// Of the machine; 0 where it does not say.
std::uint64_t memory_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) : 0;
}

/// An event descriptor with which the node's threads wake the first one.
class Bell {
 public:
  Bell() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { DUGNAD_ASSERT(fd_ >= 0, "no descriptor to wake the first thread with"); }
  ~Bell() { ::close(fd_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  void ring() const { (void)::eventfd_write(fd_, 1); }
  void silence() const {
    eventfd_t ignored;
    (void)::eventfd_read(fd_, &ignored);
  }
  [[nodiscard]] int descriptor() const { return fd_; }

 private:
  const int fd_;
};

/// The first thread: sleeps until a signal, the control socket or the node itself has something to say, or a hosted job ends.
class Worker {
 public:
  Worker(std::unique_ptr<Node> node, Log log, char** argv)
      : node_(std::move(node)), contact_(node_->contact()), data_dir_(node_->data_dir()), log_(std::move(log)), argv_(argv) {
    sigemptyset(&stopping_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&stopping_, signal);
    pthread_sigmask(SIG_BLOCK, &stopping_, &mask_before_);
    signals_ = ::signalfd(-1, &stopping_, SFD_CLOEXEC | SFD_NONBLOCK);
    DUGNAD_ASSERT(signals_ >= 0, "no descriptor to take signals with");
  }
  ~Worker() { ::close(signals_); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run() {
    const auto on_notice = [this](const core::Effect& effect) {
      if (std::holds_alternative<core::Departed>(effect)) departed_ = true, bell_.ring();
    };
    node_->start({.notice = on_notice, .link = {}, .stuck = [this](const std::string&) { stuck_ = true, bell_.ring(); }});
    open_control();
    begin_hosting();
    std::printf("ready %s\n", contact_.c_str());
    std::fflush(stdout);
    while (!closed_ || hosting()) turn();
    closing_.join();
  }

 private:
  void open_control() {
    auto control = ControlServer::open(control_path(node_->data_dir()), [this](const ControlRequest& asked) { return answer(asked); });
    if (control) {
      control_ = *std::move(control);
    } else {
      log_(LogLevel::warning, control.error().message + "; programs on this machine need --join");
    }
  }

  /// On the control socket's thread.
  ControlAnswer answer(const ControlRequest& asked) {
    if (asked.word == "contact") return {true, contact_};
    if (asked.word == "host") return answer_host(asked.argument);
    if (asked.word == "held") return {true, encode(node_->held_jobs())};
    return {false, "a worker does not know the word " + asked.word};
  }

  /// The job has an order: its process is started by the first thread.
  ControlAnswer answer_host(const std::string& argument) {
    const auto job = JobId::from_hex(argument);
    if (!job || !HostedOrders(data_dir_).has(*job)) return {false, "there is no order for that job in " + data_dir_ + "/hosted"};
    if (!dugnad_) return {false, dugnad_.error().message};
    host_asked_ = true;
    bell_.ring();
    return {true, {}};
  }

  /// What an earlier run hosted is taken up again.
  void begin_hosting() {
    if (dugnad_) {
      hosted_ = std::make_unique<HostedJobs>(HostedOptions{
          .data_dir = data_dir_, .program = *dugnad_, .say = [this](const std::string& line) { log_(LogLevel::info, line); }});
      hosted_->look();
    } else if (!HostedOrders(data_dir_).all().empty()) {
      log_(LogLevel::warning, "jobs wait in " + data_dir_ + "/hosted, and cannot be run: " + dugnad_.error().message);
    }
  }

  bool hosting() const { return hosted_ && hosted_->any_running(); }

  void turn() {
    std::vector<pollfd> watched{{signals_, POLLIN, 0}, {bell_.descriptor(), POLLIN, 0}};
    if (hosted_) hosted_->watched(watched);
    (void)::poll(watched.data(), watched.size(), milliseconds_left());
    if (leave_by_ != never && zmq::read_clocks().boot >= leave_by_) end_at_once();
    if (hosted_) hosted_->turn();
    if (watched[0].revents != 0) on_signal();
    if (watched[1].revents != 0) on_bell();
  }

  int milliseconds_left() const {
    if (leave_by_ == never) return hosted_ ? hosted_->milliseconds_left() : -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(leave_by_ - zmq::read_clocks().boot);
    return static_cast<int>(std::max<std::int64_t>(0, left.count()));
  }

  void on_signal() {
    signalfd_siginfo info;
    if (::read(signals_, &info, sizeof info) != sizeof info) return;
    if (leaving_for_good_) end_at_once();
    leaving_for_good_ = true;
    leave("stopping: what runs may finish, the rest is returned; a second signal stops at once");
  }

  void on_bell() {
    bell_.silence();
    if (host_asked_.exchange(false) && hosted_) hosted_->look();
    if (stuck_ && !restarting_) {
      restarting_ = true;
      leave("restarting, to be rid of that unit");
    }
    if (departed_ && !closing_.joinable()) {
      if (restarting_ && !leaving_for_good_) restart();
      // Closing waits for units that run, so it is done beside: this thread still keeps the time and takes the second signal.
      closing_ = std::thread([this] {
        node_.reset();
        closed_ = true;
        bell_.ring();
      });
    }
  }

  void leave(const char* why) {
    log_(LogLevel::info, why);
    control_.reset();
    if (hosted_) hosted_->leave();
    leave_by_ = zmq::read_clocks().boot + leave_within;
    node_->leave();
  }

  /// What is on disk is whole at any moment; what is not there yet, the swarm computes again.
  [[noreturn]] void end_at_once() {
    if (restarting_ && !leaving_for_good_) restart();
    std::fflush(nullptr);
    ::_exit(EXIT_SUCCESS);
  }

  /// The same program in the same process: all descriptors are closed on exec, the data directory's lock with them. Nothing is destroyed before,
  /// since that would wait for the very unit that does not stop.
  [[noreturn]] void restart() {
    if (hosted_) hosted_->end_at_once(hosted_patience);  // the program that comes would not know them for its own
    if (departed_) node_->wait();
    node_->store()->flush();
    ::poll(nullptr, 0, last_frames_milliseconds);
    std::fflush(nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    ::execv("/proc/self/exe", argv_);
    ::_exit(fail(std::string("cannot restart: ") + std::strerror(errno)));
  }

  std::unique_ptr<Node> node_;
  const std::string contact_;
  const std::string data_dir_;
  const Result<std::string> dugnad_ = find_dugnad();
  const Log log_;
  char** const argv_;

  sigset_t stopping_;
  sigset_t mask_before_;
  int signals_ = -1;
  Bell bell_;
  std::atomic<bool> departed_{false};  // set by the protocol's thread
  std::atomic<bool> stuck_{false};     // by the executor's watchdog
  std::atomic<bool> closed_{false};    // by closing_
  std::atomic<bool> host_asked_{false};  // by the control socket's thread

  BootTime leave_by_ = never;
  bool leaving_for_good_ = false;
  bool restarting_ = false;
  std::thread closing_;
  std::unique_ptr<HostedJobs> hosted_;
  std::unique_ptr<ControlServer> control_;  // the first to go, since its thread calls this object
};

NodeOptions node_options(const WorkerOptions& given, const tasks::TaskTable& tasks, const AdmittedCode& code, Log log) {
  const Allowance allowance = allowance_of(given.preferences, {processors(), memory_bytes()});
  core::CodePolicy policy = code.policy;
  policy.memory_bytes = std::min(allowance.unit_memory_bytes, core::limits::memory_bytes_max);
  return {.swarm = given.swarm,
          .swarm_secret = given.swarm_secret,
          .listen = given.listen,
          .advertise = given.advertise,
          .join = given.join,
          .data = given.data,
          .role = "worker",
          .role_most = 1,
          .journal = true,
          .steward_bytes = given.steward,
          .donates = allowance.slots > 0,
          .slots = allowance.slots,
          .tasks = tasks,
          .code = std::move(policy),
          .launcher = code.launcher.get(),
          .upload_per_second = given.upload,
          .download_per_second = given.download,
          .cache_bytes = given.cache,
          .log = std::move(log)};
}

}  // namespace

int run_worker(int argc, char** argv, const tasks::TaskTable& tasks) {
  auto parsed = parse_worker_options(argc, argv, tasks);
  if (const auto* exit = std::get_if<ExitNow>(&parsed)) return exit->code;
  const auto& options = std::get<WorkerOptions>(parsed);

  // A donor is a guest: threads that share two heaps instead of one each keep an idle worker small.
  ::mallopt(M_ARENA_MAX, 2);
  ::signal(SIGPIPE, SIG_IGN);  // whoever reads the log may go

  const Log log = make_log(options.log_json);
  const auto code = admit_code(options.allow);
  if (!code) return fail(code.error().message);
  auto node = Node::open(node_options(options, tasks, *code, log));
  if (!node) return fail(node.error().message);
  log(LogLevel::info, code->said);
  if (code->launcher) code->launcher->on_death([log](const std::string& line) { log(LogLevel::warning, line); });
  Worker(*std::move(node), log, argv).run();
  return EXIT_SUCCESS;
}

}  // namespace dugnad::worker
