// mandelbrot: a picture from the swarm, with progress on the way. The built-in task cuts the picture into tiles and puts them together.
//   mandelbrot PICTURE.png CONTACT    asks the swarm behind a worker's contact
//   mandelbrot PICTURE.png            alone: this process computes
#include <cstdio>

#include "dugnad/picture_png.h"
#include "dugnad/swarm.h"

namespace {

int complain(const std::string& what) {
  std::fprintf(stderr, "mandelbrot: %s\n", what.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return complain("usage: mandelbrot PICTURE.png [CONTACT]...");
  const bool alone = argc == 2;
  auto swarm = dugnad::sdk::Swarm::join({.join = {argv + 2, argv + argc}, .alone = alone});
  if (!swarm) return complain(swarm.error().message);
  auto job = swarm->run("mandelbrot", {{"width", 600}, {"height", 400}}, {.copies = alone ? 1u : 2u});
  if (!job) return complain(job.error().message);

  std::size_t tiles = 0;
  while (auto tile = job->next()) {
    ++tiles;
    std::fprintf(stderr, "\r%zu of %llu tiles", tiles, 1ull * job->progress().units_expected.value_or(0));
  }
  std::fprintf(stderr, "\n");

  const auto answer = job->answer();
  if (!answer) return complain(answer.error().message);
  const auto written = dugnad::sdk::write_png(*answer->picture, argv[1]);
  if (!written) return complain(written.error().message);
  std::printf("%s: %s points of it did not escape\n", argv[1], answer->text.c_str());
}
