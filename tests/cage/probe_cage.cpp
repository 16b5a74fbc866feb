// A cage with an attacker in it: the same locks, and instead of V8 a program that does what it is told. It stands for a stranger's code that has
// taken V8 over. Each unit names an attack and comes back with what it led to; some units and modules attack the worker's protocol instead.
//   dugnad-cage [all|privileges|rlimits|namespaces|Landlock|seccomp]     which layers to lock; all, where a launcher starts it
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>

#include "worker/cage/launcher_wire.h"
#include "worker/cage/lockdown.h"
#include "worker/cage/wire.h"

namespace dugnad::worker::cage {
namespace {

using Attack = std::function<long()>;

long socket_of(int family, int type) { return ::syscall(SYS_socket, family, type, 0); }

/// Whether any of them can be had.
long any_socket() {
  for (int family = 0; family < 64; ++family) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_RDM}) {
      if (const long made = socket_of(family, type); made >= 0) return made;
    }
  }
  return -1;
}

#if defined(__x86_64__)
/// Runs these bytes as a function; its result as a system call's is.
template <std::size_t count>
long machine_code(const unsigned char (&code)[count]) {
  void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return -1;
  std::memcpy(page, code, count);
  if (::mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) return -1;
  const long got = reinterpret_cast<long (*)()>(page)();
  ::munmap(page, 4096);
  if (got >= 0) return got;
  errno = static_cast<int>(-got);
  return -1;
}

constexpr unsigned char ask_who[] = {0xb8, SYS_getuid, 0, 0, 0, 0x0f, 0x05, 0xc3};        // mov eax, getuid; syscall; ret
constexpr unsigned char ask_as_32_bit[] = {0xb8, 24, 0, 0, 0, 0xcd, 0x80, 0x48, 0x98, 0xc3};  // mov eax, getuid of i386; int 0x80; cdqe; ret
#endif

const std::map<std::string, Attack>& attacks() {
  static char buffer[64];
  static const std::map<std::string, Attack> all{
      {"read a file", [] { return ::syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }},
      {"write a file", [] { return ::syscall(SYS_openat, AT_FDCWD, "/tmp/dugnad-probe-was-here", O_CREAT | O_WRONLY, 0600); }},
      {"read a directory", [] { return ::syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY); }},
      {"read /proc", [] { return ::syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY); }},
      {"write its own memory file", [] { return ::syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR); }},
      {"remove a file", [] { return ::syscall(SYS_unlink, "/tmp/dugnad-probe-was-here"); }},
      {"make a directory", [] { return ::syscall(SYS_mkdir, "/tmp/dugnad-probe-was-here", 0700); }},
      {"a TCP socket", [] { return socket_of(AF_INET, SOCK_STREAM); }},
      {"a UDP socket", [] { return socket_of(AF_INET, SOCK_DGRAM); }},
      {"an IPv6 socket", [] { return socket_of(AF_INET6, SOCK_STREAM); }},
      {"a Unix socket", [] { return socket_of(AF_UNIX, SOCK_STREAM); }},
      {"a netlink socket", [] { return socket_of(AF_NETLINK, SOCK_RAW); }},
      {"a packet socket", [] { return socket_of(AF_PACKET, SOCK_RAW); }},
      {"a vsock socket", [] { return socket_of(AF_VSOCK, SOCK_STREAM); }},
      {"an ALG socket", [] { return socket_of(AF_ALG, SOCK_SEQPACKET); }},
      {"a socket of any family", [] { return any_socket(); }},
      {"look at a file", [] { return ::syscall(SYS_access, "/etc/passwd", F_OK); }},
      {"change a file's owner", [] { return ::syscall(SYS_chown, "/etc/passwd", -1, -1); }},
      {"go elsewhere", [] { return ::syscall(SYS_chdir, "/etc"); }},
      {"map executable memory", [] {
         return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1L : 0L; }},
#if defined(__x86_64__)
      {"machine code of its own", [] { return machine_code(ask_who); }},
      {"another architecture's system calls", [] { return machine_code(ask_as_32_bit); }},
#endif
      {"a socket pair", [] { int pair[2]; return ::syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair); }},
      {"a pipe", [] { int pair[2]; return ::syscall(SYS_pipe2, pair, 0); }},
      {"fork", [] { const long pid = ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); if (pid == 0) ::_exit(0); return pid; }},
      {"vfork", [] { const long pid = ::syscall(SYS_clone3, nullptr, 0); return pid; }},
      {"exec", [] { return ::syscall(SYS_execve, "/bin/true", nullptr, nullptr); }},
      {"signal its launcher", [] { return ::syscall(SYS_kill, ::getppid(), 0); }},
      {"signal everybody", [] { return ::syscall(SYS_kill, -1, 0); }},
      {"trace its launcher", [] { return ::syscall(SYS_ptrace, PTRACE_SEIZE, ::getppid(), 0, 0); }},
      {"be traced", [] { return ::syscall(SYS_ptrace, 0, 0, 0, 0); }},
      {"read another's memory", [] { iovec here{buffer, 8}, there{buffer, 8}; return ::syscall(SYS_process_vm_readv, 1, &here, 1, &there, 1, 0); }},
      {"map a file", [] { return reinterpret_cast<long>(::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, cage_socket, 0)) == -1 ? -1L : 0L; }},
      {"a file in memory", [] { return ::syscall(SYS_memfd_create, "x", 0); }},
      {"mount", [] { return ::syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, nullptr); }},
      {"new namespaces", [] { return ::syscall(SYS_unshare, CLONE_NEWUSER); }},
      {"another root", [] { return ::syscall(SYS_chroot, "/tmp"); }},
      {"bpf", [] { return ::syscall(SYS_bpf, 0, buffer, 64); }},
      {"io_uring", [] { return ::syscall(SYS_io_uring_setup, 1, buffer); }},
      {"userfaultfd", [] { return ::syscall(SYS_userfaultfd, 0); }},
      {"perf", [] { return ::syscall(SYS_perf_event_open, buffer, 0, -1, -1, 0); }},
      {"the keyring", [] { return ::syscall(SYS_keyctl, 0, -4, 1); }},
      {"a core dump", [] { return ::syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }},
      {"outlive its launcher", [] { return ::syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0); }},
      {"raise its limits", [] { const rlimit more{64, 64}; return ::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &more, nullptr); }},
      {"a better priority", [] { const sched_param none{}; return ::syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &none); }},
      {"become root", [] { return ::syscall(SYS_setuid, 0); }},
      {"write elsewhere", [] { return ::syscall(SYS_write, 1, "x", 1); }},
      {"read elsewhere", [] { return ::syscall(SYS_read, 0, buffer, 1); }},
      {"another descriptor", [] { return ::syscall(SYS_dup, cage_socket); }},
      {"the machine's name", [] { return ::syscall(SYS_uname, buffer) == 0 ? 0L : -1L; }},
      {"count processors", [] { return ::syscall(SYS_sched_getaffinity, 0, 64, buffer); }},
  };
  return all;
}

/// Results that wait for others, as the real cage's do; lost when it dies.
Bytes gathered;

void send_gathered() {
  for (std::size_t at = 0; at < gathered.size();) {
    const ssize_t written = ::write(cage_socket, gathered.data() + at, gathered.size() - at);
    if (written <= 0) ::_exit(1);
    at += static_cast<std::size_t>(written);
  }
  gathered.clear();
}

void say(Kind kind, ByteView head, ByteView tail = {}) {
  append_frame(gathered, kind, head, tail);
  send_gathered();
}

void answer(Outcome outcome, std::string_view text) {
  const Bytes first{static_cast<std::uint8_t>(outcome)};
  say(Kind::result, first, to_bytes(text));
}

std::string try_attack(const Attack& attack) {
  errno = 0;
  const long got = attack();
  return got >= 0 ? "done" : std::string("refused: ") + std::strerror(errno);
}

void take_half_a_second() {
  timespec start{}, now{};
  ::clock_gettime(CLOCK_MONOTONIC, &start);
  do {
    ::clock_gettime(CLOCK_MONOTONIC, &now);
  } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1'000'000 < 500);
}

void load(const std::string& module) {
  if (module == "dies when it is compiled") ::abort();
  if (module == "takes for ever") {
    for (volatile bool forever = true; forever;) {}
  }
  for (int i = 0; module == "takes three seconds" && i < 6; ++i) take_half_a_second();
  if (module == "is refused") return say(Kind::refused, to_bytes("it imports env.system"));
  if (module == "answers with something else") return say(Kind::hello, Bytes{1});
  say(Kind::loaded, {});
}

void run(const std::string& unit) {
  if (const auto attack = attacks().find(unit); attack != attacks().end()) return answer(Outcome::ok, try_attack(attack->second));
  if (unit == "list") {
    std::string names;
    for (const auto& [name, attack] : attacks()) names += name + '\n';
    return answer(Outcome::ok, names);
  }
  if (unit == "die") ::abort();
  if (unit == "loop") {
    for (volatile bool forever = true; forever;) {}
  }
  if (unit == "take memory") {
    // More than the launcher granted: the system refuses, or ends it.
    for (std::size_t taken = 0; taken < (std::size_t{4} << 30); taken += 1 << 20) {
      char* some = static_cast<char*>(std::malloc(1 << 20));
      if (some == nullptr) return answer(Outcome::donor_fault, "no memory after " + std::to_string(taken >> 20) + " MiB");
      std::memset(some, 1, 1 << 20);
    }
    return answer(Outcome::ok, "took it all");
  }
  if (unit.starts_with("gathered ")) return append_frame(gathered, Kind::result, Bytes{0}, to_bytes(unit));
  if (unit == "half a frame, and no more") {
    const Bytes half(3, 0);
    if (::write(cage_socket, half.data(), half.size()) < 0) ::_exit(1);
    for (volatile bool forever = true; forever;) {}
  }
  if (unit == "babble") {
    const Bytes junk(64, 0xff);
    if (::write(cage_socket, junk.data(), junk.size()) < 0) ::_exit(1);
    return;
  }
  if (unit == "claim an unknown outcome") return say(Kind::result, Bytes{9});
  if (unit == "claim to be cancelled") return say(Kind::result, Bytes{static_cast<std::uint8_t>(Outcome::cancelled)});
  if (unit == "a reason without end") return say(Kind::result, Bytes{static_cast<std::uint8_t>(Outcome::failed)}, Bytes(100'000, 'x'));
  if (unit == "load again") return say(Kind::loaded, {});
  if (unit == "take half a second") take_half_a_second();
  if (unit == "who") return answer(Outcome::ok, std::to_string(::getpid()));
  answer(Outcome::ok, unit);
}

/// An attack that succeeds, where a test leaves it only one layer to get past, must not reach the machine: whatever is mounted stays here.
void keep_mounts_here() {
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(3);
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(3);
}

Result<std::string> lock(const std::string& layer) {
  const auto alone = [](auto applied) -> Result<std::string> {
    if (!applied) return applied.error();
    return std::string("alone");
  };
  if (layer != "all" && layer != "namespaces") keep_mounts_here();
  if (layer == "privileges") return alone(drop_privileges());
  if (layer == "rlimits") return alone(set_rlimits());
  if (layer == "Landlock") return alone(restrict_files());
  if (layer == "seccomp") return alone(filter_calls(cage_socket));
  const Namespaces namespaces = enter_namespaces();
  if (layer != "namespaces") return lock_down(cage_socket, namespaces);
  if (!namespaces.own_mounts) return Error{namespaces.said};
  return alone(empty_the_root());
}

int serve(const std::string& layer) {
  const auto locked = lock(layer);
  const Bytes whether{locked ? std::uint8_t{1} : std::uint8_t{0}};
  say(Kind::hello, whether, to_bytes(locked ? *locked : locked.error().message));
  FrameReader reader(FrameReader::Side::cage);
  for (;;) {
    send_gathered();
    std::uint8_t part[4096];
    const ssize_t got = ::read(cage_socket, part, sizeof part);
    if (got <= 0) return 0;
    reader.feed(ByteView(part, static_cast<std::size_t>(got)));
    while (const auto frame = reader.next()) {
      if (frame->kind == Kind::load) load(to_text(ByteView(frame->body).subspan(9)));
      else run(to_text(ByteView(frame->body).subspan(8)));
    }
  }
}

}  // namespace
}  // namespace dugnad::worker::cage

int main(int count, char** arguments) { return dugnad::worker::cage::serve(count > 1 ? arguments[1] : "all"); }
