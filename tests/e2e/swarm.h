// What the end-to-end tests share: a place on disk, workers, and submitters, all real processes on loopback.
#pragma once

#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/process.h"

namespace dugnad::e2e {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

inline std::string program(const std::string& name) { return std::string(DUGNAD_BIN) + "/" + name; }

inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// "nqueens --n 12" as arguments.
inline Words words(const std::string& text) {
  Words all;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find(' ', from), text.size());
    if (to > from) all.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return all;
}

/// A directory for the data directories of one test, gone when it ends.
class Place {
 public:
  Place() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dugnad-e2e-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct Worker {
  Process process;
  std::string contact;
  /// 64 hex digits.
  [[nodiscard]] std::string id() const { return contact.substr(contact.find('/', 6) + 1, 64); }
  /// tcp://HOST:PORT
  [[nodiscard]] std::string address() const { return contact.substr(0, contact.find('/', 6)); }
};

/// The arguments of a worker with the data directory `name`, which listens on any port of loopback where `options` do not say otherwise.
inline Words worker(const Place& place, const std::string& name, const Words& options = {}, const std::string& which = "dugnad-worker") {
  Words arguments{program(which), "--data", place / name, "--cores", "1"};
  if (std::find(options.begin(), options.end(), "--listen") == options.end()) arguments = arguments + words("--listen tcp://127.0.0.1:0");
  return arguments + options;
}

/// A worker that is ready.
inline Worker start(const Words& worker) {
  Process process(worker);
  const auto ready = process.line([](const std::string& line) { return line.starts_with("ready "); });
  REQUIRE_MESSAGE(ready, "not ready\n" << process.story());
  return {std::move(process), ready->substr(6)};
}

inline Worker start_worker(const Place& place, const std::string& name, const Words& options = {}, const std::string& which = "dugnad-worker") {
  return start(worker(place, name, options, which));
}

/// The arguments of a submitter with the data directory `name`, which listens where `options` do not say otherwise.
inline Words submit(const Place& place, const std::string& task, const Words& options, const std::string& name = "submitter") {
  Words arguments = Words{program("dugnad"), "submit"} + words(task) + Words{"--data", place / name};
  if (std::find(options.begin(), options.end(), "--listen") == options.end()) arguments = arguments + words("--listen tcp://127.0.0.1:0");
  return arguments + options;
}

/// The next event of a submitter with --json that `wanted` accepts; none and a failed check where there is no such event.
inline Json event(Process& submitter, const std::string& name, const std::function<bool(const Json&)>& wanted = {}) {
  Json found;
  const auto line = submitter.line([&](const std::string& text) {
    found = Json::parse(text, nullptr, false);
    return found.value("event", "") == name && (!wanted || wanted(found));
  });
  REQUIRE_MESSAGE(line, "no event " << name << submitter.story());
  return found;
}

/// Waits until the first units are accepted and more are to come: the middle of the job.
inline Json middle(Process& submitter) {
  Json now = event(submitter, "progress", [](const Json& progress) { return progress["units_done"] > 0; });
  if (!now["units_expected"].is_null()) CHECK_MESSAGE(now["units_done"] < now["units_expected"], submitter.story());
  return now;
}

/// Waits for the end, which is to be a good one with this answer; returns the last event.
inline Json answers(Process& submitter, const std::string& answer) {
  const Json said = event(submitter, "answer");
  CHECK_MESSAGE(said["text"] == answer, submitter.story());
  Json end = event(submitter, "end");
  CHECK_MESSAGE(end["exit"] == 0, submitter.story());
  CHECK_MESSAGE(submitter.exit_code() == 0, submitter.story());
  return end;
}

/// Takes a second of one core eight times over, so that something can happen in the middle. The primes up to 2 * 10^9.
inline constexpr const char* long_job = "primes --to 10000000000";
/// What is accepted of it is final unit by unit.
inline constexpr const char* long_job_by_copies = "primes --to 10000000000 --copies 2";
inline constexpr const char* long_answer = "455052511";

}  // namespace dugnad::e2e
