// dugnad-cage: runs one stranger's module for one slot of a worker, locked in. Descriptor 3 is the worker; there is nothing else.
//
// Order matters: namespaces while there is one thread; V8, which opens and allocates what it needs; the locks; and only then a stranger's first
// byte. From there on V8, libwabt and zstd read hostile input, and each is taken to lose against it one day: the locks are what holds.
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "tasks/wasm/guest_pass.h"
#include "worker/cage/engine.h"
#include "worker/cage/launcher_wire.h"
#include "worker/cage/limits.h"
#include "worker/cage/lockdown.h"
#include "worker/cage/outgoing.h"
#include "worker/cage/unpack.h"

namespace dugnad::worker::cage {
namespace {

constexpr std::size_t load_head_bytes = 9;  // memory, and whether fuel is counted

ByteView within(ByteView text) { return text.first(std::min(text.size(), limits::text_bytes_max)); }

class Cage {
 public:
  Cage(Engine& engine, Outgoing& out) : engine_(engine), out_(out) {}

  /// Until the worker goes, or says what no worker says.
  void serve() {
    while (!reader_.broken()) {
      auto frame = reader_.next();
      if (!frame) {
        if (!read_some()) return;
        continue;
      }
      if (!take(*frame)) return;
    }
  }

 private:
  bool read_some() {
    out_.flush();  // the worker is waiting, or will be
    static std::array<std::uint8_t, 64 << 10> part;
    ssize_t got = 0;
    while ((got = ::read(cage_socket, part.data(), part.size())) < 0 && errno == EINTR) {
    }
    if (got <= 0) return false;
    reader_.feed(ByteView(part).first(static_cast<std::size_t>(got)));
    return true;
  }

  bool take(const Frame& frame) {
    switch (frame.kind) {
      case Kind::load: return load(frame.body);
      case Kind::unit: return run(frame.body);
      case Kind::check: return check(frame.body);
      case Kind::hello:
      case Kind::loaded:
      case Kind::refused:
      case Kind::result: break;
    }
    return false;
  }

  bool load(ByteView body) {
    if (loaded_ || body.size() < load_head_bytes) return false;
    const tasks::wasm::GuestLimits limits{.memory_bytes = u64_at(body), .fuel = body[8] != 0};
    const Result<void> compiled = compile(body.subspan(load_head_bytes), limits);
    loaded_ = compiled.ok();
    ::malloc_trim(0);
    if (loaded_) out_.add(Kind::loaded, {});
    else out_.add(Kind::refused, within(view_of(compiled.error().message)));
    out_.flush();
    return loaded_;
  }

  Result<void> compile(ByteView packed, const tasks::wasm::GuestLimits& limits) {
    const auto raw = unpack(packed, limits::module_raw_max);
    if (!raw) return raw.error();
    const auto guest = tasks::wasm::prepare(*raw, limits);
    if (!guest) return guest.error();
    has_check_ = guest->has_check;
    return engine_.load(*guest);
  }

  bool run(ByteView body) {
    if (!loaded_ || body.size() < sizeof(std::uint64_t)) return false;
    return say(engine_.run(body.subspan(sizeof(std::uint64_t)), u64_at(body)));
  }

  bool check(ByteView body) {
    const auto wanted = check_of(body);
    if (!loaded_ || !wanted) return false;
    if (!has_check_) return say({Outcome::donor_fault, to_bytes("the module has no check")});
    return say(engine_.check(wanted->input, wanted->claimed, wanted->fuel));
  }

  bool say(const UnitOutcome& ran) {
    const std::array head{static_cast<std::uint8_t>(ran.outcome)};
    out_.add(Kind::result, head, ran.outcome == Outcome::ok ? ByteView(ran.output) : within(ran.output));
    return true;
  }

  Engine& engine_;
  Outgoing& out_;
  FrameReader reader_{FrameReader::Side::cage};
  bool loaded_ = false;
  bool has_check_ = false;
};

/// Where a processor has protection keys, V8 would guard its code by one, through a system call that the filter refuses. With none left for it, it
/// uses mprotect, as it does on every other processor.
void take_protection_keys() {
  constexpr int keys_most = 16;
  for (int taken = 0; taken < keys_most && ::pkey_alloc(0, 0) >= 0;) ++taken;
}

int serve() {
  const Namespaces namespaces = enter_namespaces();
  auto& out = *new Outgoing(cage_socket);
  const auto hello = [&out](bool locked, const std::string& text) {
    out.add(Kind::hello, std::array<std::uint8_t, 1>{locked}, within(view_of(text)));
    out.flush();
  };
  // One arena: a second would reserve addresses that nobody uses.
  ::mallopt(M_ARENA_MAX, 1);
  take_protection_keys();
  auto engine = Engine::start();
  if (!engine) return hello(false, engine.error().message), 1;
  const auto locked = lock_down(cage_socket, namespaces);
  if (!locked) return hello(false, locked.error().message), 1;
  hello(true, *locked);
  Cage(**engine, out).serve();
  // At once: V8 has nothing to put in order, and its end would ask for more than the filter lets it.
  ::_exit(0);
}

}  // namespace
}  // namespace dugnad::worker::cage

int main() { return dugnad::worker::cage::serve(); }
