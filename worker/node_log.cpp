#include "worker/node_log.h"

#include <cstdio>
#include <variant>

namespace dugnad::worker {
namespace {

constexpr double lines_per_second = 0.1;  // of those that a remote peer can bring about
constexpr double lines_at_once = 10;
constexpr std::size_t jobs_max = 64;
constexpr Duration summary_interval = std::chrono::minutes(1);

/// A reason comes from a remote peer's conduct, and perhaps from libzmq: one line of plain characters.
std::string plain(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  return text;
}

}  // namespace

NodeLog::NodeLog(Log log, std::map<PeerId, std::string> host_ports) : log_(std::move(log)), lines_(lines_per_second, lines_at_once) {
  for (auto& [peer, host_port] : host_ports) joined_[peer].host_port = std::move(host_port);
}

void NodeLog::link(const core::Event& event, BootTime now) {
  if (const auto* up = std::get_if<core::PeerConnected>(&event)) connected(up->peer, now);
  if (const auto* down = std::get_if<core::PeerLost>(&event)) lost(down->peer, now);
  if (const auto* failed = std::get_if<core::DialFailed>(&event)) dial_failed(*failed);
}

void NodeLog::connected(const PeerId& peer, BootTime now) {
  if (!linked_.insert(peer).second) return;
  say(LogLevel::debug, "linked with peer " + peer.brief());
  if (const auto found = joined_.find(peer); found != joined_.end()) {
    found->second.connected = true;
    found->second.failure.clear();
    say(LogLevel::info, "joined the swarm through " + found->second.host_port, now);
  } else if (linked_.size() == 1) {
    say(LogLevel::info, "in touch with the swarm", now);
  }
}

void NodeLog::lost(const PeerId& peer, BootTime now) {
  if (linked_.erase(peer) == 0) return;
  say(LogLevel::debug, "lost the link with peer " + peer.brief());
  if (const auto found = joined_.find(peer); found != joined_.end()) {
    found->second.connected = false;
    say(LogLevel::info, "lost the link with " + found->second.host_port + "; trying again", now);
  }
  if (linked_.empty()) say(LogLevel::warning, "out of touch with the swarm; whoever is known is tried again", now);
}

void NodeLog::dial_failed(const core::DialFailed& failed) {
  const auto found = joined_.find(failed.peer);
  if (found == joined_.end()) return say(LogLevel::debug, "cannot reach peer " + failed.peer.brief() + ": " + plain(failed.reason));
  // Dials come at a doubling interval, so a peer that fails in ever new ways still says little.
  Joined& joined = found->second;
  if (joined.failure == failed.reason) return;
  joined.failure = failed.reason;
  // The reason names the address; what the user typed may be a name.
  const bool named = failed.reason.find(joined.host_port) != std::string::npos;
  say(LogLevel::warning, (named ? "cannot join: " : "cannot join through " + joined.host_port + ": ") + plain(failed.reason));
}

void NodeLog::started(const core::StartAttempts& started, BootTime now) {
  for (const core::AttemptToStart& attempt : started.attempts) {
    if (jobs_.contains(attempt.job)) continue;
    if (jobs_.size() >= jobs_max) jobs_.clear();
    jobs_.insert(attempt.job);
    say(LogLevel::info, "computing " + plain(attempt.task) + " for job " + attempt.job.brief(), now);
  }
}

void NodeLog::finished(const std::vector<FinishedAttempt>& finished, BootTime now) {
  for (const FinishedAttempt& attempt : finished) {
    computed_ += attempt.outcome == Outcome::ok;
    cpu_ += attempt.cpu;
  }
  if (finished.empty() || now < summary_at_) return;
  if (summary_at_ != BootTime{}) say(LogLevel::info, "so far " + computed());
  summary_at_ = now + summary_interval;
}

void NodeLog::departed() { say(LogLevel::info, computed_ > 0 ? "left the swarm; in all " + computed() : "left the swarm"); }

std::string NodeLog::computed() const {
  char text[80];
  std::snprintf(text, sizeof text, "%llu units computed in %.1f s of CPU", static_cast<unsigned long long>(computed_), seconds_of(cpu_));
  return text;
}

void NodeLog::say(LogLevel level, const std::string& line) const {
  if (log_) log_(level, line);
}
void NodeLog::say(LogLevel level, const std::string& line, BootTime now) {
  if (lines_.take(1, now)) say(level, line);
}

}  // namespace dugnad::worker
