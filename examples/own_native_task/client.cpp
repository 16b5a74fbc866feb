// Maps the task `vowels` over the lines of standard input, on the swarm behind a contact; `vowels_worker` computes it.
//   vowels_client CONTACT < TEXT
#include <cstdio>
#include <iostream>

#include "dugnad/typed.h"
#include "examples/own_native_task/vowels.h"

namespace {

int complain(const std::string& what) {
  std::fprintf(stderr, "vowels_client: %s\n", what.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return complain("usage: vowels_client CONTACT < TEXT");
  dugnad::sdk::SwarmOptions options{.join = {argv[1]}};
  options.tasks.add(vowels::task());
  options.log = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  auto swarm = dugnad::sdk::Swarm::join(std::move(options));
  if (!swarm) return complain(swarm.error().message);

  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
  auto job = dugnad::sdk::map<vowels::Vowels>(*swarm, "vowels", lines);  // two peers must agree: the worker's and this process
  if (!job) return complain(job.error().message);
  const auto counts = job->all();
  if (!counts) return complain(counts.error().message);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& [a, e, i_, o, u] = (*counts)[i];
    std::printf("a %u e %u i %u o %u u %u: %s\n", a, e, i_, o, u, lines[i].c_str());
  }
}
