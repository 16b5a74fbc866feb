#include "tests/bench/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace dugnad::bench {
namespace {

namespace fs = std::filesystem;

constexpr int silence_most_milliseconds = 600'000;  // attempts, and what runs beside them, give way to whatever else the machine does

fs::path own_folder() { return fs::read_symlink("/proc/self/exe").parent_path(); }

}  // namespace

void give_up(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  std::exit(EXIT_FAILURE);
}

Child::Child(const std::string& program, std::vector<std::string> arguments) : name_(program) {
  const std::string path = own_folder() / program;
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) give_up(std::string("no pipe: ") + std::strerror(errno));
  std::vector<char*> argv = {const_cast<char*>(path.c_str())};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) give_up("cannot start " + path + ": " + std::strerror(errno));
  if (pid_ == 0) {
    // Only what may be called in the child of a program with threads. A benchmark that is interrupted leaves nobody behind.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(EXIT_FAILURE);
    ::dup2(pipe[1], STDOUT_FILENO);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDERR_FILENO);
    ::execv(path.c_str(), argv.data());
    ::_exit(EXIT_FAILURE);  // the parent finds that there is nothing to read
  }
  ::close(pipe[1]);
  output_ = pipe[0];
}

Child::~Child() {
  ::kill(pid_, SIGTERM);
  ::close(output_);
  ::waitpid(pid_, nullptr, 0);
}

std::string Child::read_line() {
  while (true) {
    if (const auto end = unread_.find('\n'); end != unread_.npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    pollfd readable = {output_, POLLIN, 0};
    if (::poll(&readable, 1, silence_most_milliseconds) == 0) give_up(name_ + " says nothing");
    char chunk[4096];
    const ssize_t length = ::read(output_, chunk, sizeof chunk);
    if (length <= 0) give_up(name_ + " has ended before its time");
    unread_.append(chunk, static_cast<std::size_t>(length));
  }
}

Memory memory_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/smaps_rollup");
  Memory memory;
  std::string line;
  while (std::getline(file, line)) {
    char name[64];
    double kilobytes = 0;
    if (std::sscanf(line.c_str(), "%63s %lf kB", name, &kilobytes) != 2) continue;
    const std::string field = name;
    if (field == "Rss:") memory.resident = kilobytes * 1024;
    if (field == "Pss:") memory.proportional = kilobytes * 1024;
    if (field == "Private_Clean:" || field == "Private_Dirty:") memory.own += kilobytes * 1024;
  }
  return memory;
}

double cpu_seconds_of(pid_t process) {
  double nanoseconds = 0;
  std::error_code gone;
  for (const auto& thread : fs::directory_iterator("/proc/" + std::to_string(process) + "/task", gone)) {
    std::ifstream file(thread.path() / "schedstat");
    double running = 0;
    if (file >> running) nanoseconds += running;
  }
  return nanoseconds * 1e-9;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string path = fs::temp_directory_path() / "dugnad-bench-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) give_up("no temporary directory: " + path);
  path_ = path;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void let_pass(std::chrono::milliseconds time) { ::poll(nullptr, 0, static_cast<int>(time.count())); }

}  // namespace dugnad::bench
