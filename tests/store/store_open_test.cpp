#include <doctest/doctest.h>
#include <sqlite3.h>

#include <random>

#include "coordinatorless/store/batch_format.h"
#include "coordinatorless/store/store.h"
#include "tests/store/rows.h"
#include "tests/scratch.h"

namespace dugnad::store {
namespace {

/// The line with which both ways of opening refuse the file, which stays as it is, with nothing beside it.
std::string refusal(const Scratch& scratch, const std::string& content) {
  const std::string path = scratch.file("journal");
  put_content(path, content);
  const auto to_write = Store::open(path);
  REQUIRE_FALSE(to_write.ok());
  const auto to_read = Store::open_for_reading(path);
  REQUIRE_FALSE(to_read.ok());
  CHECK(to_read.error().message == to_write.error().message);
  CHECK(is_one_line(to_write.error().message));
  CHECK((content_of(path) == content));
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
  return to_write.error().message;
}

/// A sound journal's bytes.
std::string sound_journal() {
  const Scratch scratch;
  {
    auto store = Store::open(scratch.file("journal"));
    REQUIRE(store.ok());
    (*store)->write({1}, {accepted_row(job_named(1), 0, 100), PapersRow{job_named(1), {}, {}, {}, {}},
                          AcceptedRow{job_named(1), {}, to_bytes("evidence")}, SummaryRow{job_named(1), to_bytes("account")}});
  }
  CHECK_FALSE(std::filesystem::exists(scratch.file("journal-wal")));
  return content_of(scratch.file("journal"));
}

// Positions in SQLite's header, from its file format's documentation.
constexpr std::size_t user_version_at = 60;
constexpr std::size_t application_id_at = 68;

TEST_CASE("a journal from a newer version is refused and not touched") {
  const Scratch scratch;
  std::string content = sound_journal();
  content[user_version_at + 3] = 7;
  const std::string line = refusal(scratch, content);
  CHECK(contains(line, "made by a newer version of dugnad (schema 7, this one knows 6)"));
}

/// What version 1 of the schema left behind: a job, two units of it, and a contact.
void make_old_journal(const std::string& path) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  const auto run = [&](const std::string& sql) { REQUIRE(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK); };
  run("PRAGMA journal_mode=WAL");
  run("CREATE TABLE jobs(job BLOB PRIMARY KEY, manifest BLOB NOT NULL, recipe BLOB NOT NULL, created INTEGER NOT NULL, state INTEGER NOT NULL) "
      "STRICT, WITHOUT ROWID");
  run("CREATE TABLE accepted(id INTEGER PRIMARY KEY, job BLOB NOT NULL, units INTEGER NOT NULL, batch BLOB NOT NULL) STRICT");
  run("CREATE INDEX accepted_of_job ON accepted(job, units)");
  run("CREATE TABLE contacts(peer BLOB PRIMARY KEY, record BLOB NOT NULL, seen INTEGER NOT NULL) STRICT, WITHOUT ROWID");
  run("PRAGMA application_id = 1685415790");
  run("PRAGMA user_version = 1");
  const std::string job = "x'" + job_named(1).hex() + "'";
  run("INSERT INTO jobs VALUES(" + job + ",x'01',x'02',1000,0)");
  run("INSERT INTO accepted(job,units,batch) VALUES(" + job + ",1,x'" + to_hex(encode_batch(accepted_row(job_named(1), 0, 1).units)) + "')");
  run("INSERT INTO contacts VALUES(x'" + peer_named(2).hex() + "',x'03',5)");
  sqlite3_close(database);
}

TEST_CASE("an older journal is read as it is, and gains what it lacks when it is written") {
  const Scratch scratch;
  const std::string path = scratch.file("journal");
  make_old_journal(path);
  const auto version = [&] { return content_of(path)[user_version_at + 3]; };
  {
    const auto store = Store::open_for_reading(path);
    REQUIRE(store.ok());
    CHECK((*store)->jobs()->size() == 1);
    CHECK((*store)->accepted(job_named(1))->size() == 1);
    CHECK((*store)->contacts()->size() == 1);
    CHECK_FALSE((*store)->papers(job_named(1))->has_value());
    CHECK((*store)->evidence(job_named(1))->empty());
    CHECK((*store)->held(job_named(1))->empty());
    CHECK_FALSE((*store)->summary(job_named(1))->has_value());
    CHECK((*store)->receipts()->empty());
    CHECK((*store)->favours({})->empty());
    CHECK((*store)->reputations({})->empty());
    CHECK((*store)->notes(NoteKind::waiting)->empty());
  }
  CHECK(version() == 1);
  {
    auto store = Store::open(path);
    REQUIRE_MESSAGE(store.ok(), (store.ok() ? "" : store.error().message));
    (*store)->write({1}, {accepted_row(job_named(1), 1, 2), AcceptedRow{job_named(1), {}, to_bytes("evidence"), to_bytes("log")}});
  }
  CHECK(version() == 6);
  const auto store = Store::open(path);
  REQUIRE(store.ok());
  CHECK((*store)->accepted(job_named(1))->size() == 3);
  CHECK((*store)->contacts()->size() == 1);
  CHECK((*store)->evidence(job_named(1))->size() == 1);
  const auto held = (*store)->held(job_named(1));
  REQUIRE(held->size() == 1);
  CHECK(to_text(held->front().evidence) == "evidence");
  CHECK(to_text(held->front().held) == "log");
}

TEST_CASE("another program's database is refused and not touched") {
  const Scratch scratch;
  std::string content = sound_journal();
  content.replace(application_id_at, 4, 4, '\0');
  CHECK(contains(refusal(scratch, content), "is not a dugnad journal"));
}

TEST_CASE("random bytes, text and cut headers are refused and not touched") {
  std::mt19937 random(7);
  std::string noise(20'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  const std::string sound = sound_journal();
  std::string zeroed_page = sound;
  zeroed_page.replace(100, 3996, 3996, '\0');
  for (const std::string& content : {noise, noise.substr(0, 1), noise.substr(0, 99), std::string("a shopping list\n"), sound.substr(0, 50),
                                     std::string(5000, '\0')}) {
    const Scratch scratch;
    CHECK(contains(refusal(scratch, content), "is not a dugnad journal"));
  }
  const Scratch scratch;
  CHECK(contains(refusal(scratch, zeroed_page), "is damaged"));
}

TEST_CASE("damage inside a journal is an error, never fewer units") {
  const std::string sound = sound_journal();
  const std::size_t inside = sound.find("output of 50");
  REQUIRE(inside != std::string::npos);
  std::string content = sound;
  content[inside - 1] = '\x7f';  // the length of that output
  const Scratch scratch;
  put_content(scratch.file("journal"), content);
  const auto store = Store::open_for_reading(scratch.file("journal"));
  REQUIRE(store.ok());
  const auto units = (*store)->accepted(job_named(1));
  REQUIRE_FALSE(units.ok());
  CHECK(contains(units.error().message, "is damaged"));
}

TEST_CASE("whatever byte is damaged, opening and reading end in a value or in one line") {
  const std::string sound = sound_journal();
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    const Scratch scratch;
    std::string content = sound;
    for (int i = 0; i < 4; ++i) content[random() % content.size()] = static_cast<char>(random());
    put_content(scratch.file("journal"), content);
    const auto store = Store::open(scratch.file("journal"));
    if (!store) {
      CHECK(is_one_line(store.error().message));
      continue;
    }
    const auto jobs = (*store)->jobs();
    const auto units = (*store)->accepted(job_named(1));
    const auto papers = (*store)->papers(job_named(1));
    const auto evidence = (*store)->evidence(job_named(1));
    const auto summary = (*store)->summary(job_named(1));
    if (!papers) CHECK(is_one_line(papers.error().message));
    if (!evidence) CHECK(is_one_line(evidence.error().message));
    if (!summary) CHECK(is_one_line(summary.error().message));
    if (!units) CHECK(is_one_line(units.error().message));
    if (!jobs) CHECK(is_one_line(jobs.error().message));
  }
}

TEST_CASE("an empty file becomes a journal, as after a crash at the very start") {
  const Scratch scratch;
  put_content(scratch.file("journal"), "");
  CHECK(Store::open(scratch.file("journal")).ok());
  CHECK(Store::open_for_reading(scratch.file("journal")).ok());
}

TEST_CASE("reading needs a journal and does not make one") {
  const Scratch scratch;
  const auto store = Store::open_for_reading(scratch.file("journal"));
  REQUIRE_FALSE(store.ok());
  CHECK(contains(store.error().message, "there is no journal at " + scratch.file("journal")));
  CHECK(std::filesystem::is_empty(scratch.path()));
}

TEST_CASE("a path where no file can be is one clear line") {
  const Scratch scratch;
  put_content(scratch.file("file"), "in the way");
  for (const std::string& path : {scratch.path(), scratch.file("file/journal"), scratch.file("missing/journal"), std::string("/proc/journal")}) {
    const auto store = Store::open(path);
    REQUIRE_FALSE(store.ok());
    CHECK(is_one_line(store.error().message));
    CHECK(contains(store.error().message, path));
  }
}

TEST_CASE("a path with characters that mean something in an address is a plain path") {
  const Scratch scratch;
  const std::string path = scratch.file("a?mode=memory#b%41 c");
  {
    auto store = Store::open(path);
    REQUIRE(store.ok());
    (*store)->write({1}, {accepted_row(job_named(1), 0, 1)});
  }
  auto store = Store::open(path);
  REQUIRE(store.ok());
  const auto units = (*store)->accepted(job_named(1));
  REQUIRE(units.ok());
  CHECK(units->size() == 1);
}

}  // namespace
}  // namespace dugnad::store
