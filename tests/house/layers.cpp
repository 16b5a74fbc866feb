// The layers, as ARCHITECTURE.md draws them: a folder includes itself, what stands in its row, and nothing else of ours.
#include <algorithm>
#include <array>
#include <optional>

#include "tests/house/includes.h"
#include "tests/house/rules.h"

namespace dugnad::house {
namespace {

using Names = std::vector<std::string_view>;

struct Layer {
  std::string_view name;
  Names folders;  // longest match wins; an entry may also be the beginning of a file's name
  Names may_include;
  std::string_view why;
};

const std::array layers{
    Layer{"base", {"coordinatorless/base/"}, {}, "base is the vocabulary of everybody and knows nobody"},
    Layer{"core",
          {"coordinatorless/core/"},
          {"base"},
          "the core does no I/O and drives nothing: a driver, a disk or a task that it knew could not be simulated"},
    Layer{"zmq",
          {"coordinatorless/zmq/"},
          {"base", "core"},
          "a driver carries the core's effects out and knows neither its sibling nor what is computed or stored"},
    Layer{"sim",
          {"coordinatorless/sim/"},
          {"base", "core"},
          "the simulator drives the very core that ships and nothing else of the product, so that a seed replays"},
    Layer{
        "store", {"coordinatorless/store/"}, {"base"}, "the store keeps rows; who asked for them and what they mean is none of its affair"},
    Layer{"tasks", {"tasks/"}, {"base"}, "a task is bytes in, bytes out, and compiles for wasm32: it knows no peers and no machine"},
    Layer{"worker",
          {"worker/"},
          {"base", "tasks"},
          "executor and donation policy know no peers: the submitter links them too, and tests run them without a network"},
    Layer{"worker's composition root",
          {"worker/main", "worker/run_worker", "worker/node", "worker/bulk_thread", "worker/owner", "worker/held_jobs"},
          {"base", "core", "zmq", "store", "tasks", "worker", "sdk"},
          "the product links no simulator"},
    Layer{"sdk",
          {"sdk/", "dugnad/"},
          {"base", "core", "zmq", "store", "tasks", "worker", "worker's composition root"},
          "the product links no simulator"},
    Layer{"examples", {"examples/"}, {}, "an example sees only what a user sees"},
    Layer{"tests",
          {"tests/"},
          {"base", "core", "zmq", "sim", "store", "tasks", "worker", "worker's composition root", "sdk", "examples"},
          "tests may see everything"},
};

// What a user of the installed library includes, besides dugnad/.
constexpr std::array public_headers{std::string_view("worker/run_worker.h"), std::string_view("tasks/task.h")};

const Layer* layer_of(std::string_view path) {
  const Layer* best = nullptr;
  std::size_t length = 0;
  for (const Layer& layer : layers) {
    for (const std::string_view folder : layer.folders) {
      if (path.starts_with(folder) && folder.size() > length) best = &layer, length = folder.size();
    }
  }
  return best;
}

bool is_public(std::string_view included) {
  return included.starts_with("dugnad/") || included.starts_with("examples/") ||
         std::find(public_headers.begin(), public_headers.end(), included) != public_headers.end();
}

std::string joined(const Names& names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text.empty() ? "nothing" : text;
}

std::optional<Violation> check(const Source& source, const Layer& from, const Include& include) {
  const auto violation = [&](std::string rule, std::string instead) {
    return Violation{source.path, include.line, std::move(rule), std::move(instead)};
  };
  const Layer* to = layer_of(include.path);
  if (!to) {
    if (!include.quoted) return std::nullopt;  // a library's; check_libraries looks at it
    return violation("\"" + include.path + "\" is no path from the repository's root",
                     "write the path from the root, as in \"tasks/task.h\"");
  }
  if (from.name == "examples") {
    if (is_public(include.path)) return std::nullopt;
    return violation(std::string(from.why) + "; it includes " + include.path,
                     "include \"dugnad/...\", \"worker/run_worker.h\" or \"tasks/task.h\"; what is missing there belongs into the SDK");
  }
  if (to == &from || std::find(from.may_include.begin(), from.may_include.end(), to->name) != from.may_include.end()) return std::nullopt;
  return violation(std::string(from.name) + " includes " + std::string(to->name) + " (" + include.path + "): " + std::string(from.why),
                   std::string(from.name) + " may include " + joined(from.may_include) +
                       "; pass what it needs in as a value or a function, from worker/node.cpp or sdk/");
}

}  // namespace

Violations check_layers(const Source& source) {
  if (!source.is_header() && !source.is_cpp()) return {};
  const Layer* from = layer_of(source.path);
  if (!from) {
    return {{source.path, 1, "this folder is no layer, so that no rule says what it may include",
             "move the file into a folder that is one, or add a row with its reason to tests/house/layers.cpp"}};
  }
  Violations violations;
  for (const Include& include : includes_of(source)) {
    if (auto violation = check(source, *from, include)) violations.push_back(std::move(*violation));
  }
  return violations;
}

}  // namespace dugnad::house
