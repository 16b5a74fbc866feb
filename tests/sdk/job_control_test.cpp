// Other programs of the same user ask how a job stands, and end it.
#include "sdk/job_control.h"

#include <filesystem>

#include "coordinatorless/store/data_dir.h"
#include "tests/sdk/swarms.h"
#include "worker/control_server.h"

using namespace dugnad;
using namespace dugnad::sdk;

namespace {

JobId id_of(const Job& job) { return JobId::from_hex(job.id()).value(); }

std::string socket_of(const Scratch& scratch, const std::string& program) { return scratch.file(control_name_of(program)); }

}  // namespace

TEST_CASE("progress comes back from its text, and nothing in the text can break it") {
  Progress progress;
  progress.units_known = 1'000'000;
  progress.units_expected = 2'000'000;
  progress.units_done = 12;
  progress.units_failed = 3;
  progress.units_resumed = 4;
  progress.attempts = 5;
  progress.donors = 6;
  progress.copies_in_reach = 7;
  progress.units_per_second = 0.125;
  progress.unit_seconds = 1e-6;
  progress.units_held = 8;
  progress.units_own = 9;
  progress.convicted = 10;
  progress.confidence = 0.9990234375;
  const std::string text = text_of(progress);
  const Progress read = progress_of(text + " colour=blue");
  CHECK(text_of(read) == text);
  CHECK(read.units_expected == 2'000'000);
  CHECK(read.confidence == doctest::Approx(progress.confidence));
  CHECK_FALSE(progress_of(text_of(Progress{})).units_expected);

  for (const char* odd : {"", " ", "=", "units_done", "units_done=", "units_done=-1", "units_done=99999999999999999999999",
                          "confidence=nan", "confidence=inf", "units_expected=x", "units_done=1e3"}) {
    CHECK_MESSAGE(text_of(progress_of(odd)) == text_of(Progress{}), odd);
  }
}

TEST_CASE("a job is asked how it stands, in whichever of two programs it runs, and is cancelled from outside") {
  const Scratch scratch;
  Turnstile first_turnstile, second_turnstile;
  Swarm first = joined(alone_in(scratch, test_tasks(&first_turnstile)));
  Swarm second = joined(alone_in(scratch, test_tasks(&second_turnstile)));
  Job one = good(first.map("turnstile", numbers(100), one_copy));
  Job two = good(second.map("turnstile", numbers(200), one_copy));
  REQUIRE(one.id() != two.id());
  first_turnstile.let_in(1);
  CHECK(one.next().has_value());
  second_turnstile.let_in(1);
  CHECK(two.next().has_value());
  const auto stands_one = ask_progress(scratch.path(), id_of(one));
  const auto stands_two = ask_progress(scratch.path(), id_of(two));
  REQUIRE((stands_one && stands_two));
  CHECK(stands_one->units_expected == 100);
  CHECK(stands_two->units_expected == 200);
  CHECK(stands_one->units_done + stands_two->units_done == 2);
  CHECK_FALSE(ask_progress(scratch.path(), JobId{}));
  CHECK_FALSE(good(ask_to_cancel(scratch.path(), JobId{})));

  CHECK(good(ask_to_cancel(scratch.path(), id_of(two))));
  second_turnstile.let_in(everybody);
  CHECK(good(two.end()).kind == EndKind::cancelled);
  first_turnstile.let_in(everybody);
  CHECK(good(one.end()).kind == EndKind::complete);
  CHECK_FALSE(good(ask_to_cancel(scratch.path(), id_of(one))));
}

TEST_CASE("a submitter's control socket knows its words and no others") {
  const Scratch scratch;
  Swarm swarm = joined(alone_in(scratch));
  for (const worker::ControlRequest& request :
       {worker::ControlRequest{"status", "3f2a"}, {"status", ""}, {"cancel", "../../etc"}, {"dance", std::string(64, '0')}}) {
    const worker::Asked asked = worker::ask(socket_of(scratch, "submitter"), request);
    REQUIRE_MESSAGE(asked.answer, asked.reason);
    CHECK_FALSE(asked.answer->ok);
    CHECK(is_one_line(asked.answer->text));
  }
}

TEST_CASE("a socket that a killed submitter left is noticed and removed, unless its program is just starting") {
  const Scratch scratch;
  const std::string path = socket_of(scratch, "submitter");
  {
    const auto killed = worker::ControlSocket::open(path);
    REQUIRE(killed.ok());
    std::filesystem::create_hard_link(path, scratch.file("kept"));
  }
  std::filesystem::rename(scratch.file("kept"), path);
  const auto dir = good(store::DataDir::open(scratch.path()));
  {
    const auto lock = good(dir.lock("submitter"));
    CHECK_FALSE(ask_progress(scratch.path(), JobId{}));
    CHECK(std::filesystem::exists(path));
  }
  CHECK_FALSE(ask_progress(scratch.path(), JobId{}));
  CHECK_FALSE(std::filesystem::exists(path));
}
