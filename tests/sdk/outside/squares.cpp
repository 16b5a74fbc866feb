// Somebody else's program: a map of a few units, computed by this process alone.
#include <dugnad/typed.h>

#include <cstdio>

int main() {
  dugnad::sdk::SwarmOptions options{.alone = true, .listen = "none", .journal = false};
  options.tasks.add(dugnad::task_of<std::uint64_t, std::uint64_t>("square", 1, [](std::uint64_t n) { return n * n; }));
  auto swarm = dugnad::sdk::Swarm::join(std::move(options));
  if (!swarm) return std::puts(swarm.error().message.c_str()), 1;
  auto job = dugnad::sdk::map<std::uint64_t>(*swarm, "square", std::vector<std::uint64_t>{0, 1, 2, 3}, {.copies = 1});
  if (!job) return std::puts(job.error().message.c_str()), 1;
  const auto squares = job->all();
  if (!squares) return std::puts(squares.error().message.c_str()), 1;
  for (std::size_t i = 0; i < squares->size(); ++i) std::printf("%s%d", i == 0 ? "" : " ", static_cast<int>((*squares)[i]));
  std::puts("");
}
