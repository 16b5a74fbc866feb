// What the executor itself costs: no-op attempts a second, the share of two slots that units of 1 ms get, and a lone attempt's way
// through it. One line each; to be read beside findings of other runs on the same machine, not against a fixed bound.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <vector>

#include "worker/executor.h"

namespace {

using namespace dugnad;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Bell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      rung_ = true;
    }
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
};

double process_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Keeps `ahead` attempts in the executor until `total` are done; the seconds that took.
double run_all(worker::Executor& executor, Bell& bell, const tasks::RunUnit& run, std::size_t total, std::size_t ahead) {
  const auto start = Clock::now();
  std::size_t started = 0, collected = 0;
  while (collected < total) {
    std::vector<worker::Attempt> batch;
    for (; started < total && started - collected < ahead; ++started) batch.push_back({{started}, &run, Bytes(8), 60s});
    executor.start(std::move(batch));
    bell.wait();
    collected += executor.collect().size();
  }
  return seconds_since(start);
}

}  // namespace

int main() {
  constexpr unsigned slots = 2;
  Bell bell;
  worker::Executor executor({.slots = slots, .wake = [&bell] { bell.ring(); }});

  const tasks::RunUnit nothing = [](ByteView, const tasks::StopToken&) { return Bytes(); };
  constexpr std::size_t no_ops = 2'000'000;
  std::printf("no-op attempts a second: %.0f\n", no_ops / run_all(executor, bell, nothing, no_ops, 20'000));

  // CPU time and not the clock's, so that a slot's own interruptions count as loss.
  const tasks::RunUnit millisecond = [](ByteView, const tasks::StopToken&) {
    const auto cpu = [] {
      timespec time{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
      return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    };
    const auto end = cpu() + 1ms;
    while (cpu() < end) {
    }
    return Bytes();
  };
  constexpr std::size_t units = 4000;
  const double cpu_before = process_cpu_seconds();
  const double seconds = run_all(executor, bell, millisecond, units, 64);
  // The first needs a quiet machine, since attempts give way to everybody; the second says the same of what the process got.
  std::printf("units of 1 ms: %.3f of two processors, %.3f of the CPU time used\n", units * 0.001 / slots / seconds,
              units * 0.001 / (process_cpu_seconds() - cpu_before));

  std::vector<double> trips;
  for (std::size_t i = 0; i < 5000; ++i) {
    const auto start = Clock::now();
    std::vector<worker::Attempt> lone;
    lone.push_back({{i}, &nothing, {}, 60s});
    executor.start(std::move(lone));
    bell.wait();
    if (executor.collect().size() != 1) return 1;
    trips.push_back(seconds_since(start) * 1e6);
  }
  std::sort(trips.begin(), trips.end());
  std::printf("lone attempt: p50 %.1f us, p99 %.1f us\n", trips[trips.size() / 2], trips[trips.size() * 99 / 100]);
}
