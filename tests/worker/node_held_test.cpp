// What a steward keeps on disk, and how much of it is there again after whatever befell the files.
#include "worker/node_held.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <iterator>
#include <vector>

#include "coordinatorless/base/hash.h"
#include "tests/scratch.h"

namespace dugnad::worker {
namespace {

/// A job's papers are not looked into here; its name is that of its manifest.
core::KeepHeld::Papers papers(std::uint8_t which) { return {{Bytes(40, which), {}}, {Bytes{which, 1}, {}}}; }
JobId job_of(std::uint8_t which) { return JobId{hash_of(papers(which).manifest.body).bytes}; }
constexpr std::size_t flood_entry = 256 << 10;
core::RecordEntry entry(std::uint8_t which) { return {std::nullopt, Bytes(100, which), Signature{}}; }

struct Disk {
  Scratch scratch;
  std::string place = scratch.file("held/1234");
  std::vector<std::string> troubles;

  /// All of it is on disk once this returns.
  void write(std::vector<core::Effect> effects) {
    HeldFiles files(place, [this](const std::string& line) { troubles.push_back(line); });
    for (core::Effect& effect : effects) CHECK(files.take(effect));
  }
  void write_some() {
    write({core::KeepHeld{job_of(1), papers(1), {}}, core::KeepHeld{job_of(1), {}, {entry(1), entry(2)}}});
    write({core::KeepHeld{job_of(1), {}, {entry(3)}}});
  }
  [[nodiscard]] std::string record() const { return place + "/" + job_of(1).hex() + ".record"; }
  [[nodiscard]] std::size_t entries() const {
    const auto held = HeldFiles::read(place);
    REQUIRE(held.jobs.size() == 1);
    return held.jobs[0].entries.size();
  }
};

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("what a steward holds is there again, in order, and goes when it is dropped") {
  Disk disk;
  CHECK(HeldFiles::read(disk.place).jobs.empty());
  disk.write_some();
  disk.write({core::KeepHeld{job_of(2), papers(2), {}}});
  auto held = HeldFiles::read(disk.place);
  REQUIRE(held.jobs.size() == 2);
  const auto& first = held.jobs[0].manifest == papers(1).manifest ? held.jobs[0] : held.jobs[1];
  CHECK(first.delegation == papers(1).delegation);
  CHECK(first.entries == std::vector{entry(1), entry(2), entry(3)});
  CHECK(first.silent_for < std::chrono::minutes(1));
  disk.write({core::DropHeld{job_of(1)}});
  held = HeldFiles::read(disk.place);
  REQUIRE(held.jobs.size() == 1);
  CHECK(held.jobs[0].manifest == papers(2).manifest);
  CHECK_FALSE(std::filesystem::exists(disk.record()));
  CHECK(disk.troubles.empty());
}

TEST_CASE("newer papers take the place of older ones, and other effects are nobody's here") {
  Disk disk;
  disk.write_some();
  auto newer = papers(1);
  newer.delegation.body = Bytes{7, 7};
  disk.write({core::KeepHeld{job_of(1), newer, {}}});
  CHECK(HeldFiles::read(disk.place).jobs[0].delegation == newer.delegation);
  CHECK(disk.entries() == 3);
  HeldFiles files(disk.place, [](const std::string&) {});
  core::Effect other = core::Departed{};
  CHECK_FALSE(files.take(other));
}

TEST_CASE("a record that is torn anywhere is whole up to there, and goes on from there") {
  Disk disk;
  disk.write_some();
  const std::string whole = content_of(disk.record());
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    CAPTURE(length);
    std::ofstream(disk.record(), std::ios::binary | std::ios::trunc) << whole.substr(0, length);
    const std::size_t left = disk.entries();
    CHECK((left == 0 || left == 2));
    disk.write({core::KeepHeld{job_of(1), {}, {entry(4)}}});
    CHECK(disk.entries() == left + 1);
  }
}

TEST_CASE("what was changed on disk ends a record, and papers that say nothing are none") {
  Disk disk;
  disk.write_some();
  std::string changed = content_of(disk.record());
  changed[changed.size() / 3] = static_cast<char>(changed[changed.size() / 3] ^ 1);
  std::ofstream(disk.record(), std::ios::binary | std::ios::trunc) << changed;
  CHECK(disk.entries() == 0);
  std::ofstream(disk.place + "/" + job_of(1).hex() + ".papers", std::ios::trunc) << "nonsense";
  CHECK(HeldFiles::read(disk.place).jobs.empty());
}

TEST_CASE("what is dropped and held again at once is there, without what was before") {
  Disk disk;
  disk.write_some();
  disk.write({core::KeepHeld{job_of(1), {}, {entry(4)}}, core::DropHeld{job_of(1)}, core::KeepHeld{job_of(1), papers(1), {entry(5)}}});
  const auto held = HeldFiles::read(disk.place);
  REQUIRE(held.jobs.size() == 1);
  CHECK(held.jobs[0].entries == std::vector{entry(5)});
}

TEST_CASE("files that cannot be read, or that nobody knows, are no reason to stop") {
  Disk disk;
  disk.write_some();
  std::filesystem::create_directory(disk.place + "/" + job_of(2).hex() + ".papers");
  std::filesystem::create_directory(disk.place + "/" + job_of(3).hex() + ".record");
  std::ofstream(disk.place + "/" + job_of(4).hex() + ".record") << "nobody's";
  CHECK(HeldFiles::read(disk.place).jobs.size() == 1);
  CHECK_FALSE(std::filesystem::exists(disk.place + "/" + job_of(4).hex() + ".record"));
  CHECK(disk.entries() == 3);
}

TEST_CASE("papers under another job's name are none") {
  Disk disk;
  disk.write_some();
  std::filesystem::rename(disk.place + "/" + job_of(1).hex() + ".papers", disk.place + "/" + job_of(2).hex() + ".papers");
  CHECK(HeldFiles::read(disk.place).jobs.empty());
}

namespace {

/// More of a job than the queue takes, all of it at once, since it comes in one effect.
core::KeepHeld too_much(std::uint8_t which) {
  core::KeepHeld keep{job_of(which), papers(which), {}};
  for (std::size_t i = 0; i < (80u << 20) / flood_entry; ++i) keep.entries.push_back({std::nullopt, Bytes(flood_entry, which), Signature{}});
  return keep;
}

}  // namespace

TEST_CASE("what comes faster than the disk takes it is left out beyond a bound, in one line, and what comes later is kept") {
  Disk disk;
  disk.write({too_much(1)});
  REQUIRE(disk.troubles.size() == 1);
  CHECK(disk.troubles[0].find("more comes than the disk takes") != std::string::npos);
  const std::size_t kept = disk.entries();
  CHECK(kept == (64u << 20) / flood_entry);
  disk.write({core::KeepHeld{job_of(1), {}, {entry(4)}}});
  CHECK(disk.entries() == kept + 1);
  CHECK(disk.troubles.size() == 1);
}

TEST_CASE("a job that is dropped before it was written leaves its room in the queue to others") {
  Disk disk;
  core::KeepHeld most = too_much(1);
  most.entries.resize((64u << 20) / flood_entry);
  disk.write({std::move(most), core::DropHeld{job_of(1)}, core::KeepHeld{job_of(2), papers(2), {entry(5)}}});
  CHECK(disk.troubles.empty());
  const auto held = HeldFiles::read(disk.place);
  REQUIRE(held.jobs.size() == 1);
  CHECK(held.jobs[0].entries == std::vector{entry(5)});
}

TEST_CASE("a disk that cannot be written is one line, and no reason to stop") {
  Disk disk;
  std::filesystem::create_directories(disk.scratch.file("held"));
  std::ofstream(disk.place) << "a file where the directory should be";
  disk.write({core::KeepHeld{job_of(1), papers(1), {entry(1)}}, core::KeepHeld{job_of(2), papers(2), {}}});
  REQUIRE(disk.troubles.size() == 1);
  CHECK(disk.troubles[0].find("cannot be written to " + disk.place) != std::string::npos);
}

}  // namespace dugnad::worker
