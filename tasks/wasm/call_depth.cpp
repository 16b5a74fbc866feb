#include "tasks/wasm/call_depth.h"

#include <algorithm>
#include <map>

#include "tasks/wasm/admission.h"
#include "tasks/wasm/limits.h"

namespace dugnad::tasks::wasm {
namespace {

using Nodes = std::vector<std::uint32_t>;

/// Functions come first, then one node for each distinct signature, which stands for an indirect call of it.
struct Graph {
  std::vector<Nodes> edges;
  Nodes node_of_type;

  explicit Graph(const Module& module) {
    const auto functions = static_cast<std::uint32_t>(module.functions_total());
    edges.resize(functions);
    std::map<Signature, std::uint32_t> nodes;
    for (const Signature& type : module.types) {
      const auto [node, is_new] = nodes.try_emplace(type, static_cast<std::uint32_t>(edges.size()));
      if (is_new) edges.emplace_back();
      node_of_type.push_back(node->second);
    }
    for (const std::uint32_t function : module.addressed) edges[node_of_type[module.type_of(function)]].push_back(function);
    for (std::uint32_t i = 0; i < module.functions.size(); ++i) {
      const Function& function = module.functions[i];
      Nodes& out = edges[module.imported_functions.size() + i];
      out = function.calls;
      for (const std::uint32_t type : function.indirect_calls) out.push_back(node_of_type[type]);
    }
  }
};

/// Tarjan's strongly connected components, without recursion: the graph is a stranger's. Components come callees first.
std::vector<Nodes> components(const std::vector<Nodes>& edges) {
  constexpr std::uint32_t unseen = UINT32_MAX;
  struct Visit {
    std::uint32_t node;
    std::size_t next = 0;
  };
  std::vector<std::uint32_t> order(edges.size(), unseen), low(edges.size(), 0);
  std::vector<bool> waits(edges.size(), false);
  Nodes waiting;
  std::vector<Nodes> found;
  std::uint32_t count = 0;
  for (std::uint32_t root = 0; root < edges.size(); ++root) {
    if (order[root] != unseen) continue;
    std::vector<Visit> path;
    const auto enter = [&](std::uint32_t node) {
      order[node] = low[node] = count++;
      waits[node] = true;
      waiting.push_back(node);
      path.push_back({node});
    };
    enter(root);
    while (!path.empty()) {
      Visit& visit = path.back();
      const std::uint32_t node = visit.node;
      if (visit.next < edges[node].size()) {
        const std::uint32_t to = edges[node][visit.next++];
        if (order[to] == unseen) {
          enter(to);
        } else if (waits[to]) {
          low[node] = std::min(low[node], order[to]);
        }
        continue;
      }
      path.pop_back();
      if (!path.empty()) low[path.back().node] = std::min(low[path.back().node], low[node]);
      if (low[node] != order[node]) continue;
      Nodes& component = found.emplace_back();
      do {
        component.push_back(waiting.back());
        waits[waiting.back()] = false;
        waiting.pop_back();
      } while (component.back() != node);
    }
  }
  return found;
}

bool is_cycle(const Nodes& component, const std::vector<Nodes>& edges) {
  return component.size() > 1 || std::ranges::find(edges[component[0]], component[0]) != edges[component[0]].end();
}

}  // namespace

DepthPlan plan_depth(const Module& module) {
  using Role = DepthPlan::Role;
  const Graph graph(module);
  const std::size_t functions = module.functions_total();
  DepthPlan plan;
  plan.weights.resize(functions, 0);  // what a host function takes is the engine's share of the stack
  for (std::size_t i = 0; i < module.functions.size(); ++i) {
    plan.weights[module.imported_functions.size() + i] = static_cast<std::uint32_t>(frame_weight(module, module.functions[i]));
  }
  std::vector<Role> roles(graph.edges.size(), Role::free);
  std::vector<std::uint64_t> chain(graph.edges.size(), 0);  // the heaviest way down from here of what is not counted
  std::uint64_t heaviest = 0;
  for (const Nodes& component : components(graph.edges)) {
    const bool cycle = is_cycle(component, graph.edges);
    std::uint64_t below = 0;
    Role role = cycle ? Role::counted : Role::free;
    for (const std::uint32_t node : component) {
      for (const std::uint32_t to : graph.edges[node]) {
        below = std::max(below, chain[to]);  // zero within the component, which is not done yet
        if (!cycle && roles[to] != Role::free) role = Role::carries;
      }
    }
    for (const std::uint32_t node : component) {
      roles[node] = role;
      chain[node] = below + (cycle || node >= functions ? 0 : plan.weights[node]);
      heaviest = std::max(heaviest, chain[node]);
    }
  }
  // A chain that takes half the stack is no ordinary program's; rather than refuse it, count every function.
  if (heaviest > limits::stack_bytes / 2) {
    std::ranges::fill(roles, Role::counted);
    std::fill_n(roles.begin(), module.imported_functions.size(), Role::free);
    heaviest = 0;
  }
  plan.limit = static_cast<std::uint32_t>(limits::stack_bytes - heaviest);
  for (const std::uint32_t node : graph.node_of_type) plan.leads_on_by_type.push_back(roles[node] != Role::free);
  plan.roles.assign(roles.begin(), roles.begin() + static_cast<std::ptrdiff_t>(functions));
  return plan;
}

}  // namespace dugnad::tasks::wasm
