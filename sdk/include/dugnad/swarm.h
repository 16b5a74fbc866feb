// The SDK: submit work to a swarm from a C++20 program.
//
//   auto swarm = dugnad::sdk::Swarm::join({.join = {contact}});
//   if (!swarm) return complain(swarm.error().message);
//   auto job = swarm->map("primes", inputs);                    // one unit an input
//   while (auto result = job->next()) use(result->unit, result->output);
//   if (auto end = job->end(); !end) complain(end.error().message);
//
// Results come as they are verified, in any order; next() blocks. Everything is safe to call from any thread; a Job may be waited for by one
// thread and cancelled by another. Nothing throws; what can fail returns a Result whose error is one line for the user. typed.h has the same for
// values instead of bytes, values.h makes a task of an ordinary function.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinatorless/base/bytes.h"
#include "coordinatorless/base/result.h"
#include "dugnad/module.h"
#include "tasks/task.h"

namespace dugnad::sdk {

struct SwarmOptions {
  /// `NAME`, or `NAME:BITS` in a swarm that asks for another proof of work of whoever submits to it than usual; 0: none. The first job of a month
  /// is at first passed on to those who are linked with us alone, until the proof is found, in the background.
  std::string swarm = "public";
  std::string swarm_secret = {};  // the file with a private swarm's secret, 16 bytes or more; such a swarm asks for no proof
  /// Contacts as `ready` prints them. None: this machine's worker is asked, then whom earlier runs met; an error where there is neither.
  std::vector<std::string> join = {};
  bool alone = false;          // without `join` nobody is looked for: a swarm of oneself, which others may join
  std::string listen = {};     // `tcp://HOST:PORT`, `none` (behind a NAT), or empty: any port
  std::string advertise = {};  // `tcp://HOST:PORT` where others reach us, when that differs
  std::uint64_t upload = 0;    // bytes a second that large data may take of the line on its way to others; 0: no limit
  std::uint64_t download = 0;  // and from them
  std::uint64_t cache = 0;     // bytes of the disk that large data may take in `data`, from 64 MiB; 0: 1 GiB. Without a journal it lies in memory
  std::string data = {};       // directory for keys and the journal; empty: the user's own
  bool journal = true;         // false: nothing is kept, nothing can be resumed
  unsigned local = 1;          // threads with which this process computes its own jobs; 0: none
  /// Whether those threads compute modules too. That starts dugnad-launcher, which is installed beside dugnad-worker; where it is missing, or no
  /// cage holds on this machine, modules are computed by others alone, and the log says so once one is submitted.
  bool modules = true;
  /// What jobs may name. One without a function is computed by others alone.
  tasks::TaskTable tasks = tasks::builtin_tasks();
  /// Warnings and errors, a line at a time, from any of the SDK's threads. May be empty.
  std::function<void(const std::string&)> log = {};
};

/// What a job is to be sure of, instead of a number of copies: audits are drawn where no donor can foresee them, this program's own computing settles
/// every dispute, and whoever is caught loses what is not final yet. Where the task has a check (tasks::Task::check, or a module's) there are no
/// audits: this program checks each result, which is then as sure as the check, at one attempt a unit; what a check calls wrong it computes.
struct Confidence {
  /// That the answer is right, of a job that was run(); the share of right results among those accepted, of any other. Above 0, below 1.
  double probability = 0.99;
  /// It is the share of right results even where there is an answer.
  bool per_unit = false;
  /// Share of saboteurs among what donors compute that is reckoned with. 0 to 0.95.
  double assume = 0.1;
  /// Results become final, and are delivered, block by block, at somewhat higher cost; else at the end, or when a large block is complete.
  bool stream = false;
};

/// A unit whose right output is known beforehand: computed once by means that its user trusts, or from an earlier job.
struct KnownAnswer {
  Bytes input;   // at most 64 KiB
  Bytes output;
};

struct JobOptions {
  /// A unit is accepted once this many different peers returned the same bytes. 1 to 16.
  unsigned copies = 2;
  /// In place of copies. Wants SwarmOptions::local, and of a module that this machine can compute modules.
  std::optional<Confidence> confidence = {};
  /// Mixed in among the units where no donor can foresee them, each once, as far as there are units to mix them with; their results are never
  /// delivered. Who answers one otherwise is convicted without this program computing anything. Only of jobs that are map()ped, with a confidence:
  /// which they make no cheaper. To take up such a job again, give the same ones. `dugnad audit` and `results` number units with those in between.
  std::vector<KnownAnswer> known = {};
  /// An attempt that takes longer is its donor's failure.
  std::chrono::milliseconds unit_timeout = std::chrono::minutes(10);
  /// Take up an unfinished job of the same task, parameters or inputs, and options, with what it has accepted. A unit whose input is another
  /// one now is computed again. Inputs that come one by one are recognised by the first of them, and by `source`. Needs the journal.
  bool resume = true;
  /// Take up this job alone, of the id in 64 hex digits, and begin none: an error says why it cannot be.
  std::string resume_only = {};
  /// Of a module: what a unit may take of memory, up to 4 GiB; 0: 256 MiB. Donors that offer less leave the job alone.
  std::uint64_t memory_bytes = 0;
  /// Of a module: how many WebAssembly instructions a unit may spend before it fails, the same on every machine; 0: not counted.
  std::uint64_t fuel = 0;
  /// So many other peers, 0 to 8, hold the job and go on with it while this program is away, until it, or one on another machine with the owner's
  /// key, takes the job up again: what they have gathered is checked then, and audited. Any but one of them may vanish. Values over 64 KiB are not
  /// theirs to hold: those units wait. Needs the journal.
  unsigned stewards = 0;
  /// Where the inputs come from, in words that a person knows them by; `dugnad jobs` shows it. At most 4096 bytes, never sent.
  std::string source = {};
  /// How many inputs there will be, where they come one by one and that is known.
  std::optional<std::uint64_t> units_expected = {};
  /// Of a job without an answer, where this program puts outputs itself and tells Job::stored(): asked, when the job is taken up again, for outputs
  /// over 64 KiB that the cache has no more. What it returns counts where it is what was accepted, byte for byte; else the unit is computed
  /// again. Called for a unit once or twice, from a thread of the job's or the one that takes its result; must not throw, and outlives the job.
  std::function<std::optional<Bytes>(std::uint64_t unit)> stored_output = {};
};

struct UnitResult {
  std::uint64_t unit = 0;
  bool ok = true;
  bool earlier = false;     // it was accepted in an earlier run of the job
  Bytes output = {};        // where ok
  std::string reason = {};  // where not: donors agreed that the unit fails, and why
};

struct Progress {
  std::uint64_t units_known = 0;  // cut or given so far
  std::optional<std::uint64_t> units_expected = {};
  std::uint64_t units_done = 0;  // accepted, failed ones included
  std::uint64_t units_failed = 0;
  std::uint64_t units_resumed = 0;  // of those done, from an earlier run
  std::uint64_t attempts = 0;       // results that came in
  std::uint32_t donors = 0;
  std::uint32_t copies_in_reach = 0;  // fewer than the job wants: units are left that nobody there may compute any more, having done so
  double units_per_second = 0;        // over the last few seconds
  double unit_seconds = 0;            // CPU time of one unit
  // Where a confidence is wanted.
  std::uint64_t units_held = 0;  // have a result that is not final
  std::uint64_t units_own = 0;   // decided by what this program computed
  std::uint64_t convicted = 0;   // times that a donor was proven wrong
  double confidence = 0;         // that the final results have reached
  bool ended = false;
};

/// What a confidence will cost: attempts and audits a unit, 1 being one attempt and no check.
struct Cost {
  std::uint64_t units = 0;  // 0: that is not known, and neither is the cost
  double quiet = 1;
  double attacked = 1;  // under the costliest attack known
  double own = 0;       // of `quiet`, what this program computes
  bool checked = false;  // beside that, this program checks each result; there are no audits, and `attacked` says nothing
};

/// Something to tell the user while a job runs.
struct Notice {
  enum class Kind : std::uint8_t {
    outvoted,
    convicted,
    known_answer_wrong,
    cost_expected,
    nobody_to_compute,
    donors_back,
    unreachable,
    stewards,
    output_gone,  // said once: what an earlier run accepted for the unit, over 64 KiB, has left the cache; it and its like are computed again
    // Said once of a job with stewards: its inputs over 64 KiB take more than the quarter of the cache that they may. Stewards get the rest as units
    // are done, and cannot go on with all of the job before they have it.
    inputs_wait,
  };
  Kind kind = Kind::outvoted;
  std::string peer = {};    // outvoted, convicted: the donor's id, hex; unreachable: the HOST:PORT given in `join`
  std::uint64_t unit = 0;   // outvoted, convicted, output_gone: where; known_answer_wrong: which of JobOptions::known, from 0
  bool known = false;       // convicted: `unit` is one of JobOptions::known too
  std::string reason = {};  // unreachable: why, as far as is known; it is tried again all the time
  bool branded = false;     // convicted: it gets nothing more of this job; else it may have erred, and begins anew
  Cost cost = {};           // cost_expected: said once, before the first unit is given away
  unsigned stewards = 0;         // stewards: so many have had all that there was to hold
  unsigned stewards_wanted = 0;  // of so many
};

/// How a job came to its end, where it did not simply complete.
enum class EndKind : std::uint8_t { complete, units_failed, cancelled, swarm_left, inputs_failed };

struct End {
  EndKind kind = EndKind::complete;
  std::uint64_t units_failed = 0;
  std::string reason = {};  // inputs_failed: what the source of inputs said; once this Swarm is left, the job can be taken up again
};

/// Inputs as they come: nullopt when there are no more, an error where the next one cannot be had.
template <class Input>
using Inputs = std::function<Result<std::optional<Input>>()>;

class Session;  // the SDK's side of one job

/// One job. A handle: copies mean the same job. It may outlive its Swarm, and has then ended.
///
/// A job does not run far ahead of its user: no units are cut while tens of thousands of results wait to be taken, unless answer() or end()
/// waits for the end.
class Job {
 public:
  /// The next verified result; nullopt when there is none any more: the job has ended.
  [[nodiscard]] std::optional<UnitResult> next();
  /// The same, but gives up after `patience`; check progress().ended to tell the two apart.
  [[nodiscard]] std::optional<UnitResult> next_within(std::chrono::milliseconds patience);

  // For a job that was opened: more inputs, each one unit, on its way at once. The units' numbers count up from 0; the first new one's is
  // returned. An error where an input is too large or no more may come.
  Result<std::uint64_t> submit(Bytes input);
  Result<std::uint64_t> submit(std::vector<Bytes> inputs);
  /// The same for a command's unit with arguments.
  Result<std::uint64_t> submit(const CommandUnit& unit);
  /// No more inputs; the job ends once all are accepted.
  void close_input();

  /// For a job that was run(): blocks until the units are combined. An error where units failed or the job was cancelled. Results of single
  /// units that were not taken before are given up.
  [[nodiscard]] Result<tasks::Answer> answer();
  /// Blocks until the job has ended and says how. Results not taken by then stay to be taken; outputs over 64 KiB that fill a quarter of this
  /// machine's memory meanwhile are perhaps lost then, as their results say: with more of them, take results as they come.
  [[nodiscard]] Result<End> end();

  /// With JobOptions::stored_output: what that returns of these units outlasts a power cut. Until then the cache keeps their large outputs.
  void stored(const std::vector<std::uint64_t>& units);

  void cancel();
  [[nodiscard]] Progress progress() const;
  /// Called from the SDK's threads, one at a time, for each notice, also for those that came before. Must neither block nor
  /// ask for progress, peers or the end: the thread that answers is perhaps this one.
  void on_notice(std::function<void(const Notice&)> heard);
  /// 64 hex digits.
  [[nodiscard]] std::string id() const;

 private:
  friend class Swarm;
  explicit Job(std::shared_ptr<Session> session);
  std::shared_ptr<Session> session_;
};

struct Peer {
  std::string id = {};       // hex
  std::string address = {};  // empty behind a NAT
  bool connected = false;
  bool donates = false;
};

/// A participant of a swarm that submits. Leaving (the destructor, some seconds where this process is computing) interrupts its jobs; with a
/// journal they can be taken up again.
class Swarm {
 public:
  /// Returns at once; who cannot be reached is said through the log and as a Notice of each job.
  [[nodiscard]] static Result<Swarm> join(SwarmOptions options);

  /// One unit an input, computed by the task of that name, which donors must have (built in, or registered in their own worker).
  [[nodiscard]] Result<Job> map(const std::string& task, std::vector<Bytes> inputs, JobOptions options = {});
  /// Inputs as they come: `next` is called as units are needed until it returns nullopt, once from here and then from a thread of the job's. It
  /// must not throw, and while it blocks the Swarm cannot be left. Its error interrupts the job: EndKind::inputs_failed.
  [[nodiscard]] Result<Job> map(const std::string& task, Inputs<Bytes> next, JobOptions options = {});
  /// A task that splits itself by its parameters and combines the answer.
  [[nodiscard]] Result<Job> run(const std::string& task, const tasks::Parameters& parameters, JobOptions options = {});
  /// A job that waits for what Job::submit() gives it. It cannot be taken up again.
  [[nodiscard]] Result<Job> open(const std::string& task, JobOptions options = {});

  // The same with a program of one's own. An input is a reactor's unit, or a command's standard input. An error where donors would refuse the
  // module with the job's memory and fuel.
  [[nodiscard]] Result<Job> map(const Module& module, std::vector<Bytes> inputs, JobOptions options = {});
  [[nodiscard]] Result<Job> map(const Module& module, Inputs<Bytes> next, JobOptions options = {});
  [[nodiscard]] Result<Job> open(const Module& module, JobOptions options = {});
  /// Of a command, whose units have arguments too.
  [[nodiscard]] Result<Job> map_commands(const Module& module, Inputs<CommandUnit> next, JobOptions options = {});

  /// Finds a job of this owner's that another machine submitted, whose stewards hold it (JobOptions::stewards), and writes it into the journal:
  /// resume() can take it up then. The data directory has that machine's owner.key. Waits `patience` for whoever has it; an error in one line.
  [[nodiscard]] Result<void> fetch(const std::string& job, std::chrono::milliseconds patience = std::chrono::minutes(1));
  /// Takes up an unfinished job that was run(), by its id.
  [[nodiscard]] Result<Job> resume(const std::string& job);

  /// Whether this program computes modules itself, which a confidence wants; the error says why it cannot.
  [[nodiscard]] Result<void> computes_modules() const;

  [[nodiscard]] std::vector<Peer> peers() const;
  [[nodiscard]] std::string contact() const;

  ~Swarm();
  Swarm(Swarm&&) noexcept;
  Swarm& operator=(Swarm&&) noexcept;

 private:
  class Impl;
  explicit Swarm(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dugnad::sdk
