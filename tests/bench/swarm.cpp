#include "tests/bench/swarm.h"

#include <unistd.h>

#include "coordinatorless/base/hash.h"

namespace dugnad::bench {

Workers::Workers(std::size_t count, const std::string& program) : swarm_("bench-" + std::to_string(::getpid()) + ":0") {
  for (std::size_t i = 0; i < count; ++i) {
    directories_.push_back(std::make_unique<TemporaryDirectory>());
    std::vector<std::string> arguments = {"--swarm", swarm_, "--listen", "tcp://127.0.0.1:0", "--data", directories_.back()->path(),
                                          "--cores", "1"};
    if (i > 0) arguments.insert(arguments.end(), {"--join", contacts_.front()});
    processes_.push_back(std::make_unique<Child>(program, std::move(arguments)));
    const std::string line = processes_.back()->read_line(), ready = "ready ";
    if (!line.starts_with(ready)) give_up(program + " is not ready: " + line);
    contacts_.push_back(line.substr(ready.size()));
  }
}

double Workers::cpu_seconds() const {
  double sum = 0;
  for (const auto& process : processes_) sum += cpu_seconds_of(process->pid());
  return sum;
}

namespace {

/// As bench_worker has it.
Bytes no_op(ByteView input, const tasks::StopToken&) { return {input.begin(), input.end()}; }
Bytes measure(ByteView input, const tasks::StopToken&) {
  const Hash hash = hash_of(input);
  return {hash.bytes.begin(), hash.bytes.end()};
}

}  // namespace

Submitter::Submitter(const Workers& workers, bool journal, unsigned local) {
  sdk::SwarmOptions options;
  options.swarm = workers.swarm();
  options.join = workers.contacts();
  options.listen = "tcp://127.0.0.1:0";
  options.data = directory_.path();
  options.journal = journal;
  options.local = local;
  options.tasks = {};
  options.tasks.add({.name = "noop", .help = {}, .parameters = {}, .run = local > 0 ? tasks::RunUnit(no_op) : tasks::RunUnit(), .plan = {}});
  options.tasks.add({.name = "spin", .help = {}, .parameters = {}, .run = {}, .plan = {}});
  options.tasks.add({.name = "measure", .help = {}, .parameters = {}, .run = local > 0 ? tasks::RunUnit(measure) : tasks::RunUnit(), .plan = {}});
  auto joined = sdk::Swarm::join(std::move(options));
  if (!joined) give_up(joined.error().message);
  swarm_.emplace(*std::move(joined));
}

void Submitter::warm_up(std::size_t units, unsigned copies) { (void)seconds_to_run(*swarm_, "noop", no_op_inputs(units), copies); }

double seconds_to_run(sdk::Swarm& swarm, const std::string& task, std::vector<Bytes> inputs, unsigned copies) {
  return run_units(swarm, task, std::move(inputs), {.copies = copies, .resume = false}).seconds;
}

Run run_units(sdk::Swarm& swarm, const std::string& task, std::vector<Bytes> inputs, const sdk::JobOptions& options) {
  const std::size_t units = inputs.size();
  const auto start = Clock::now();
  auto job = swarm.map(task, std::move(inputs), options);
  if (!job) give_up(job.error().message);
  std::size_t accepted = 0;
  while (const auto result = job->next()) {
    if (!result->ok) give_up("a unit failed: " + result->reason);
    ++accepted;
  }
  const double seconds = seconds_since(start);
  if (accepted != units) give_up("the job ended with " + std::to_string(accepted) + " of " + std::to_string(units) + " units");
  return {seconds, job->progress()};
}

std::vector<Bytes> no_op_inputs(std::size_t count) {
  std::vector<Bytes> inputs(count, Bytes(no_op_bytes));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t byte = 0; byte < no_op_bytes; ++byte) inputs[i][byte] = static_cast<std::uint8_t>(i >> (8 * byte));
  }
  return inputs;
}

}  // namespace dugnad::bench
