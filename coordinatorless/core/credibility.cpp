#include "coordinatorless/core/credibility.h"

#include <algorithm>
#include <cmath>

#include "coordinatorless/base/panic.h"

namespace dugnad::core {

double lies_passed_most(std::uint64_t audits) {
  const auto a = static_cast<double>(audits);
  return audits == 0 ? 1.0 : std::exp(-a * std::log1p(1.0 / a)) / (a + 1.0);  // stays exact where (a+1)^(a+1) would overflow
}

double donor_doubt(std::uint64_t audits, double assumed) {
  DUGNAD_ASSERT(assumed >= 0 && assumed < 1, "a share of saboteurs below one");
  return std::min(assumed, assumed / (1.0 - assumed) * lies_passed_most(audits));
}

double agreement_doubt(unsigned agreeing, double assumed) {
  DUGNAD_ASSERT(assumed >= 0 && assumed < 1, "a share of saboteurs below one");
  return assumed == 0 ? 0.0 : 1.0 / (1.0 + std::pow((1.0 - assumed) / assumed, agreeing));
}

double group_credibility(std::span<const Voice> voices, unsigned group) {
  // All products are taken relative to W: Π d drops out, and many voices do not underflow one by one. R(G)/W = Π_G (1-d)/d.
  double largest = 0;  // of the logarithms, W's own being 0
  const auto weight = [&](unsigned of) {
    double sum = 0;
    for (const Voice& voice : voices) {
      if (voice.group == of) sum += std::log((1.0 - voice.doubt) / voice.doubt);
    }
    return sum;
  };
  const auto is_first = [&](const Voice& voice) {
    return std::none_of(voices.data(), &voice, [&](const Voice& earlier) { return earlier.group == voice.group; });
  };
  for (const Voice& voice : voices) {
    DUGNAD_ASSERT(voice.doubt > 0 && voice.doubt < 1, "a doubt is a probability strictly between 0 and 1");
    if (is_first(voice)) largest = std::max(largest, weight(voice.group));
  }
  double all = std::exp(-largest), wanted = 0;
  for (const Voice& voice : voices) {
    if (!is_first(voice)) continue;
    const double share = std::exp(weight(voice.group) - largest);
    all += share;
    if (voice.group == group) wanted = share;
  }
  return wanted / all;
}

}  // namespace dugnad::core
