#include "sdk/request.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/limits.h"
#include "sdk/module_image.h"

namespace dugnad::sdk {
namespace {

constexpr unsigned copies_max = 16;  // more would make a swarm of strangers no more honest, only slower

Hash hash_of_all(const std::vector<Bytes>& inputs) {
  Hasher hasher;
  for (const Bytes& input : inputs) hasher.add(std::uint64_t{input.size()}).add(input);
  return hasher.finish();
}

Result<std::optional<core::WantedConfidence>> wanted_confidence(Recipe::Kind kind, const JobOptions& options) {
  if (!options.confidence) return std::optional<core::WantedConfidence>();
  const Confidence& confidence = *options.confidence;
  if (!(confidence.probability > 0 && confidence.probability <= 1 - 1e-9)) {
    return Error{"a confidence lies between 0 and 0.999999999; nothing is certain"};
  }
  if (!(confidence.assume >= 0 && confidence.assume <= core::limits::assumed_ppm_max / 1e6)) {
    return Error{"the share of saboteurs that a confidence assumes lies between 0 and 0.95"};
  }
  core::WantedConfidence wanted;
  wanted.error_ppb = static_cast<std::uint32_t>(std::clamp(std::round((1 - confidence.probability) * 1e9), 1.0, 999'999'999.0));
  wanted.combined = kind == Recipe::Kind::run && !confidence.per_unit;
  wanted.assumed_ppm = static_cast<std::uint32_t>(std::round(confidence.assume * 1e6));
  wanted.stream = confidence.stream;
  return std::optional(wanted);
}

std::optional<Error> fault_of_known(Recipe::Kind kind, const JobOptions& options) {
  if (options.known.empty()) return std::nullopt;
  if (kind != Recipe::Kind::map && kind != Recipe::Kind::stream) return Error{"known answers are for jobs that are mapped over inputs"};
  if (!options.confidence) return Error{"known answers want a confidence, since only that convicts anybody"};
  if (options.known.size() > core::limits::known_answers_max) {
    return Error{"there are at most " + std::to_string(core::limits::known_answers_max) + " known answers in a job"};
  }
  for (const KnownAnswer& answer : options.known) {
    if (answer.input.size() < small_bytes_max) continue;
    return Error{"the input of a known answer has less than " + std::to_string(small_bytes_max) + " bytes"};
  }
  return std::nullopt;
}

Result<Recipe> recipe_of(Recipe::Kind kind, const std::string& task, std::uint32_t version, const JobOptions& options) {
  if (options.copies < 1 || options.copies > copies_max) {
    return Error{"copies is " + std::to_string(options.copies) + ", and may be 1 to " + std::to_string(copies_max)};
  }
  if (options.unit_timeout.count() <= 0) return Error{"a unit's time-out must be longer than nothing"};
  if (options.stewards > core::limits::stewards_max) {
    return Error{"stewards is " + std::to_string(options.stewards) + ", and may be 0 to " + std::to_string(core::limits::stewards_max)};
  }
  if (options.source.size() > source_max) return Error{"a job's source has at most " + std::to_string(source_max) + " bytes"};
  const auto confidence = wanted_confidence(kind, options);
  if (!confidence) return confidence.error();
  if (auto fault = fault_of_known(kind, options)) return *std::move(fault);
  return Recipe{.kind = kind,
                .task = task,
                .task_version = version,
                .copies = *confidence ? 1 : options.copies,
                .unit_timeout = options.unit_timeout,
                .parameters = {},
                .inputs = {},
                .source = options.source,
                .confidence = *confidence,
                .stewards = options.stewards};
}

Source source_of(InputsPlan::Next next, std::optional<std::uint64_t> expected) {
  auto plan = std::make_unique<InputsPlan>(std::move(next), expected);
  Source source;
  source.inputs = plan.get();
  source.plan = std::move(plan);
  return source;
}

}  // namespace

Result<Recipe> recipe_of(Recipe::Kind kind, const tasks::Task& task, const JobOptions& options) {
  if (options.memory_bytes > 0 || options.fuel > 0) return Error{"memory and fuel are limits of modules; " + task.name + " is none"};
  return recipe_of(kind, task.name, task.version, options);
}

Result<Recipe> recipe_of(Recipe::Kind kind, const Module& module, const JobOptions& options) {
  auto recipe = recipe_of(kind, module.name(), 1, options);
  if (!recipe) return recipe;
  if (const auto fits = module.check(options.memory_bytes, options.fuel); !fits) return fits.error();
  recipe->module = module.image().id;
  recipe->memory_bytes = options.memory_bytes;
  recipe->fuel = options.fuel;
  return recipe;
}

Result<Source> known_inputs(std::vector<Bytes> inputs, Recipe& recipe) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (auto fault = fault_of_input(i, inputs[i].size())) return *std::move(fault);
  }
  recipe.inputs = hash_of_all(inputs);
  const std::uint64_t count = inputs.size();
  auto next = [held = std::make_shared<std::vector<Bytes>>(std::move(inputs)), at = std::size_t{0}]() mutable -> std::optional<Bytes> {
    if (at == held->size()) return std::nullopt;
    return std::move((*held)[at++]);
  };
  return source_of(std::move(next), count);
}

Result<Source> coming_inputs(Inputs<Bytes> next, const JobOptions& options, Recipe& recipe) {
  auto first = next();
  if (!first) return first.error();
  if (*first) recipe.inputs = hash_of(**first);
  auto rest = [first = *std::move(first), next = std::move(next)]() mutable -> Result<std::optional<Bytes>> {
    if (!next) return std::optional<Bytes>();
    if (first) return std::exchange(first, std::nullopt);
    auto input = next();
    if (!input || !*input) next = nullptr;
    return input;
  };
  return source_of(std::move(rest), options.units_expected);
}

}  // namespace dugnad::sdk
