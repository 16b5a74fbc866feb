// A whole job in one process, without peers: hand out, run, accept. What the tests of tasks are written in.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tasks/task.h"
#include "tasks/wire.h"

namespace dugnad::tasks {

struct Finished {
  std::vector<Bytes> inputs;
  std::vector<Bytes> outputs;
  Answer answer;
};

enum class Order { handed_out, reversed };

inline const TaskTable& builtins() {
  static const TaskTable table = builtin_tasks();
  return table;
}

inline const Task& builtin(const std::string& name) {
  const Task* task = builtins().find(name);
  REQUIRE(task != nullptr);
  return *task;
}

inline std::unique_ptr<Plan> plan_of(const std::string& name, const Parameters& given) {
  const Task& task = builtin(name);
  const auto checked = check_parameters(task, given);
  REQUIRE_MESSAGE(checked.ok(), (checked.ok() ? "" : checked.error().message));
  return task.plan(*checked);
}

/// Accepts whatever was handed out in the given order, until the plan has no more.
inline Finished finish(const std::string& name, const Parameters& given, Order order = Order::handed_out) {
  const Task& task = builtin(name);
  const auto plan = plan_of(name, given);
  Finished job;
  while (!plan->exhausted()) {
    const std::size_t first = job.inputs.size();
    while (auto input = plan->next()) job.inputs.push_back(std::move(*input));
    REQUIRE(job.inputs.size() > first);
    for (std::size_t i = first; i < job.inputs.size(); ++i) job.outputs.push_back(task.run(job.inputs[i], StopToken()));
    std::vector<std::size_t> places;
    for (std::size_t i = first; i < job.inputs.size(); ++i) places.push_back(i);
    if (order == Order::reversed) std::reverse(places.begin(), places.end());
    for (const std::size_t i : places) {
      const auto accepted = plan->accept(UnitIndex{i}, job.outputs[i]);
      REQUIRE_MESSAGE(accepted.ok(), (accepted.ok() ? "" : accepted.error().message));
    }
  }
  CHECK(plan->units_expected() == job.inputs.size());
  job.answer = plan->answer();
  return job;
}

inline std::string answer(const std::string& name, const Parameters& given) { return finish(name, given).answer.text; }

/// The parameters with which a task cuts the most and the largest units.
inline Parameters largest(const Task& task) {
  Parameters parameters;
  for (const Parameter& parameter : task.parameters) parameters[parameter.name] = parameter.most;
  return parameters;
}

/// A unit that costs as much as any that the task's plan cuts.
inline Bytes dearest_unit(const Task& task) {
  if (task.name == "golomb") {
    // Of 14 marks, as long as a budget can be; before it stand the lengths of the rulers of 2 to 13 marks.
    Writer unit;
    unit.u8(14).u8(128);
    for (const std::uint8_t length : {1, 3, 6, 11, 17, 25, 34, 44, 55, 72, 85, 106}) unit.u8(length);
    return unit.u16(0).u16(40).u32(1u << 26).u8(0).take();
  }
  if (task.name == "factors") return Writer().u64(999'999'999'999'985).u16(5).take();  // one of them is prime
  // Of a picture, the tile within the bulb of period 3, where nothing escapes; of stretches of numbers, the last.
  const auto plan = task.plan(largest(task));
  const std::uint64_t units = plan->units_expected().value();
  const std::uint64_t chosen = task.name == "mandelbrot" ? 94 * 128 + 90 : units - 1;
  for (std::uint64_t i = 0; i < chosen; ++i) static_cast<void>(plan->next().value());
  return plan->next().value();
}

}  // namespace dugnad::tasks
