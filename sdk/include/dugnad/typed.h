// The SDK for values instead of bytes: values.h says which, and how they travel.
//
//   auto job = dugnad::sdk::map<double>(*swarm, "square", std::vector<double>{1, 2, 3});
//   while (auto result = job->next()) use(result->unit, *result->output);
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "dugnad/swarm.h"
#include "dugnad/values.h"

namespace dugnad::sdk {

template <class Out>
struct TypedResult {
  std::uint64_t unit = 0;     // which input, from 0
  std::optional<Out> output;  // none where the unit failed
  std::string reason;         // why
};

/// A job whose outputs are values. Everything else is Job's.
template <class Out>
class TypedJob {
 public:
  explicit TypedJob(Job job) : job_(std::move(job)) {}

  /// As Job::next(). An output that is no Out counts as failed here: the task returns something else than this program believes.
  [[nodiscard]] std::optional<TypedResult<Out>> next() {
    auto result = job_.next();
    if (!result) return std::nullopt;
    TypedResult<Out> typed{result->unit, std::nullopt, std::move(result->reason)};
    if (!result->ok) return typed;
    typed.output = from_unit<Out>(result->output);
    if (!typed.output) typed.reason = "its output of " + std::to_string(result->output.size()) + " bytes is not of the expected type";
    return typed;
  }

  /// Blocks until the job has ended: every output, in the order of the inputs. An error where a unit failed, or not all were computed.
  [[nodiscard]] Result<std::vector<Out>> all() {
    std::vector<std::optional<Out>> found;
    while (auto result = next()) {
      if (!result->output) return Error{"unit " + std::to_string(result->unit) + ": " + result->reason};
      if (result->unit >= found.size()) found.resize(result->unit + 1);
      found[result->unit] = std::move(result->output);
    }
    const auto end = job_.end();
    if (!end) return end.error();
    if (end->kind == EndKind::cancelled) return Error{"the job was cancelled"};
    if (end->kind == EndKind::swarm_left) return Error{"the swarm was left before the job's end"};
    std::vector<Out> outputs;
    outputs.reserve(found.size());
    for (std::optional<Out>& output : found) {
      if (!output) return Error{"all() takes every result itself; some were taken before"};
      outputs.push_back(*std::move(output));
    }
    return outputs;
  }

  [[nodiscard]] Job& job() { return job_; }

 private:
  Job job_;
};

/// As Swarm::map(), by a task's name or with a Module.
template <class Out, class In, class Program>
requires std::is_convertible_v<const Program&, std::string> || std::is_same_v<Program, Module>
[[nodiscard]] Result<TypedJob<Out>> map(Swarm& swarm, const Program& program, const std::vector<In>& inputs, JobOptions options = {}) {
  std::vector<Bytes> units;
  units.reserve(inputs.size());
  for (const In& input : inputs) units.push_back(to_unit(input));
  auto job = swarm.map(program, std::move(units), options);
  if (!job) return job.error();
  return TypedJob<Out>(*std::move(job));
}

}  // namespace dugnad::sdk
