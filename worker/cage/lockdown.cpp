#include "worker/cage/lockdown.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace dugnad::worker::cage {
namespace {

Error failed(const char* layer) { return Error{std::string(layer) + ": " + std::strerror(errno)}; }

// --- Privileges ---

/// An id that nothing else on the machine has, and that no two cages share, so that one cannot even signal another. A container may not have
/// so high an id; then `nobody`.
Result<void> leave_root() {
  constexpr uid_t nobody = 65534;
  const uid_t own = 0x40000000u + static_cast<uid_t>(::getpid());
  if (::setgroups(0, nullptr) != 0) return failed("giving up root's groups");
  for (const uid_t id : {own, nobody}) {
    if (::setresgid(id, id, id) == 0 && ::setresuid(id, id, id) == 0) return {};
  }
  return failed("giving up root");
}

Result<void> drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) return failed("dropping capabilities");
  return {};
}

// --- Landlock ---

// Debian 12's header knows version 2. As the kernel's documentation has it; each version reads as much of it as it knows.
struct LandlockRules {
  std::uint64_t files = 0;   // version 1
  std::uint64_t ports = 0;   // version 4
  std::uint64_t scoped = 0;  // version 6
};

LandlockRules all_rights(int version) {
  LandlockRules rules;
  const int file_rights = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;
  rules.files = (std::uint64_t{1} << file_rights) - 1;
  if (version >= 4) rules.ports = 0b11;   // bind, connect
  if (version >= 6) rules.scoped = 0b11;  // abstract sockets, signals
  return rules;
}

std::size_t bytes_known_to(int version) {
  if (version >= 6) return sizeof(LandlockRules);
  return version >= 4 ? 2 * sizeof(std::uint64_t) : sizeof(std::uint64_t);
}

}  // namespace

Namespaces enter_namespaces() {
  constexpr int inner = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWCGROUP;
  // Root needs no user namespace, and keeps the right to change its id without one.
  const int wanted = ::geteuid() == 0 ? inner : inner | CLONE_NEWUSER;
  if (::unshare(wanted) != 0) return {false, std::string("no namespaces (") + std::strerror(errno) + ")"};
  // What is mounted in here, if anything ever could be, stays in here.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return {false, "namespaces, mounts shared"};
  return {true, "namespaces"};
}

Result<void> empty_the_root() {
  // Any directory will do to put the new root over; nobody outside sees it.
  constexpr unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const char* place = nullptr;
  for (const char* candidate : {"/proc", "/tmp", "/dev", "/usr"}) {
    if (place == nullptr && ::mount("none", candidate, "tmpfs", flags, "size=4k,nr_inodes=1,mode=0555") == 0) place = candidate;
  }
  if (place == nullptr || ::chdir(place) != 0) return failed("an empty root");
  // The old one comes to lie over the new one, and is then taken away.
  if (::syscall(SYS_pivot_root, ".", ".") != 0 || ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) return failed("an empty root");
  return {};
}

Result<void> drop_privileges() {
  if (::geteuid() == 0) {
    if (auto left = leave_root(); !left) return left;
  }
  if (auto dropped = drop_capabilities(); !dropped) return dropped;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no_new_privs");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failed("not dumpable");
  // Forgotten whenever the id changes, so that it is said here.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return failed("dying with the launcher");
  return {};
}

Result<void> set_rlimits() {
  // No RLIMIT_AS: V8 reserves gigabytes of addresses. The launcher has set RLIMIT_DATA, which is about memory that can be written.
  const struct {
    __rlimit_resource what;
    rlim_t most;
  } limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_FSIZE, 0}, {RLIMIT_NOFILE, 0}, {RLIMIT_NPROC, 0}, {RLIMIT_MEMLOCK, 0}, {RLIMIT_MSGQUEUE, 0}};
  for (const auto& limit : limits) {
    const rlimit both{limit.most, limit.most};
    if (::setrlimit(limit.what, &both) != 0) return failed("rlimits");
  }
  return {};
}

Result<int> restrict_files() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return failed("Landlock");
  const LandlockRules rules = all_rights(static_cast<int>(version));
  const long ruleset = ::syscall(SYS_landlock_create_ruleset, &rules, bytes_known_to(static_cast<int>(version)), 0);
  if (ruleset < 0) return failed("Landlock");
  // No rule is added: what is handled is refused everywhere.
  const long restricted = ::syscall(SYS_landlock_restrict_self, ruleset, 0);
  const int why = errno;
  ::close(static_cast<int>(ruleset));
  errno = why;
  if (restricted != 0) return failed("Landlock");
  return static_cast<int>(version);
}

Result<void> filter_calls(int socket) {
  // What is not named here is refused, not killed: the C library and V8 ask for a thing or two that they can do without, a later version or
  // another machine for others (the number of processors, a file that says how memory is given), and a killed process is a unit lost.
  const scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (filter == nullptr) return Error{"seccomp: no memory for the filter"};
  // V8's garbage collector and compiler, the C library's heap, the timer by which results leave in time, and the end.
  constexpr int allowed[] = {SCMP_SYS(munmap),       SCMP_SYS(mprotect),       SCMP_SYS(madvise),     SCMP_SYS(futex),
                             SCMP_SYS(exit),         SCMP_SYS(exit_group),     SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
                             SCMP_SYS(brk),          SCMP_SYS(clock_gettime),  SCMP_SYS(sched_yield), SCMP_SYS(getrandom),
                             SCMP_SYS(restart_syscall), SCMP_SYS(getpid),         SCMP_SYS(setitimer)};
  const auto one = static_cast<scmp_datum_t>(socket);
  // What neither ever asks for, in any version: whoever does has taken the process over, and gets no second try. An attack on the kernel itself
  // needs many; refused one by one, it could feel its way along for as long as a unit may take.
  constexpr int attacks[] = {
      // other programs and processes
      SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
      SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_getfd),
      SCMP_SYS(pidfd_send_signal), SCMP_SYS(kill), SCMP_SYS(kcmp),
      // sockets
      SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
      SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg),
      // other ids, other roots, other namespaces
      SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
      SCMP_SYS(setgroups), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(capset), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(chroot),
      SCMP_SYS(pivot_root), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(open_tree), SCMP_SYS(move_mount), SCMP_SYS(fsopen),
      SCMP_SYS(open_by_handle_at), SCMP_SYS(name_to_handle_at),
      // the kernel's widest doors
      SCMP_SYS(bpf), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(userfaultfd),
      SCMP_SYS(perf_event_open), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(init_module), SCMP_SYS(finit_module),
      SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(fanotify_init), SCMP_SYS(memfd_create), SCMP_SYS(modify_ldt), SCMP_SYS(iopl),
      SCMP_SYS(ioperm), SCMP_SYS(personality), SCMP_SYS(remap_file_pages), SCMP_SYS(vmsplice), SCMP_SYS(splice), SCMP_SYS(tee),
      SCMP_SYS(seccomp), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(acct), SCMP_SYS(quotactl)};
  int error = ::seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
  // System calls by another architecture's numbers, which no filter of ours would know.
  error = error != 0 ? error : ::seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  for (const int call : attacks) error = error != 0 ? error : ::seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0);
  for (const int call : allowed) error = error != 0 ? error : ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  for (const int call : {SCMP_SYS(read), SCMP_SYS(write)}) {
    error = error != 0 ? error : ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, SCMP_A0(SCMP_CMP_EQ, one));
  }
  // No file is ever mapped, nothing executable from the start, and nothing shared: RLIMIT_DATA would not count it.
  error = error != 0 ? error
                     : ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                                          SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS | MAP_TYPE, MAP_ANONYMOUS | MAP_PRIVATE));
  error = error != 0 ? error : ::seccomp_load(filter);
  ::seccomp_release(filter);
  if (error != 0) return Error{std::string("seccomp: ") + std::strerror(-error)};
  return {};
}

Result<std::string> lock_down(int socket, const Namespaces& namespaces) {
  // SCHED_IDLE needs no right to enter.
  const sched_param lowest{};
  if (::sched_setscheduler(0, SCHED_IDLE, &lowest) != 0) return failed("SCHED_IDLE");
  if (socket > 0 && ::syscall(SYS_close_range, 0U, static_cast<unsigned>(socket - 1), 0U) != 0) return failed("closing descriptors");
  if (::syscall(SYS_close_range, static_cast<unsigned>(socket + 1), ~0U, 0U) != 0) return failed("closing descriptors");
  std::string inside = namespaces.said;
  if (namespaces.own_mounts) {
    const auto emptied = empty_the_root();
    inside += emptied ? " with an empty root" : " with the machine's root (" + emptied.error().message + ")";
  }
  if (const auto dropped = drop_privileges(); !dropped) return dropped.error();
  // Landlock before the limits: it needs one descriptor for a moment.
  const auto landlock = restrict_files();
  if (!landlock) return landlock.error();
  if (const auto limited = set_rlimits(); !limited) return limited.error();
  if (const auto filtered = filter_calls(socket); !filtered) return filtered.error();
  return "seccomp, Landlock " + std::to_string(*landlock) + ", rlimits, no_new_privs, " + inside;
}

}  // namespace dugnad::worker::cage
