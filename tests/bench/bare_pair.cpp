#include "tests/bench/bare_pair.h"

#include "tests/bench/curve.h"

namespace dugnad::bench {

BarePair::BarePair() : router_(context_, zmq::socket_type::router) {
  const CurveKeys keys = fresh_curve_keys();
  be_curve_server(router_, keys);
  router_.set(zmq::sockopt::rcvtimeo, 60'000);
  router_.bind("tcp://127.0.0.1:*");
  worker_ = std::make_unique<Child>("bench_bare", std::vector<std::string>{"worker", router_.get(zmq::sockopt::last_endpoint), keys.open});
  zmq::message_t id, greeting;
  if (!router_.recv(id) || !router_.recv(greeting)) give_up("the bare worker does not connect");
  worker_id_ = id.to_string();
}

void BarePair::send(std::size_t bytes) {
  router_.send(zmq::buffer(worker_id_), zmq::send_flags::sndmore);
  router_.send(zmq::message_t(bytes), zmq::send_flags::none);
}

void BarePair::receive() {
  zmq::message_t id, body;
  if (!router_.recv(id) || !router_.recv(body)) give_up("the bare worker does not answer");
}

double BarePair::units_per_second(std::size_t units, std::size_t unit_bytes, std::size_t batch, std::size_t in_flight) {
  const std::size_t messages = units / batch, ahead = in_flight / batch;
  const auto start = Clock::now();
  std::size_t sent = 0;
  for (std::size_t received = 0; received < messages; ++received) {
    for (; sent < messages && sent - received < ahead; ++sent) send(batch * unit_bytes);
    receive();
  }
  return static_cast<double>(messages * batch) / seconds_since(start);
}

Samples BarePair::round_trips(std::size_t count, std::size_t bytes) {
  Samples trips;
  for (std::size_t i = 0; i < count; ++i) {
    const auto start = Clock::now();
    send(bytes);
    receive();
    trips.push_back(seconds_since(start));
  }
  return trips;
}

}  // namespace dugnad::bench
