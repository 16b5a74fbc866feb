#include "sdk/cli/task_parameters.h"

#include <charconv>
#include <optional>

#include "sdk/cli/nearest.h"

namespace dugnad::sdk::cli {
namespace {

/// Decimal digits, or digits with a power of ten: 1e10. nullopt for anything else, and for what 64 bits cannot hold.
std::optional<std::uint64_t> read_number(std::string_view text) {
  const std::string_view digits = text.substr(0, text.find_first_of("eE"));
  const auto read = [](std::string_view all, auto& number) {
    const auto [end, error] = std::from_chars(all.data(), all.data() + all.size(), number);
    return error == std::errc{} && end == all.data() + all.size();
  };
  std::uint64_t number = 0;
  if (!read(digits, number)) return std::nullopt;
  if (digits.size() == text.size()) return number;
  unsigned exponent = 0;
  if (!read(text.substr(digits.size() + 1), exponent)) return std::nullopt;
  for (; exponent > 0 && number != 0; --exponent) {
    if (__builtin_mul_overflow(number, std::uint64_t{10}, &number)) return std::nullopt;
  }
  return number;
}

struct Typed {
  std::string name;
  std::string value;
};

/// Arguments taken apart into names and values; an error says which of them is neither.
Result<std::vector<Typed>> take_apart(const tasks::Task& task, const std::vector<std::string>& arguments) {
  std::vector<Typed> typed;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!argument.starts_with("--") || argument.size() == 2) {
      return Error{"what is '" + argument + "'? Parameters of " + task.name + " are written as --NAME VALUE"};
    }
    const auto equals = argument.find('=');
    if (equals != argument.npos) {
      typed.push_back({argument.substr(2, equals - 2), argument.substr(equals + 1)});
    } else if (i + 1 < arguments.size() && !arguments[i + 1].starts_with("--")) {
      typed.push_back({argument.substr(2), arguments[++i]});
    } else {
      typed.push_back({argument.substr(2), ""});  // without a value; who wants one says so
    }
  }
  return typed;
}

std::vector<std::string> names_of(const tasks::Task& task) {
  std::vector<std::string> names;
  for (const tasks::Parameter& parameter : task.parameters) names.push_back("--" + parameter.name);
  return names;
}

const tasks::Parameter* find(const tasks::Task& task, const std::string& name) {
  for (const tasks::Parameter& parameter : task.parameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

}  // namespace

Result<const tasks::Task*> find_task(const tasks::TaskTable& tasks, const std::string& name) {
  if (const tasks::Task* task = tasks.find(name)) return task;
  std::vector<std::string> names;
  for (const auto& [known, task] : tasks.all()) names.push_back(known);
  return Error{"there is no task '" + name + "'" + suggestion(name, names) + "; there are " + joined(names)};
}

Result<tasks::Parameters> read_parameters(const tasks::Task& task, const std::vector<std::string>& arguments,
                                          const std::vector<std::string>& options) {
  const auto typed = take_apart(task, arguments);
  if (!typed) return typed.error();
  tasks::Parameters given;
  for (const auto& [name, value] : *typed) {
    const tasks::Parameter* parameter = find(task, name);
    if (parameter == nullptr) {
      std::vector<std::string> names = names_of(task);
      const std::string there = names.empty() ? "none" : joined(names);
      names.insert(names.end(), options.begin(), options.end());
      return Error{task.name + " has no parameter --" + name + suggestion("--" + name, names) + "; its parameters: " + there};
    }
    const std::string range = std::to_string(parameter->least) + " to " + std::to_string(parameter->most);
    if (value.empty()) return Error{"--" + name + " wants a number, " + range + ": " + parameter->help};
    const auto number = read_number(value);
    if (!number) return Error{"--" + name + " wants a whole number, " + range + ", and '" + value + "' is none"};
    if (!given.emplace(name, *number).second) return Error{"--" + name + " is given twice"};
  }
  return tasks::check_parameters(task, given);
}

std::string command_line_of(const std::string& task, const tasks::Parameters& parameters) {
  std::string line = task;
  for (const auto& [name, value] : parameters) line += " --" + name + " " + std::to_string(value);
  return line;
}

}  // namespace dugnad::sdk::cli
