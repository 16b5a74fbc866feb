// Job: the user's handle on a session.
#include <utility>

#include "dugnad/swarm.h"
#include "sdk/session.h"

namespace dugnad::sdk {

Job::Job(std::shared_ptr<Session> session) : session_(std::move(session)) {}

std::optional<UnitResult> Job::next() { return session_->mailbox().next(); }
std::optional<UnitResult> Job::next_within(std::chrono::milliseconds patience) { return session_->mailbox().next_within(patience); }

Result<std::uint64_t> Job::submit(Bytes input) {
  std::vector<Bytes> inputs;
  inputs.push_back(std::move(input));
  return submit(std::move(inputs));
}
Result<std::uint64_t> Job::submit(std::vector<Bytes> inputs) {
  if (session_->commands()) {
    for (Bytes& input : inputs) input = tasks::wasm::encode({.arguments = {}, .standard_input = std::move(input)});
  }
  return session_->submit(std::move(inputs));
}
Result<std::uint64_t> Job::submit(const CommandUnit& unit) {
  if (!session_->commands()) return Error{"only a command's units have arguments"};
  std::vector<Bytes> inputs;
  inputs.push_back(tasks::wasm::encode(unit));
  return session_->submit(std::move(inputs));
}
void Job::close_input() { session_->close_input(); }

Result<tasks::Answer> Job::answer() {
  if (!session_->combines()) return Error{"a job over single inputs has no answer beside its results"};
  Mailbox::Outcome outcome = session_->mailbox().wait_answer();
  switch (outcome.end.kind) {
    case EndKind::complete: return *std::move(outcome.answer);
    case EndKind::cancelled: return Error{"there is no answer: the job was cancelled"};
    case EndKind::swarm_left: return Error{"there is no answer yet: the swarm was left before the job's end"};
    case EndKind::inputs_failed: return Error{"there is no answer: " + outcome.end.reason};
    case EndKind::units_failed: break;
  }
  const std::string count = std::to_string(outcome.end.units_failed);
  std::string reason = "there is no answer: " + count + (outcome.end.units_failed == 1 ? " unit has failed" : " units have failed");
  if (outcome.first_failed) reason += "; unit " + std::to_string(outcome.first_failed->unit) + ": " + outcome.first_failed->reason;
  return Error{std::move(reason)};
}

Result<End> Job::end() { return session_->mailbox().wait_end(); }
void Job::stored(const std::vector<std::uint64_t>& units) { session_->stored(units); }
void Job::cancel() { session_->cancel(); }
Progress Job::progress() const { return session_->progress(); }
void Job::on_notice(std::function<void(const Notice&)> heard) { session_->mailbox().on_notice(std::move(heard)); }
std::string Job::id() const { return session_->id().hex(); }

}  // namespace dugnad::sdk
