// A swarm as a person names it: `NAME`, or `NAME:BITS` where its founders chose what an identity costs. Both are part of the swarm's id, so that
// everybody who says the same is in the same swarm. A private swarm has a secret too, and needs no proof of work: who has the secret is trusted
// not to flood.
#pragma once

#include <string>
#include <string_view>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/result.h"

namespace dugnad::core {

struct SwarmName {
  std::string name;
  unsigned difficulty = 0;  // in bits
  std::string secret;       // empty: a public swarm

  /// An error in one line.
  [[nodiscard]] static Result<SwarmName> parse(std::string_view text, std::string secret = {});
  [[nodiscard]] SwarmId id() const;
};

}  // namespace dugnad::core
