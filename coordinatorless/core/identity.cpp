#include "coordinatorless/core/identity.h"

#include "coordinatorless/base/hash.h"

namespace dugnad::core {

std::string_view name_of(Domain domain) {
  switch (domain) {
    case Domain::hello: return "hello";
    case Domain::welcome: return "welcome";
    case Domain::contact: return "contact";
    case Domain::manifest: return "manifest";
    case Domain::delegation: return "delegation";
    case Domain::announcement: return "announcement";
    case Domain::results: return "results";
    case Domain::goodbye: return "goodbye";
    case Domain::evidence: return "evidence";
    case Domain::binding: return "binding";
    case Domain::receipt: return "receipt";
    case Domain::receipt_taken: return "receipt-taken";
    case Domain::word: return "word";
    case Domain::assignment: return "assignment";
  }
  return "";
}

SwarmId swarm_id(std::string_view name, unsigned difficulty, std::string_view secret) {
  Hasher hasher;
  hasher.add(view_of("dugnad/1/swarm"))
      .add(name.size())
      .add(view_of(name))
      .add(std::uint64_t{difficulty})
      .add(secret.size())
      .add(view_of(secret));
  return {hasher.finish().bytes};
}

Bytes signed_bytes(Domain domain, const SwarmId& swarm, ByteView content) {
  const std::string head = "dugnad/1/" + std::string(name_of(domain));
  Bytes bytes;
  bytes.reserve(1 + head.size() + 32 + content.size());
  bytes.push_back(static_cast<std::uint8_t>(head.size()));
  bytes.insert(bytes.end(), head.begin(), head.end());
  bytes.insert(bytes.end(), swarm.bytes.begin(), swarm.bytes.end());
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

}  // namespace dugnad::core
