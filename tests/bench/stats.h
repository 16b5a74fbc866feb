// What is made of repeated measurements. The machine is shared and its clock wanders, so nothing here is a mean: a median, and how far the
// middle half of the samples lies apart.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dugnad::bench {

using Samples = std::vector<double>;

/// The sample below which `share` of them lie, interpolated; 0 of none.
[[nodiscard]] inline double quantile(Samples samples, double share) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const double at = share * static_cast<double>(samples.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const auto above = std::min(below + 1, samples.size() - 1);
  return samples[below] + (samples[above] - samples[below]) * (at - static_cast<double>(below));
}

[[nodiscard]] inline double median(const Samples& samples) { return quantile(samples, 0.5); }

/// Half of what the middle half of the samples spans, as a share of their median.
[[nodiscard]] inline double spread(const Samples& samples) {
  const double middle = median(samples);
  return middle == 0 ? 0 : (quantile(samples, 0.75) - quantile(samples, 0.25)) / 2 / middle;
}

}  // namespace dugnad::bench
