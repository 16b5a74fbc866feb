#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "coordinatorless/store/store.h"
#include "tests/store/rows.h"
#include "tests/scratch.h"

namespace dugnad::store {
namespace {

constexpr std::uint64_t units_per_write = 7;

/// A child that writes without end and tells through the pipe which write was committed; it ends only by a kill, or by its own _exit() in
/// the middle of a commit's callback.
pid_t start_writer(const std::string& path, int tell, std::uint64_t exit_at) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child != 0) return child;
  auto store = Store::open(path);
  if (!store) ::_exit(1);
  (*store)->on_committed([tell, exit_at](PersistSeq seq) {
    if (::write(tell, &seq.value, sizeof seq.value) != sizeof seq.value) ::_exit(1);
    if (seq.value >= exit_at) ::_exit(0);
  });
  for (std::uint64_t seq = 1;; ++seq) {
    (*store)->write({seq}, {accepted_row(job_named(1), (seq - 1) * units_per_write, units_per_write)});
    if (seq % 16 == 0) (*store)->flush();
  }
}

/// The journal holds whole writes, from the first on without a gap, and all that was told as committed.
void check_prefix(const std::string& path, std::uint64_t committed) {
  auto store = Store::open(path);
  REQUIRE_MESSAGE(store.ok(), (store.ok() ? "" : store.error().message));
  const auto units = (*store)->accepted(job_named(1));
  REQUIRE(units.ok());
  CHECK(units->size() % units_per_write == 0);
  CHECK(units->size() / units_per_write >= committed);
  for (std::size_t i = 0; i < units->size(); ++i) {
    REQUIRE(units->at(i).unit.value == i);
    REQUIRE(is_as_written(units->at(i)));
  }
}

std::uint64_t read_committed(int from) {
  std::uint64_t seq = 0;
  REQUIRE(::read(from, &seq, sizeof seq) == sizeof seq);
  return seq;
}

TEST_CASE("a writer that is killed at any moment leaves what it committed, and no half of a write") {
  for (const std::uint64_t kill_after : {1, 5, 40, 300, 1500}) {
    const Scratch scratch;
    int told[2];
    REQUIRE(::pipe(told) == 0);
    const pid_t child = start_writer(scratch.file("journal"), told[1], ~std::uint64_t{0});
    ::close(told[1]);
    std::uint64_t committed = 0;
    while (committed < kill_after) committed = read_committed(told[0]);
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    std::uint64_t later = 0;  // told between our last look and its death
    while (::read(told[0], &later, sizeof later) == sizeof later) committed = later;
    ::close(told[0]);
    check_prefix(scratch.file("journal"), committed);
  }
}

TEST_CASE("a writer that exits without closing leaves what it committed, and the next one goes on from there") {
  const Scratch scratch;
  for (const std::uint64_t exit_at : {3, 50}) {
    int told[2];
    REQUIRE(::pipe(told) == 0);
    std::filesystem::remove(scratch.file("journal"));
    std::filesystem::remove(scratch.file("journal-wal"));
    std::filesystem::remove(scratch.file("journal-shm"));
    const pid_t child = start_writer(scratch.file("journal"), told[1], exit_at);
    ::close(told[1]);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    std::uint64_t committed = 0;
    for (std::uint64_t seq = 0; ::read(told[0], &seq, sizeof seq) == sizeof seq;) committed = seq;
    ::close(told[0]);
    CHECK(committed >= exit_at);
    check_prefix(scratch.file("journal"), committed);

    std::size_t before = 0;
    {
      auto store = Store::open(scratch.file("journal"));
      REQUIRE(store.ok());
      before = (*store)->accepted(job_named(1))->size();
      (*store)->write({1}, {accepted_row(job_named(1), before, 2)});
    }
    const auto reader = Store::open_for_reading(scratch.file("journal"));
    REQUIRE(reader.ok());
    CHECK((*reader)->accepted(job_named(1))->size() == before + 2);
  }
}

}  // namespace
}  // namespace dugnad::store
