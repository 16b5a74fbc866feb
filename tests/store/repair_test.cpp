#include "coordinatorless/store/repair.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <random>

#include "coordinatorless/store/store.h"
#include "tests/store/rows.h"
#include "tests/scratch.h"

namespace dugnad::store {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t jobs_count = 3;

/// All that is asked of a journal, as text that tells what is where.
struct Content {
  std::map<std::string, std::string> jobs;                         // recipe and manifest
  std::map<std::uint8_t, std::map<std::uint64_t, Bytes>> outputs;  // by job and unit
  std::map<std::uint8_t, std::vector<std::string>> held;
  std::map<std::uint8_t, std::string> summaries;
  std::map<std::string, std::string> reputations;
  std::map<std::uint64_t, std::string> notes;  // by key
};

/// An error's line where something cannot be read.
Result<Content> read_all(const Store& store) {
  Content content;
  const auto jobs = store.jobs();
  if (!jobs) return jobs.error();
  for (const StoredJob& job : *jobs) content.jobs[job.job.hex()] = to_text(job.manifest) + "/" + to_text(job.recipe);
  for (std::uint8_t name = 1; name <= jobs_count; ++name) {
    const auto units = store.accepted(job_named(name));
    if (!units) return units.error();
    for (const AcceptedUnit& unit : *units) content.outputs[name][unit.unit.value] = unit.output.bytes;
    const auto held = store.held(job_named(name));
    if (!held) return held.error();
    for (const HeldRow& row : *held) content.held[name].push_back(to_text(row.evidence) + "/" + to_text(row.held));
    const auto summary = store.summary(job_named(name));
    if (!summary) return summary.error();
    if (*summary) content.summaries[name] = to_text(**summary);
  }
  const auto reputations = store.reputations({});
  if (!reputations) return reputations.error();
  for (const ReputationRow& row : *reputations) content.reputations[row.donor.hex()] = to_text(row.record);
  const auto notes = store.notes(NoteKind::lease);
  if (!notes) return notes.error();
  for (const NoteRow& row : *notes) content.notes[row.key] = to_text(row.body);
  return content;
}

/// Three jobs that take turns: small units and large ones, evidence and what is held, a done job, donors that are remembered.
void fill(Store& store, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t write = from; write < to; ++write) {
    const auto name = static_cast<std::uint8_t>(1 + write % jobs_count);
    AcceptedRow row{job_named(name), {}};
    // The second job accepts nothing in its second half, so that what it holds may end early.
    const std::uint64_t units = name == 2 && write > 60 ? 0 : write % 7;
    for (std::uint64_t unit = write * 10; unit < write * 10 + units; ++unit) {
      const Bytes output = to_bytes("output of " + std::to_string(unit) + std::string(write % 11 == 0 ? 9000 : 40, 'x'));
      row.units.push_back({{unit}, unit * 3, Outcome::ok, output});
    }
    row.evidence = to_bytes("evidence " + std::to_string(write) + std::string(write % 5 == 0 ? 6000 : 100, 'e'));
    if (name != 3) row.held = to_bytes("held " + std::to_string(write));
    std::vector<Row> rows{row};
    if (write < jobs_count)
      rows.emplace_back(JobRow{job_named(name), to_bytes("manifest"), to_bytes("recipe of " + std::to_string(name)), wall(5)});
    rows.emplace_back(ReputationRow{{}, peer_named(static_cast<std::uint8_t>(write)), to_bytes("record " + std::to_string(write))});
    rows.emplace_back(NoteRow{NoteKind::lease, job_named(name), write, to_bytes("note " + std::to_string(write))});
    store.write({write + 1}, rows);
    store.flush();
  }
}
constexpr std::uint64_t writes = 120;

/// A journal that was closed: the file alone. And what is in it.
struct Sample {
  std::map<std::string, std::string> files;  // by what follows the journal's name
  Content content;
};

Sample closed_journal() {
  const Scratch scratch;
  Sample sample;
  auto store = Store::open(scratch.file("j"));
  REQUIRE(store.ok());
  fill(**store, 0, writes);
  (*store)->write({writes + 1}, {JobStateRow{job_named(3), JobState::done}, SummaryRow{job_named(3), to_bytes("account")}});
  (*store)->flush();
  sample.content = read_all(**store).value();
  store->reset();
  sample.files[""] = content_of(scratch.file("j"));
  REQUIRE_FALSE(fs::exists(scratch.file("j-wal")));
  return sample;
}

/// One that a program was killed in: its second half stands in the log.
Sample killed_journal() {
  const Scratch scratch;
  Sample sample;
  {
    auto store = Store::open(scratch.file("j"));
    REQUIRE(store.ok());
    fill(**store, 0, writes / 2);
  }
  auto store = Store::open(scratch.file("j"));
  REQUIRE(store.ok());
  fill(**store, writes / 2, writes);
  sample.content = read_all(**store).value();
  for (const char* suffix : {"", "-wal"}) sample.files[suffix] = content_of(scratch.file("j") + suffix);
  return sample;
}

void put(const Scratch& scratch, const std::map<std::string, std::string>& files) {
  for (const auto& [suffix, bytes] : files) put_content(scratch.file("j") + suffix, bytes);
}

/// What was saved says nothing that was not so, and a log of what is held has no hole.
void check_sound(const Content& saved, const Content& whole) {
  for (const auto& [job, text] : saved.jobs) {
    REQUIRE(whole.jobs.contains(job));
    CHECK(text == whole.jobs.at(job));
  }
  for (const auto& [job, units] : saved.outputs) {
    for (const auto& [unit, output] : units) {
      REQUIRE(whole.outputs.at(job).contains(unit));
      CHECK((output == whole.outputs.at(job).at(unit)));
    }
  }
  for (const auto& [job, rows] : saved.held) {
    REQUIRE(rows.size() <= whole.held.at(job).size());
    CHECK(std::equal(rows.begin(), rows.end(), whole.held.at(job).begin()));
  }
  for (const auto& [job, summary] : saved.summaries) CHECK(summary == whole.summaries.at(job));
  for (const auto& [donor, record] : saved.reputations) CHECK(record == whole.reputations.at(donor));
  for (const auto& [key, body] : saved.notes) CHECK(body == whole.notes.at(key));
}

enum class Came { unnoticed, repaired, nothing_whole };

/// Opens the journal with `files`, and repairs it where that or reading it fails.
Came come_through(const Sample& sample, const std::map<std::string, std::string>& files) {
  const Scratch scratch;
  const std::string path = scratch.file("j");
  put(scratch, files);
  std::string trouble;
  {
    const auto store = Store::open_for_reading(path);
    const auto content = store ? read_all(**store) : Result<Content>(store.error());
    if (content) {
      check_sound(*content, sample.content);
      if (files.size() == 1) CHECK((content->outputs == sample.content.outputs));  // without a log nothing may be missing unsaid
      return Came::unnoticed;
    }
    trouble = content.error().message;
  }
  CHECK(is_one_line(trouble));
  for (const auto& [suffix, bytes] : files) CHECK((content_of(path + suffix) == bytes));
  const auto repaired = repair(path);
  if (!repaired) {
    CHECK(contains(repaired.error().message, "is whole; move it away"));
    for (const auto& [suffix, bytes] : files) CHECK((content_of(path + suffix) == bytes));
    return Came::nothing_whole;
  }
  REQUIRE_MESSAGE(repaired->has_value(), trouble);
  CHECK((*repaired)->kept_as == path + ".damaged-1");
  for (const auto& [suffix, bytes] : files) CHECK((content_of(path + ".damaged-1" + suffix) == bytes));
  {
    auto store = Store::open(path);
    REQUIRE_MESSAGE(store.ok(), (store.ok() ? "" : store.error().message));
    const auto content = read_all(**store);
    REQUIRE_MESSAGE(content.ok(), (content.ok() ? "" : content.error().message));
    check_sound(*content, sample.content);
    for (const auto& [id, job] : (*repaired)->saved.jobs) {
      const auto lost = sample.content.outputs.at(id.bytes[0]).size() -
                        (content->outputs.contains(id.bytes[0]) ? content->outputs.at(id.bytes[0]).size() : 0);
      CHECK(lost >= job.units_lost);
    }
    const auto jobs = (*store)->jobs();
    for (const StoredJob& job : *jobs) {
      if (job.state == JobState::done) CHECK((content->outputs.at(3) == sample.content.outputs.at(3)));
    }
    (*store)->write({1}, {accepted_row(job_named(1), 100'000, 3)});
  }
  const auto again = repair(path);
  REQUIRE_MESSAGE(again.ok(), (again.ok() ? "" : again.error().message));
  CHECK_FALSE(again->has_value());
  return Came::repaired;
}

TEST_CASE("whatever bytes change in a journal, what is saved of it is as it was written") {
  std::mt19937 random(11);
  for (const Sample& sample : {closed_journal(), killed_journal()}) {
    std::map<Came, int> came;
    for (int round = 0; round < 100; ++round) {
      auto files = sample.files;
      std::string& bytes = files.size() > 1 && round % 2 == 0 ? files["-wal"] : files[""];
      const std::size_t size = bytes.size(), used = bytes.find_last_not_of('\0') + 1;  // the log is filled up with zeros
      switch (round % 5) {
        case 0: bytes[random() % used] ^= static_cast<char>(1U << random() % 8); break;
        case 1: bytes[random() % used] = static_cast<char>(random()); break;
        case 2: bytes.replace(random() % used / 512 * 512, 512, 512, '\0'); break;
        case 3: {
          const std::size_t at = random() % used / 4096 * 4096;
          for (std::size_t i = at; i < std::min(at + 4096, size); ++i) bytes[i] = static_cast<char>(random());
          break;
        }
        case 4:
          for (int i = 0; i < 20; ++i) bytes[random() % used] = static_cast<char>(random());
          break;
      }
      bytes.resize(size);
      ++came[come_through(sample, files)];
    }
    CHECK(came[Came::repaired] > 25);
    CHECK(came[Came::nothing_whole] == 0);
  }
}

TEST_CASE("wherever a journal is cut off, what is saved of it is as it was written") {
  for (const Sample& sample : {closed_journal(), killed_journal()}) {
    int repaired = 0;
    for (const auto& [suffix, bytes] : sample.files) {
      for (std::size_t size = 4096; size < bytes.size(); size += suffix.empty() ? 4096 : 4096 * 23) {
        auto files = sample.files;
        files[suffix].resize(size);
        repaired += come_through(sample, files) == Came::repaired;
      }
    }
    CHECK(repaired > 5);
  }
}

TEST_CASE("a page that is lost costs the units in it alone, each of them counted, and opens a job that was done") {
  const Sample sample = closed_journal();
  auto files = sample.files;
  const std::size_t at = files[""].find("output of 1160");  // of the third job
  REQUIRE(at != std::string::npos);
  files[""][at] = 'O';
  const Scratch scratch;
  put(scratch, files);
  const auto repaired = repair(scratch.file("j"));
  REQUIRE(repaired.ok());
  REQUIRE(repaired->has_value());
  const Salvaged& saved = (*repaired)->saved;
  CHECK(saved.rows_lost == 1);
  CHECK(saved.jobs.at(job_named(3)).units_lost == 116 % 7);
  CHECK(saved.jobs.at(job_named(3)).reopened);
  CHECK(saved.jobs.at(job_named(1)).units_lost == 0);
  CHECK(saved.jobs.at(job_named(1)).held == HeldSaved::all);
  CHECK(saved.jobs.at(job_named(2)).held == HeldSaved::all);
  const auto store = Store::open_for_reading(scratch.file("j"));
  REQUIRE(store.ok());
  const auto jobs = (*store)->jobs();
  for (const StoredJob& job : *jobs) CHECK(job.state == JobState::running);
  CHECK(((*store)->notes(NoteKind::lease)->size() == writes));
}

TEST_CASE("what is held ends at a hole, and goes altogether where units were accepted behind it") {
  const Sample sample = closed_journal();
  const auto held_after = [&](std::uint64_t hole, HeldSaved expected) {
    auto files = sample.files;
    const std::size_t at = files[""].find("held " + std::to_string(hole));
    REQUIRE(at != std::string::npos);
    files[""][at] = 'H';
    const Scratch scratch;
    put(scratch, files);
    const auto repaired = repair(scratch.file("j"));
    REQUIRE(repaired.ok());
    REQUIRE(repaired->has_value());
    CHECK((*repaired)->saved.jobs.at(job_named(2)).held == expected);
    CHECK((*repaired)->saved.jobs.at(job_named(1)).held == HeldSaved::all);
    const auto store = Store::open_for_reading(scratch.file("j"));
    REQUIRE(store.ok());
    return (*store)->held(job_named(2))->size();
  };
  CHECK(held_after(10, HeldSaved::nothing) == 0);
  CHECK(held_after(100, HeldSaved::up_to_the_damage) == 33);  // of writes 1, 4, ..., 97
}

TEST_CASE("a journal that is whole is left alone, and so is a newer version's, and another program's") {
  const Sample sample = closed_journal();
  const auto after = [&](std::size_t at, char byte) {
    const Scratch scratch;
    std::string bytes = sample.files.at("");
    if (at > 0) bytes[at] = byte;
    put_content(scratch.file("j"), bytes);
    const auto repaired = repair(scratch.file("j"));
    CHECK((content_of(scratch.file("j")) == bytes));
    CHECK(std::distance(fs::directory_iterator(scratch.path()), {}) == 1);
    return repaired.ok() ? std::string(repaired->has_value() ? "repaired" : "whole") : repaired.error().message;
  };
  CHECK(after(0, 0) == "whole");
  CHECK(contains(after(63, 7), "newer version"));
  const Scratch scratch;
  put_content(scratch.file("j"), std::string(9000, 'n'));
  CHECK_FALSE(repair(scratch.file("j")).ok());
  CHECK(content_of(scratch.file("j")) == std::string(9000, 'n'));
  CHECK_FALSE(repair(scratch.file("none")).ok());
}

TEST_CASE("a journal that a running program has open is not repaired") {
  const Sample sample = closed_journal();
  const Scratch scratch;
  put(scratch, sample.files);
  int told[2];
  REQUIRE(::pipe(told) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = Store::open(scratch.file("j"));
    (void)!::write(told[1], "x", 1);
    for (;;) ::pause();
  }
  char one = 0;
  REQUIRE(::read(told[0], &one, 1) == 1);
  std::string bytes = content_of(scratch.file("j"));
  bytes[bytes.find("output of 1160")] = 'O';
  {
    std::fstream file(scratch.file("j"), std::ios::binary | std::ios::in | std::ios::out);
    file << bytes;
  }
  const auto repaired = repair(scratch.file("j"));
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  REQUIRE_FALSE(repaired.ok());
  CHECK(contains(repaired.error().message, "a running program has the journal"));
  CHECK(repair(scratch.file("j"))->has_value());
}

TEST_CASE("a repair that was cut short is begun again with the log that belongs to the file") {
  const Sample sample = killed_journal();
  const Scratch scratch;
  auto files = sample.files;
  files[""][files[""].find("output of 500")] = 'O';
  put(scratch, files);
  const std::string path = scratch.file("j");
  fs::create_hard_link(path, path + ".damaged-1");
  fs::rename(path + "-wal", path + ".damaged-1-wal");
  const auto repaired = repair(path);
  REQUIRE(repaired.ok());
  REQUIRE(repaired->has_value());
  CHECK((*repaired)->saved.rows_lost == 1);
  CHECK((content_of(path + ".damaged-1-wal") == files["-wal"]));
}

TEST_CASE("committed frames of the log that are damaged are noticed, and what stands behind them is saved") {
  const Sample sample = killed_journal();
  const Scratch scratch;
  auto files = sample.files;
  files["-wal"][32 + 3 * (24 + 4096) + 2000] ^= 1;
  put(scratch, files);
  const auto store = Store::open(scratch.file("j"));
  REQUIRE_FALSE(store.ok());
  CHECK(contains(store.error().message, "j-wal is damaged"));
  for (const auto& [suffix, bytes] : files) CHECK((content_of(scratch.file("j") + suffix) == bytes));
  const auto repaired = repair(scratch.file("j"));
  REQUIRE(repaired.ok());
  REQUIRE(repaired->has_value());
  CHECK((*repaired)->saved.rows_lost <= 2);
}

}  // namespace
}  // namespace dugnad::store
