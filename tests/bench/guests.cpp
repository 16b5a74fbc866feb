// (g) Guest speed: five kernels compiled from one source each by one clang, natively and as guests; the guests run in the engine that ships,
// behind the guest pass, in a fresh instance each time. Both have to return the same bytes. CPU time, since what is compared is code.
#include <time.h>

#include <array>
#include <cmath>
#include <fstream>
#include <iterator>

#include "tasks/wasm/guest_pass.h"
#include "tests/bench/process.h"
#include "tests/bench/rows.h"
#include "worker/cage/engine.h"

extern "C" {
std::uint64_t bench_kernel_sieve(std::uint32_t size);
std::uint64_t bench_kernel_queens(std::uint32_t size);
std::uint64_t bench_kernel_mandelbrot(std::uint32_t size);
std::uint64_t bench_kernel_sha256(std::uint32_t size);
std::uint64_t bench_kernel_matmul(std::uint32_t size);
}

namespace dugnad::bench {
namespace {

using worker::cage::Engine;

struct Kernel {
  const char* name;
  std::uint64_t (*native)(std::uint32_t size);
  std::uint32_t size;  // some 0.4 s
  std::uint32_t quick;
};
constexpr std::array kernels = {Kernel{"sieve", bench_kernel_sieve, 70, 1}, Kernel{"queens", bench_kernel_queens, 15, 8},
                                Kernel{"mandelbrot", bench_kernel_mandelbrot, 1700, 20}, Kernel{"sha256", bench_kernel_sha256, 1500, 2},
                                Kernel{"matmul", bench_kernel_matmul, 200, 1}};

Bytes module_of(const Kernel& kernel) {
  const std::string path = std::string(DUGNAD_GUEST_DIR) + "/kernel_" + kernel.name + ".wasm";
  std::ifstream file(path, std::ios::binary);
  if (!file) give_up("cannot read " + path);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

tasks::wasm::Guest guest_of(const Kernel& kernel, bool fuel) {
  auto guest = tasks::wasm::prepare(module_of(kernel), {.fuel = fuel});
  if (!guest) give_up(std::string(kernel.name) + " is refused: " + guest.error().message);
  return *std::move(guest);
}

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

template <std::size_t bytes>
Bytes little_endian(std::uint64_t number) {
  Bytes out;
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
  return out;
}

void load(Engine& engine, const tasks::wasm::Guest& guest) {
  if (const auto done = engine.load(guest); !done) give_up("a kernel does not compile: " + done.error().message);
}

double native_seconds(const Kernel& kernel, std::uint32_t size, Bytes& output) {
  const double start = cpu_seconds();
  const std::uint64_t number = kernel.native(size);
  const double took = cpu_seconds() - start;
  output = little_endian<8>(number);
  return took;
}

double guest_seconds(Engine& engine, std::uint32_t size, const Bytes& expected) {
  constexpr std::uint64_t plenty = std::uint64_t{1} << 60;
  const Bytes unit = little_endian<4>(size);
  const double start = cpu_seconds();
  const auto ran = engine.run(unit, plenty);
  const double took = cpu_seconds() - start;
  if (ran.outcome != Outcome::ok) give_up("a kernel failed: " + to_text(ran.output));
  if (ran.output != expected) give_up("a kernel returns other bytes as a guest");
  return took;
}

struct Ratios {
  std::vector<double> logarithms;  // of guest to native, a pair of runs each, summed over the kernels
  void add(std::size_t pair, double guest, double native) {
    logarithms.resize(std::max(logarithms.size(), pair + 1));
    logarithms[pair] += std::log(guest / native);
  }
  [[nodiscard]] Samples means() const {
    Samples means;
    for (const double sum : logarithms) means.push_back(std::exp(sum / static_cast<double>(kernels.size())));
    return means;
  }
};

}  // namespace

void measure_guests(const Settings& settings, Report& report) {
  auto engine = Engine::start();
  if (!engine) give_up(engine.error().message);
  Ratios ratios, fuelled_ratios;
  Samples loads;
  for (const Kernel& kernel : kernels) {
    const std::uint32_t size = settings.quick ? kernel.quick : kernel.size;
    const auto guest = guest_of(kernel, false), fuelled = guest_of(kernel, true);
    Samples natives, guests, with_fuel;
    for (std::size_t pair = 0; pair < settings.pairs; ++pair) {
      Bytes output;
      const double before = cpu_seconds();
      load(**engine, guest);
      loads.push_back((cpu_seconds() - before) * 1e3);
      natives.push_back(native_seconds(kernel, size, output) * 1e3);
      guests.push_back(guest_seconds(**engine, size, output) * 1e3);
      load(**engine, fuelled);
      with_fuel.push_back(guest_seconds(**engine, size, output) * 1e3);
      ratios.add(pair, guests.back(), natives.back());
      fuelled_ratios.add(pair, with_fuel.back(), natives.back());
    }
    const std::string name = kernel.name;
    report.add({.row = "g",
                .name = name + " as a guest",
                .unit = "ms",
                .ours = guests,
                .beside = "native clang -O2",
                .theirs = natives,
                .less_is_better = true,
                .goal = Goal{Goal::Kind::ratio_at_least, 0.5}});
    report.add({.row = "g", .name = "  the same, counting fuel", .unit = "ms", .ours = with_fuel, .beside = "native clang -O2", .theirs = natives,
                .less_is_better = true});
  }
  report.add({.row = "g",
              .name = "a guest's time, geometric mean",
              .unit = "times native",
              .ours = ratios.means(),
              .less_is_better = true,
              .goal = Goal{Goal::Kind::at_most, 1.25}});
  report.add({.row = "g", .name = "  the same, counting fuel", .unit = "times native", .ours = fuelled_ratios.means(), .less_is_better = true});
  report.add({.row = "g", .name = "  a kernel's module compiled", .unit = "ms", .ours = loads, .less_is_better = true});
}

}  // namespace dugnad::bench
