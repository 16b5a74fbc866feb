#include "coordinatorless/store/store.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <mutex>
#include <thread>

#include "tests/store/rows.h"
#include "tests/scratch.h"

namespace dugnad::store {
namespace {

std::unique_ptr<Store> open(const std::string& path) {
  auto store = Store::open(path);
  REQUIRE_MESSAGE(store.ok(), (store.ok() ? "" : store.error().message));
  return *std::move(store);
}

TEST_CASE("what was written is there after the journal is opened again") {
  const Scratch scratch;
  const std::string path = scratch.file("journal");
  {
    const auto store = open(path);
    store->write({1}, {JobRow{job_named(1), to_bytes("manifest one"), to_bytes("recipe one"), wall(2000)},
                       JobRow{job_named(2), {}, to_bytes("recipe two"), wall(1000)}});
    store->write({2}, {accepted_row(job_named(1), 0, 3), accepted_row(job_named(2), 10, 1)});
    store->write({3}, {accepted_row(job_named(1), 3, 500), AcceptedRow{job_named(1), {}}});
    store->write({4}, {JobStateRow{job_named(2), JobState::failed}});
  }
  const auto store = open(path);
  const auto jobs = store->jobs();
  REQUIRE(jobs.ok());
  REQUIRE(jobs->size() == 2);
  const StoredJob& second = jobs->at(0);  // the older one first
  CHECK(second.job == job_named(2));
  CHECK(second.manifest.empty());
  CHECK(second.recipe == to_bytes("recipe two"));
  CHECK(second.created == wall(1000));
  CHECK(second.state == JobState::failed);
  CHECK(second.units_accepted == 1);
  const StoredJob& first = jobs->at(1);
  CHECK(first.job == job_named(1));
  CHECK(first.manifest == to_bytes("manifest one"));
  CHECK(first.state == JobState::running);
  CHECK(first.units_accepted == 503);

  const auto units = store->accepted(job_named(1));
  REQUIRE(units.ok());
  REQUIRE(units->size() == 503);
  for (std::size_t i = 0; i < units->size(); ++i) {
    CHECK(units->at(i).unit.value == i);
    CHECK(is_as_written(units->at(i)));
  }
  const auto none = store->accepted(job_named(3));
  REQUIRE(none.ok());
  CHECK(none->empty());
}

TEST_CASE("a job's papers, evidence and account are there after the journal is opened again") {
  const Scratch scratch;
  const std::string path = scratch.file("journal");
  PapersRow papers{job_named(1), SwarmId{{3}}, {}, to_bytes("delegation"), {}};
  papers.manifest_signature.fill(4);
  papers.delegation_signature.fill(5);
  {
    const auto store = open(path);
    PapersRow earlier = papers;
    earlier.delegation = to_bytes("of an earlier run");
    store->write({1}, {earlier, SummaryRow{job_named(1), to_bytes("earlier account")}});
    store->write({2}, {AcceptedRow{job_named(1), {}, to_bytes("first")}, AcceptedRow{job_named(2), {}, to_bytes("another's")}});
    AcceptedRow second = accepted_row(job_named(1), 0, 2);
    second.evidence = to_bytes("second");
    store->write({3}, {accepted_row(job_named(1), 2, 1), second, papers, SummaryRow{job_named(1), to_bytes("account")}});
  }
  const auto store = Store::open_for_reading(path);
  REQUIRE(store.ok());
  const auto read = (*store)->papers(job_named(1));
  REQUIRE(read.ok());
  REQUIRE(read->has_value());
  CHECK((*read)->swarm == papers.swarm);
  CHECK((*read)->manifest_signature == papers.manifest_signature);
  CHECK((*read)->delegation == papers.delegation);
  CHECK((*read)->delegation_signature == papers.delegation_signature);
  const auto evidence = (*store)->evidence(job_named(1));
  REQUIRE(evidence.ok());
  CHECK(*evidence == std::vector{to_bytes("first"), to_bytes("second")});
  CHECK((*store)->accepted(job_named(1))->size() == 3);
  const auto summary = (*store)->summary(job_named(1));
  REQUIRE(summary.ok());
  CHECK(*summary == to_bytes("account"));
  CHECK_FALSE((*store)->papers(job_named(9))->has_value());
  CHECK((*store)->evidence(job_named(9))->empty());
  CHECK_FALSE((*store)->summary(job_named(9))->has_value());
}

TEST_CASE("an outcome other than ok, and an output of many bytes, are kept") {
  const Scratch scratch;
  const auto store = open(scratch.file("journal"));
  AcceptedRow row{job_named(1), {{{7}, 9, Outcome::failed, to_bytes("no such file")}}};
  for (std::uint64_t unit = 0; unit < 3; ++unit) row.units.push_back({{unit}, unit, Outcome::ok, Bytes(9u << 20, static_cast<std::uint8_t>(unit))});
  store->write({1}, {row});
  store->flush();
  const auto units = store->accepted(job_named(1));
  REQUIRE(units.ok());
  REQUIRE(units->size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(units->at(i).unit == row.units[i].unit);
    CHECK(units->at(i).outcome == row.units[i].outcome);
    CHECK((units->at(i).output == row.units[i].output));
  }
}

TEST_CASE("a job written twice keeps its state and what was accepted") {
  const Scratch scratch;
  const auto store = open(scratch.file("journal"));
  const JobRow job{job_named(1), to_bytes("manifest"), to_bytes("old recipe"), wall(5)};
  store->write({1}, {job, accepted_row(job.job, 0, 4), JobStateRow{job.job, JobState::done}});
  store->write({2}, {JobRow{job.job, job.manifest, to_bytes("new recipe"), wall(6)}});
  store->flush();
  const auto jobs = store->jobs();
  REQUIRE(jobs.ok());
  REQUIRE(jobs->size() == 1);
  CHECK(jobs->at(0).recipe == to_bytes("new recipe"));
  CHECK(jobs->at(0).created == wall(5));
  CHECK(jobs->at(0).state == JobState::done);
  CHECK(jobs->at(0).units_accepted == 4);
}

TEST_CASE("a contact is remembered once, in its last form, until it is gone") {
  const Scratch scratch;
  const auto store = open(scratch.file("journal"));
  store->write({1}, {ContactRow{peer_named(1), to_bytes("old"), wall(1)}, ContactRow{peer_named(2), to_bytes("two"), wall(2)},
                     ContactRow{peer_named(3), to_bytes("three"), wall(3)}});
  store->write({2}, {ContactRow{peer_named(1), to_bytes("new"), wall(9)}, ContactGone{peer_named(2)}, ContactGone{peer_named(8)}});
  store->flush();
  const auto contacts = store->contacts();
  REQUIRE(contacts.ok());
  REQUIRE(contacts->size() == 2);
  CHECK(contacts->at(0).peer == peer_named(1));  // the last seen first
  CHECK(contacts->at(0).record == to_bytes("new"));
  CHECK(contacts->at(0).seen == wall(9));
  CHECK(contacts->at(1).peer == peer_named(3));
}

TEST_CASE("a note is there in its last form, until it is forgotten, apart from those of other kinds and jobs") {
  const Scratch scratch;
  const std::string path = scratch.file("journal");
  constexpr std::uint64_t highest = ~std::uint64_t{0};
  {
    const auto store = open(path);
    store->write({1}, {NoteRow{NoteKind::waiting, job_named(1), 1, to_bytes("old")}, NoteRow{NoteKind::lease, job_named(1), 1, to_bytes("lease")},
                       NoteRow{NoteKind::waiting, job_named(2), 1, to_bytes("gone")}, NoteRow{NoteKind::waiting, job_named(2), 2, to_bytes("two")}});
    store->write({2}, {NoteRow{NoteKind::waiting, job_named(1), 1, to_bytes("new")}, NoteRow{NoteKind::waiting, job_named(2), 1, {}},
                       NoteRow{NoteKind::waiting, job_named(3), 7, {}}, NoteRow{NoteKind::lease, job_named(2), highest, to_bytes("last")}});
  }
  const auto store = Store::open_for_reading(path);
  REQUIRE(store.ok());
  const std::vector<NoteRow> waiting{{NoteKind::waiting, job_named(1), 1, to_bytes("new")}, {NoteKind::waiting, job_named(2), 2, to_bytes("two")}};
  CHECK(((*store)->notes(NoteKind::waiting).value() == waiting));
  const std::vector<NoteRow> leases{{NoteKind::lease, job_named(1), 1, to_bytes("lease")},
                                    {NoteKind::lease, job_named(2), highest, to_bytes("last")}};
  CHECK(((*store)->notes(NoteKind::lease).value() == leases));
}

TEST_CASE("commits are told in order, and only when a second reader finds the rows") {
  const Scratch scratch;
  const auto store = open(scratch.file("journal"));
  std::vector<std::uint64_t> told;
  std::vector<std::size_t> found;
  store->on_committed([&](PersistSeq seq) {
    told.push_back(seq.value);
    const auto units = (*Store::open_for_reading(scratch.file("journal")))->accepted(job_named(1));
    found.push_back(units.ok() ? units->size() : 0);
  });
  for (std::uint64_t seq = 1; seq <= 50; ++seq) store->write({seq}, {accepted_row(job_named(1), seq, 1)});
  store->flush();
  REQUIRE_FALSE(told.empty());
  CHECK(told.back() == 50);
  CHECK(std::is_sorted(told.begin(), told.end()));
  for (std::size_t i = 0; i < told.size(); ++i) CHECK(found[i] == told[i]);
}

TEST_CASE("threads write at the same time and nothing is lost") {
  const Scratch scratch;
  const auto store = open(scratch.file("journal"));
  std::vector<std::thread> threads;
  for (std::uint8_t name = 0; name < 4; ++name) {
    threads.emplace_back([&store, name] {
      for (std::uint64_t i = 0; i < 200; ++i) store->write({i}, {accepted_row(job_named(name), i * 5, 5)});
    });
  }
  for (auto& thread : threads) thread.join();
  store->flush();
  for (std::uint8_t name = 0; name < 4; ++name) {
    const auto units = store->accepted(job_named(name));
    REQUIRE(units.ok());
    REQUIRE(units->size() == 1000);
    for (std::size_t i = 0; i < units->size(); ++i) CHECK(units->at(i).unit.value == i);
  }
}

TEST_CASE("a process reads while another writes, and sees whole commits") {
  const Scratch scratch;
  const std::string path = scratch.file("journal");
  int go[2];
  REQUIRE(::pipe(go) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto store = Store::open(path);
    if (!store) ::_exit(1);
    for (std::uint64_t i = 0; i < 300; ++i) {
      (*store)->write({i + 1}, {accepted_row(job_named(1), i * 10, 5), accepted_row(job_named(1), i * 10 + 5, 5)});
      if (i % 10 == 0) (*store)->flush();
      if (i == 0 && ::write(go[1], "g", 1) != 1) ::_exit(1);
    }
    store->reset();
    ::_exit(0);
  }
  char told = 0;
  REQUIRE(::read(go[0], &told, 1) == 1);
  const auto reader = Store::open_for_reading(path);
  REQUIRE_MESSAGE(reader.ok(), (reader.ok() ? "" : reader.error().message));
  std::size_t last = 0;
  while (last < 3000) {
    const auto units = (*reader)->accepted(job_named(1));
    REQUIRE_MESSAGE(units.ok(), (units.ok() ? "" : units.error().message));
    CHECK(units->size() % 10 == 0);
    CHECK(units->size() >= last);
    last = units->size();
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  ::close(go[0]);
  ::close(go[1]);
}

TEST_CASE("two processes write the same journal and both are kept") {
  const Scratch scratch;
  const std::string path = scratch.file("journal");
  const auto write_all = [&path](std::uint8_t name) {
    auto store = Store::open(path);
    if (!store) return 1;
    bool trouble = false;
    (*store)->on_trouble([&trouble](const std::string&) { trouble = true; });
    for (std::uint64_t i = 0; i < 100; ++i) {
      (*store)->write({i + 1}, {accepted_row(job_named(name), i, 1)});
      (*store)->flush();
    }
    return trouble ? 2 : 0;
  };
  open(path).reset();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(write_all(1));
  CHECK(write_all(2) == 0);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  const auto reader = Store::open_for_reading(path);
  REQUIRE(reader.ok());
  for (const std::uint8_t name : {1, 2}) {
    const auto units = (*reader)->accepted(job_named(name));
    REQUIRE(units.ok());
    CHECK(units->size() == 100);
  }
}

/// No file may grow beyond `bytes` while it lives: a full disk, as far as a program can tell.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_CASE("rows that a full disk refuses are told once, kept, and written when there is room") {
  const Scratch scratch;
  const auto store = open(scratch.file("journal"));
  std::vector<std::string> troubles;
  std::promise<PersistSeq> late;
  store->on_trouble([&troubles](const std::string& line) { troubles.push_back(line); });
  store->write({1}, {accepted_row(job_named(1), 0, 10)});
  store->flush();
  {
    const FullDisk full(2'000'000);
    store->write({2}, {AcceptedRow{job_named(1), {{{10}, 0, Outcome::ok, Bytes(4'000'000)}}}});
    store->flush();  // has failed once
    store->write({3}, {accepted_row(job_named(1), 11, 1)});
    store->flush();  // has failed too: nothing overtakes
    const auto units = store->accepted(job_named(1));
    REQUIRE(units.ok());
    CHECK(units->size() == 10);
  }
  store->write({4}, {accepted_row(job_named(1), 12, 1)});
  store->flush();
  const auto units = store->accepted(job_named(1));
  REQUIRE(units.ok());
  REQUIRE(units->size() == 13);
  for (std::size_t i = 0; i < units->size(); ++i) CHECK(units->at(i).unit.value == i);
  REQUIRE(troubles.size() == 1);
  CHECK(contains(troubles[0], "cannot write the journal " + scratch.file("journal")));
  CHECK(is_one_line(troubles[0]));
}

TEST_CASE("a journal that was deleted under the store is trouble, not silence, and writing goes on when it is back") {
  const Scratch scratch;
  const auto store = open(scratch.file("journal"));
  std::string trouble;
  std::vector<std::uint64_t> told;
  store->on_trouble([&trouble](const std::string& line) { trouble = line; });
  store->on_committed([&told](PersistSeq seq) { told.push_back(seq.value); });
  std::filesystem::rename(scratch.file("journal"), scratch.file("elsewhere"));
  store->write({1}, {accepted_row(job_named(1), 0, 1)});
  store->flush();
  CHECK(told.empty());
  CHECK(contains(trouble, "was moved or deleted"));
  std::filesystem::rename(scratch.file("elsewhere"), scratch.file("journal"));
  store->write({2}, {});
  store->flush();
  CHECK(told == std::vector<std::uint64_t>{2});
}

TEST_CASE("a journal of many commits does not let its log grow without end") {
  const Scratch scratch;
  const auto store = open(scratch.file("journal"));
  const AcceptedRow row{job_named(1), {{{0}, 0, Outcome::ok, Bytes(1'000'000)}}};
  for (std::uint64_t seq = 1; seq <= 80; ++seq) {
    store->write({seq}, {row});
    if (seq % 4 == 0) store->flush();
  }
  CHECK(std::filesystem::file_size(scratch.file("journal-wal")) < 20'000'000);
}

}  // namespace
}  // namespace dugnad::store
