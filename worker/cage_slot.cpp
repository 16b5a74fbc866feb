#include "worker/cage_slot.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "worker/cage/limits.h"

namespace dugnad::worker {
namespace {

using Clock = CagedProcess::Clock;

Ran because(Outcome outcome, std::string_view reason) { return {outcome, to_bytes(reason.substr(0, reason_max))}; }
Ran fault(std::string_view reason) { return because(Outcome::donor_fault, reason); }

std::uint64_t memory_of(const Guest& guest) { return guest.memory_bytes != 0 ? guest.memory_bytes : cage::limits::memory_default; }

}  // namespace

CageSlot::CageSlot(Launcher& launcher, std::chrono::milliseconds kept_time)
    : launcher_(launcher), kept_time_(kept_time), bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  DUGNAD_ASSERT(bell_ >= 0, "no descriptor to stop a unit with");
}

CageSlot::~CageSlot() { ::close(bell_); }

void CageSlot::stop(std::size_t index) {
  {
    const std::lock_guard lock(mutex_);
    stop_at_ = index;
  }
  (void)::eventfd_write(bell_, 1);
}

bool CageSlot::is_stopped(std::size_t index) {
  const std::lock_guard lock(mutex_);
  return stop_at_ == index;
}

void CageSlot::hush() {
  eventfd_t ignored;
  (void)::eventfd_read(bell_, &ignored);
}

void CageSlot::rest() {
  present_.process.reset();
  before_.process.reset();
}

void CageSlot::run(const Guest& guest, std::span<const ByteView> inputs, const Done& done, const Timing& timing,
                   std::span<const ByteView> claimed) {
  unsigned vain = 0;  // cages in a row that were gone before they finished a unit
  for (std::size_t next = 0; next < inputs.size();) {
    if (auto instead = prepare(guest, next, timing)) {
      const bool stopped = instead->outcome == Outcome::cancelled;
      const std::size_t until = stopped ? next + 1 : inputs.size();
      for (; next < until; ++next) done(next, *instead);
      continue;
    }
    const std::size_t before = next;
    if (timing) timing(next, true);
    died_ = false;
    drive(guest, inputs, claimed, next, done);
    if (next == before) continue;  // it is not known under which unit the cage died; the next drive finds out
    // Guests that kill every cage they get must not keep this machine starting cages.
    vain = died_ && next == before + 1 ? vain + 1 : 0;
    if (vain < cage::limits::starts_max) continue;
    for (; next < inputs.size(); ++next) done(next, fault("its cage died again and again"));
  }
  doubtful_until_ = 0;
  const std::lock_guard lock(mutex_);
  stop_at_.reset();
  hush();
}

Clock::time_point CageSlot::kept_until() const { return before_.process ? before_.used + kept_time_ : Clock::time_point::max(); }

bool CageSlot::find(const Loaded& wanted) {
  const auto now = Clock::now();
  if (now > kept_until()) before_.process.reset();
  const auto is_wanted = [&wanted](const Cage& cage) { return cage.process && cage.loaded == wanted; };
  if (!is_wanted(present_)) {
    const bool kept = present_.process && present_.loaded.memory_bytes <= cage::limits::kept_memory_max;
    if (is_wanted(before_)) {
      std::swap(present_, before_);
      if (!kept) before_.process.reset();
    } else if (kept) {
      before_ = std::exchange(present_, {});
    }
    if (kept) before_.used = now;
  }
  return is_wanted(present_) && present_.process->at_rest();
}

std::optional<Ran> CageSlot::prepare(const Guest& guest, std::size_t current, const Timing& timing) {
  if (is_stopped(current)) return Ran{Outcome::cancelled, {}};
  const Loaded wanted{guest.id, memory_of(guest), guest.fuel != 0};
  if (find(wanted)) return std::nullopt;
  if (timing) timing(current, false);
  present_.process.reset();
  const auto packed = guest.packed();
  if (!packed) return fault("its module is not here any more");
  if (packed->size() > cage::limits::module_packed_max) return because(Outcome::failed, "its module is above the limit of 32 MiB");
  auto spawned = launcher_.spawn(wanted.memory_bytes + cage::limits::headroom_bytes);
  if (!spawned) return fault(spawned.error().message);
  present_.process = std::make_unique<CagedProcess>(*spawned);
  if (const auto hello = present_.process->hello(); !hello) {
    present_.process.reset();
    return fault(hello.error().message);
  }
  auto refused = load(wanted, *packed, current);
  if (refused) present_.process.reset();
  return refused;
}

std::optional<Ran> CageSlot::load(const Loaded& wanted, const Bytes& packed, std::size_t current) {
  Bytes head = cage::u64_bytes(wanted.memory_bytes);
  head.push_back(wanted.fuel);
  Bytes frame;
  cage::append_frame(frame, cage::Kind::load, head, packed);
  present_.process->send(frame);
  const auto deadline = Clock::now() + cage::limits::load_time;
  for (;;) {
    cage::Frame said;
    switch (present_.process->wait(bell_, deadline, said)) {
      case CagedProcess::Event::woken:
        hush();
        if (is_stopped(current)) return Ran{Outcome::cancelled, {}};
        continue;
      case CagedProcess::Event::late: return fault("its module took too long to compile");
      case CagedProcess::Event::gone: return fault("the cage died while it compiled the module");
      case CagedProcess::Event::frame: break;
    }
    if (said.kind == cage::Kind::refused) return because(Outcome::failed, to_text(said.body));
    if (said.kind != cage::Kind::loaded) return fault("the cage broke its protocol");
    present_.loaded = wanted;
    return std::nullopt;
  }
}

void CageSlot::drive(const Guest& guest, std::span<const ByteView> inputs, std::span<const ByteView> claimed, std::size_t& next,
                     const Done& done) {
  Bytes frames;
  const Bytes fuel = cage::u64_bytes(guest.fuel);
  const std::size_t end = next < doubtful_until_ ? next + 1 : inputs.size();
  for (std::size_t i = next; i < end; ++i) {
    if (claimed.empty()) cage::append_frame(frames, cage::Kind::unit, fuel, inputs[i]);
    else cage::append_frame(frames, cage::Kind::check, cage::check_head(guest.fuel, inputs[i]), claimed[i]);
  }
  present_.process->send(frames);
  while (next < end) {
    cage::Frame said;
    const auto event = is_stopped(next) ? CagedProcess::Event::woken : present_.process->wait(bell_, kept_until(), said);
    if (event == CagedProcess::Event::late) {
      before_.process.reset();  // a unit may take hours, and what is kept may hold as much memory as one
      continue;
    }
    if (event == CagedProcess::Event::woken) {
      hush();
      if (!is_stopped(next)) continue;  // it came too late for another
      present_.process.reset();
      return done(next++, Ran{Outcome::cancelled, {}});
    }
    if (event == CagedProcess::Event::gone) {
      died_ = true;
      present_.process.reset();
      if (end - next > 1) {
        // Results that it gathered are lost with it, so the unit that killed it may be any of these: each is run alone until it shows.
        doubtful_until_ = end;
        return;
      }
      doubtful_until_ = 0;
      return done(next++, fault("its cage died"));
    }
    auto result = cage::result_of(said);
    if (!result) {
      present_.process.reset();
      return done(next++, fault("its cage broke its protocol"));
    }
    done(next++, Ran{result->outcome, std::move(result->output)});
  }
}

}  // namespace dugnad::worker
