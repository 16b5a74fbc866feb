#include "worker/cage/wasi_answers.h"

#include <algorithm>

#include "coordinatorless/base/hash.h"

namespace dugnad::worker::cage {
namespace {

constexpr std::uint8_t filetype_unknown = 0;  // what a pipe is in preview 1; a character device would be taken for a terminal
constexpr std::uint64_t right_fd_read = 1u << 1;
constexpr std::uint64_t right_fd_write = 1u << 6;
constexpr std::uint64_t right_filestat_get = 1u << 21;
constexpr std::uint64_t right_poll = 1u << 27;
constexpr std::uint64_t clocks = 4;  // realtime, monotonic, process and thread: all the same here

/// The memory that vector number `i` of the list at `vectors` names.
std::optional<std::span<std::uint8_t>> vector_at(const GuestMemory& memory, std::uint64_t vectors, std::uint64_t i) {
  const auto begin = memory.read<std::uint32_t>(vectors + 8 * i);
  const auto length = memory.read<std::uint32_t>(vectors + 8 * i + 4);
  if (!begin || !length) return std::nullopt;
  return memory.range(*begin, *length);
}

}  // namespace

Errno WasiAnswers::args_sizes_get(Wasi& wasi, const GuestMemory& memory, const Wasi::Arguments& a) {
  std::size_t bytes = 0;
  for (const std::string& argument : wasi.unit_.arguments) bytes += argument.size() + 1;
  const bool told =
      memory.write(a[0], static_cast<std::uint32_t>(wasi.unit_.arguments.size())) && memory.write(a[1], static_cast<std::uint32_t>(bytes));
  return told ? Errno::success : Errno::fault;
}

Errno WasiAnswers::args_get(Wasi& wasi, const GuestMemory& memory, const Wasi::Arguments& a) {
  std::uint64_t pointer = a[0];
  std::uint64_t text = a[1];
  for (const std::string& argument : wasi.unit_.arguments) {
    const auto to = memory.range(text, argument.size() + 1);
    if (!to || !memory.write(pointer, static_cast<std::uint32_t>(text))) return Errno::fault;
    std::copy(argument.begin(), argument.end(), to->begin());
    to->back() = 0;
    text += to->size();
    pointer += 4;
  }
  return Errno::success;
}

Errno WasiAnswers::environ_sizes_get(Wasi&, const GuestMemory& memory, const Wasi::Arguments& a) {
  return memory.write(a[0], std::uint32_t{0}) && memory.write(a[1], std::uint32_t{0}) ? Errno::success : Errno::fault;
}

Errno WasiAnswers::clock_res_get(Wasi&, const GuestMemory& memory, const Wasi::Arguments& a) {
  if (a[0] >= clocks) return Errno::inval;
  return memory.write(a[1], std::uint64_t{1'000'000}) ? Errno::success : Errno::fault;
}

Errno WasiAnswers::clock_time_get(Wasi& wasi, const GuestMemory& memory, const Wasi::Arguments& a) {
  if (a[0] >= clocks) return Errno::inval;
  if (!memory.range(a[2], 8)) return Errno::fault;
  return memory.write(a[2], wasi.read_clock()) ? Errno::success : Errno::fault;
}

Errno WasiAnswers::fd_close(Wasi& wasi, const GuestMemory&, const Wasi::Arguments& a) {
  if (!wasi.is_open(a[0])) return Errno::badf;
  wasi.open_[a[0]] = false;
  return Errno::success;
}

Errno WasiAnswers::fd_fdstat_get(Wasi& wasi, const GuestMemory& memory, const Wasi::Arguments& a) {
  if (!wasi.is_open(a[0])) return Errno::badf;
  const auto to = memory.range(a[1], 24);
  if (!to) return Errno::fault;
  std::fill(to->begin(), to->end(), std::uint8_t{0});
  (*to)[0] = filetype_unknown;
  const std::uint64_t rights = (a[0] == 0 ? right_fd_read : right_fd_write) | right_filestat_get | right_poll;
  return memory.write(a[1] + 8, rights) ? Errno::success : Errno::fault;
}

Errno WasiAnswers::fd_filestat_get(Wasi& wasi, const GuestMemory& memory, const Wasi::Arguments& a) {
  if (!wasi.is_open(a[0])) return Errno::badf;
  const auto to = memory.range(a[1], 64);
  if (!to) return Errno::fault;
  std::fill(to->begin(), to->end(), std::uint8_t{0});  // of unknown type, no device, no size, no times
  return Errno::success;
}

Errno WasiAnswers::fd_read(Wasi& wasi, const GuestMemory& memory, const Wasi::Arguments& a) {
  if (a[0] != 0 || !wasi.is_open(0)) return Errno::badf;
  std::uint32_t total = 0;
  for (std::uint64_t i = 0; i < a[2]; ++i) {
    const auto to = vector_at(memory, a[1], i);
    if (!to) return Errno::fault;
    const std::size_t count = std::min(to->size(), wasi.unit_.standard_input.size() - wasi.input_read_);
    std::copy_n(wasi.unit_.standard_input.begin() + static_cast<std::ptrdiff_t>(wasi.input_read_), count, to->begin());
    wasi.input_read_ += count;
    total += static_cast<std::uint32_t>(count);
    if (count < to->size()) break;
  }
  return memory.write(a[3], total) ? Errno::success : Errno::fault;
}

Errno WasiAnswers::fd_write(Wasi& wasi, const GuestMemory& memory, const Wasi::Arguments& a) {
  if ((a[0] != 1 && a[0] != 2) || !wasi.is_open(a[0])) return Errno::badf;
  std::uint32_t total = 0;
  for (std::uint64_t i = 0; i < a[2]; ++i) {
    const auto from = vector_at(memory, a[1], i);
    if (!from) return Errno::fault;
    // The count is 32 bits: what it cannot tell is not written, as a full pipe would do.
    const std::size_t count = std::min<std::size_t>(from->size(), ~total);
    const Errno wrote = wasi.write_out(from->first(count), a[0]);
    if (wrote != Errno::success || wasi.ended()) return wrote;
    total += static_cast<std::uint32_t>(count);
    if (count < from->size()) break;
  }
  return memory.write(a[3], total) ? Errno::success : Errno::fault;
}

// What waits for a stream is ready at once: reading and writing never block. Else time passes until the first alarm.
Errno WasiAnswers::poll_oneoff(Wasi& wasi, const GuestMemory& memory, const Wasi::Arguments& a) {
  constexpr std::uint64_t subscription_bytes = 48, event_bytes = 32;
  constexpr std::uint8_t on_clock = 0, on_read = 1, on_write = 2;
  const std::uint64_t count = a[2];
  if (count == 0) return Errno::inval;
  if (!memory.range(a[0], count * subscription_bytes) || !memory.range(a[1], count * event_bytes)) return Errno::fault;
  const auto alarm = [&](std::uint64_t at) {
    const std::uint64_t timeout = *memory.read<std::uint64_t>(at + 24);
    const bool absolute = (*memory.read<std::uint16_t>(at + 40) & 1) != 0;
    if (absolute) return std::max(timeout, wasi.clock_ns_);
    return timeout > ~wasi.clock_ns_ ? ~std::uint64_t{0} : wasi.clock_ns_ + timeout;
  };

  bool any_stream = false;
  std::uint64_t first_alarm = ~std::uint64_t{0};
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = a[0] + i * subscription_bytes;
    const std::uint8_t kind = *memory.read<std::uint8_t>(at + 8);
    if (kind > on_write || (kind == on_clock && *memory.read<std::uint32_t>(at + 16) >= clocks)) return Errno::inval;
    any_stream = any_stream || kind != on_clock;
    if (kind == on_clock) first_alarm = std::min(first_alarm, alarm(at));
  }

  std::uint32_t events = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = a[0] + i * subscription_bytes;
    const std::uint8_t kind = *memory.read<std::uint8_t>(at + 8);
    if (kind == on_clock && (any_stream || alarm(at) != first_alarm)) continue;
    const std::uint64_t user_data = *memory.read<std::uint64_t>(at);
    Errno error = Errno::success;
    std::uint64_t ready_bytes = 0;
    if (kind != on_clock) {
      const std::uint32_t descriptor = *memory.read<std::uint32_t>(at + 16);
      if (!wasi.is_open(descriptor) || (kind == on_read) != (descriptor == 0))
        error = Errno::badf;
      else
        ready_bytes = kind == on_read ? wasi.unit_.standard_input.size() - wasi.input_read_ : 65536;
    }
    const auto event = memory.range(a[1] + events++ * event_bytes, event_bytes);
    std::fill(event->begin(), event->end(), std::uint8_t{0});
    std::memcpy(event->data(), &user_data, sizeof user_data);
    std::memcpy(event->data() + 8, &error, sizeof error);
    (*event)[10] = kind;
    std::memcpy(event->data() + 16, &ready_bytes, sizeof ready_bytes);
  }
  if (!any_stream) wasi.clock_ns_ = first_alarm;
  return memory.write(a[3], events) ? Errno::success : Errno::fault;
}

Errno WasiAnswers::proc_exit(Wasi& wasi, const GuestMemory&, const Wasi::Arguments& a) {
  wasi.exit_code_ = static_cast<std::uint32_t>(a[0]);
  return Errno::success;
}

Errno WasiAnswers::random_get(Wasi& wasi, const GuestMemory& memory, const Wasi::Arguments& a) {
  const auto to = memory.range(a[0], a[1]);
  if (!to) return Errno::fault;
  if (!wasi.random_) wasi.random_.emplace(hash_of(wasi.raw_).bytes);
  for (std::size_t i = 0; i < to->size(); i += 8) {
    const std::uint64_t drawn = wasi.random_->next();
    std::memcpy(to->data() + i, &drawn, std::min<std::size_t>(8, to->size() - i));
  }
  return Errno::success;
}

}  // namespace dugnad::worker::cage
