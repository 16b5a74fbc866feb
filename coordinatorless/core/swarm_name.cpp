#include "coordinatorless/core/swarm_name.h"

#include <charconv>
#include <utility>

#include "coordinatorless/core/identity.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core {

Result<SwarmName> SwarmName::parse(std::string_view text, std::string secret) {
  const std::size_t colon = text.rfind(':');
  SwarmName swarm{std::string(text.substr(0, colon)), secret.empty() ? limits::proof_bits_default : 0, std::move(secret)};
  if (swarm.name.empty()) return Error{"a swarm wants a name"};
  if (colon == text.npos) return swarm;
  const std::string_view bits = text.substr(colon + 1);
  const auto [end, wrong] = std::from_chars(bits.data(), bits.data() + bits.size(), swarm.difficulty);
  const bool canonical = bits.size() == 1 || !bits.starts_with('0');
  if (wrong != std::errc{} || end != bits.data() + bits.size() || !canonical || swarm.difficulty > limits::proof_bits_most) {
    return Error{"the swarm \"" + std::string(text) + "\" wants a number from 0 to " + std::to_string(limits::proof_bits_most) +
                 " behind the colon: how many bits of work an identity costs"};
  }
  return swarm;
}

SwarmId SwarmName::id() const { return swarm_id(name, difficulty, secret); }

}  // namespace dugnad::core
