// (c) A lone unit: handed in, computed by a worker, verified, and back, one after the other; with the store and without. Beside it one message
// of the same size there and back through a bare pair of ZeroMQ sockets; and with the store, two pages written and flushed after each.
#include <fcntl.h>
#include <unistd.h>

#include "tests/bench/bare_pair.h"
#include "tests/bench/rows.h"
#include "tests/bench/swarm.h"

namespace dugnad::bench {
namespace {

/// A job that stays open, so that what a trip takes is the unit's and not the job's.
class LoneUnits {
 public:
  LoneUnits(const Workers& workers, bool journal) : submitter_(workers, journal), job_(open()) {}

  Samples round_trips(std::size_t count) {
    Samples trips;
    for (std::size_t i = 0; i < count; ++i) {
      const auto start = Clock::now();
      if (const auto unit = job_.submit(Bytes(no_op_bytes)); !unit) give_up(unit.error().message);
      if (const auto result = job_.next(); !result || !result->ok) give_up("a lone unit failed");
      trips.push_back(seconds_since(start));
    }
    return trips;
  }

 private:
  sdk::Job open() {
    auto job = submitter_.swarm().open("noop", {.copies = 1, .resume = false});
    if (!job) give_up(job.error().message);
    return *job;
  }

  Submitter submitter_;
  sdk::Job job_;
};

/// What the disk itself takes to keep something: pages of a file that has its size already, flushed one after the other.
class BareDisk {
 public:
  BareDisk() : file_(::open((directory_.path() + "/pages").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (file_ < 0 || ::posix_fallocate(file_, 0, file_bytes) != 0) give_up("cannot write into " + directory_.path());
    for (off_t at = 0; at < file_bytes; at += write_bytes) keep();
  }
  ~BareDisk() { ::close(file_); }
  BareDisk(const BareDisk&) = delete;
  BareDisk& operator=(const BareDisk&) = delete;

  void keep() {
    if (::pwrite(file_, pages_.data(), pages_.size(), at_) != write_bytes || ::fdatasync(file_) != 0)
      give_up("cannot write into " + directory_.path());
    at_ = (at_ + write_bytes) % file_bytes;
  }

 private:
  static constexpr off_t write_bytes = 8192, file_bytes = 1 << 20;
  TemporaryDirectory directory_;
  int file_;
  off_t at_ = 0;
  std::vector<char> pages_ = std::vector<char>(write_bytes, 'x');
};

Samples round_trips_and_kept(BarePair& pair, BareDisk& disk, std::size_t count) {
  Samples trips;
  for (std::size_t i = 0; i < count; ++i) {
    const auto start = Clock::now();
    (void)pair.round_trips(1, no_op_bytes);
    disk.keep();
    trips.push_back(seconds_since(start));
  }
  return trips;
}

struct Percentiles {
  Samples p50, p99;
  void add(const Samples& trips) {
    p50.push_back(quantile(trips, 0.50) * 1e6);
    p99.push_back(quantile(trips, 0.99) * 1e6);
  }
};

}  // namespace

void measure_round_trip(const Settings& settings, Report& report) {
  const std::size_t count = settings.quick ? 100 : 2000;
  const Workers workers(1);
  LoneUnits without(workers, false), with(workers, true);
  BarePair bare;
  BareDisk disk;
  (void)without.round_trips(count / 4);
  (void)with.round_trips(count / 4);
  Percentiles kept_not, kept, theirs, theirs_kept;
  for (std::size_t pair = 0; pair < settings.pairs; ++pair) {
    kept_not.add(without.round_trips(count));
    theirs.add(bare.round_trips(count, no_op_bytes));
    kept.add(with.round_trips(count));
    theirs_kept.add(round_trips_and_kept(bare, disk, count));
  }
  const auto add = [&](const std::string& name, const Samples& ours, const char* beside, const Samples& others, double goal) {
    report.add({.row = "c",
                .name = "round trip of a lone unit, " + name,
                .unit = "us",
                .ours = ours,
                .beside = beside,
                .theirs = others,
                .less_is_better = true,
                .goal = Goal{Goal::Kind::at_most, goal}});
  };
  add("no store, p50", kept_not.p50, "bare ZeroMQ", theirs.p50, 300);
  add("no store, p99", kept_not.p99, "bare ZeroMQ", theirs.p99, 2000);
  add("store, p50", kept.p50, "bare ZeroMQ, fdatasync", theirs_kept.p50, 800);
  add("store, p99", kept.p99, "bare ZeroMQ, fdatasync", theirs_kept.p99, 2000);
}

}  // namespace dugnad::bench
