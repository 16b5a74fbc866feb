#include "coordinatorless/core/bulk_serving.h"

#include <algorithm>
#include <tuple>

#include "coordinatorless/core/limits.h"

namespace dugnad::core::bulk {
namespace {

double cost_of(const BlobId& blob, std::uint32_t index) {
  return static_cast<double>(chunk_length(blob.length, index)) + limits::bulk_frame_overhead;
}

}  // namespace

void Serving::limit(double bytes_per_second) {
  constexpr double least_burst = 2 * (static_cast<double>(chunk_bytes) + limits::bulk_frame_overhead);
  if (bytes_per_second > 0) all_.emplace(bytes_per_second, std::max(bytes_per_second, least_burst));
}

Serving::Service* Serving::service_of(const PeerId& peer) {
  if (!services_.contains(peer) && services_.size() >= limits::bulk_services_max) {
    const auto idle = std::find_if(services_.begin(), services_.end(), [](const auto& entry) { return entry.second.chunks.empty(); });
    if (idle == services_.end()) return nullptr;  // it will ask again
    services_.erase(idle);
  }
  const TokenBucket bucket = direct_.contains(peer) ? TokenBucket(limits::bulk_bytes_per_second, limits::bulk_burst_bytes)
                                                    : TokenBucket(limits::bulk_relayed_bytes_per_second, limits::bulk_relayed_burst_bytes);
  return &services_.try_emplace(peer, Service{bucket}).first->second;
}

std::vector<std::uint32_t>& Serving::sent(const BlobId& blob) {
  if (!spreading_.contains(blob) && spreading_.size() >= limits::bulk_spread_max) {
    spreading_.erase(std::min_element(spreading_.begin(), spreading_.end(),
                                      [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  Spreading& spreading = spreading_[blob];
  spreading.sent.resize(chunk_count(blob.length));
  spreading.used = ++uses_;
  return spreading.sent;
}

Serving::Answer Serving::on(const PeerId& from, const Request& request) {
  Service* service = service_of(from);
  if (service == nullptr) return {};
  if (service->chunks.size() + request.count > limits::bulk_credits) return {.greedy = true};
  std::vector<std::uint32_t>& times = sent(request.blob);
  const auto on_its_way = [&](std::uint32_t index) {
    return std::find(service->lately.begin(), service->lately.end(), std::pair(request.blob, index)) != service->lately.end();
  };
  // What may still be on its way to that peer comes last, then what was sent most often.
  std::vector<std::tuple<bool, std::uint32_t, std::uint32_t>> wanted;
  for (std::uint32_t i = 0; i < times.size(); ++i) {
    if (request.wanted.has(i) && !(request.fresh && times[i] > 0)) wanted.emplace_back(on_its_way(i), times[i], i);
  }
  const std::size_t count = std::min<std::size_t>(request.count, wanted.size());
  std::partial_sort(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(count), wanted.end());
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t index = std::get<2>(wanted[i]);
    ++times[index];
    service->chunks.emplace_back(request.blob, index);
    service->lately.emplace_back(request.blob, index);
    if (service->lately.size() > 2 * limits::bulk_credits) service->lately.pop_front();
  }
  if (count == request.count) return {};
  return {.greedy = false, .spread = Spread{request.blob, static_cast<std::uint8_t>(request.count - count)}};
}

std::vector<Serving::Due> Serving::take(BootTime now) {
  std::vector<Due> due;
  std::size_t passed = 0;  // in a row, that could not be served
  auto next = services_.upper_bound(last_);
  while (passed < services_.size()) {
    if (next == services_.end()) next = services_.begin();
    auto& [peer, service] = *next++;
    ++passed;
    if (service.chunks.empty()) continue;
    const auto [blob, index] = service.chunks.front();
    const double cost = cost_of(blob, index);
    if (all_ && all_->ready_at(cost) > now) break;
    if (!service.bytes.take(cost, now)) continue;
    if (all_) (void)all_->take(cost, now);
    service.chunks.pop_front();
    due.push_back({peer, blob, index});
    last_ = peer;
    passed = 0;
  }
  return due;
}

BootTime Serving::next_deadline() const {
  BootTime next = never;
  for (const auto& [peer, service] : services_) {
    if (service.chunks.empty()) continue;
    const auto& [blob, index] = service.chunks.front();
    BootTime ready = service.bytes.ready_at(cost_of(blob, index));
    if (all_) ready = std::max(ready, all_->ready_at(cost_of(blob, index)));
    next = std::min(next, ready);
  }
  return next;
}

}  // namespace dugnad::core::bulk
