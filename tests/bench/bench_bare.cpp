// What the benchmarks run beside the product: the same work without it.
//
//   bench_bare worker ENDPOINT KEY       a DEALER that returns every message, until it is ended
//   bench_bare listener                  prints ENDPOINT KEY of a ROUTER that returns every message, until it is ended
//   bench_bare loop UNITS MICROSECONDS THREADS
//                                        runs the units in a TBB loop and prints the seconds that took
#include <sched.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <zmq.hpp>

#include "tests/bench/curve.h"
#include "tests/bench/process.h"
#include "tests/bench/spin.h"

namespace {

using namespace dugnad::bench;

[[noreturn]] void return_every_message(zmq::socket_t& socket) {
  while (true) {
    zmq::message_t frame;
    (void)socket.recv(frame);
    const bool more = frame.more();
    socket.send(frame, more ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
}

[[noreturn]] void be_worker(const std::string& endpoint, const std::string& server) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  be_curve_client(socket, fresh_curve_keys(), server);
  socket.connect(endpoint);
  socket.send(zmq::str_buffer("here"));
  return_every_message(socket);
}

[[noreturn]] void be_listener() {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::router);
  const CurveKeys keys = fresh_curve_keys();
  be_curve_server(socket, keys);
  socket.bind("tcp://127.0.0.1:*");
  std::printf("%s %s\n", socket.get(zmq::sockopt::last_endpoint).c_str(), keys.open.c_str());
  std::fflush(stdout);
  return_every_message(socket);
}

/// In SCHED_IDLE, as our attempts run: beside a loop of normal priority the row would show, on a machine that has other things to do, how
/// polite our executor is and nothing else.
int run_loop(int units, std::chrono::microseconds cost, int threads) {
  const sched_param none{};
  (void)::sched_setscheduler(0, SCHED_IDLE, &none);  // inherited by TBB's threads
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  tbb::task_arena arena(threads);
  const auto run = [&](int count, std::chrono::nanoseconds each) {
    const auto start = Clock::now();
    arena.execute([&] {
      tbb::parallel_for(
          0, count, [&](int) { spin(each); }, tbb::simple_partitioner());
    });
    return seconds_since(start);
  };
  (void)run(threads * 64, std::chrono::microseconds(100));  // until all threads are there
  std::printf("%.6f\n", run(units, cost));
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "worker" && argc == 4) be_worker(argv[2], argv[3]);
  if (what == "listener" && argc == 2) be_listener();
  if (what == "loop" && argc == 5) return run_loop(std::atoi(argv[2]), std::chrono::microseconds(std::atoi(argv[3])), std::atoi(argv[4]));
  give_up("bench_bare: see its source for what it takes");
}
