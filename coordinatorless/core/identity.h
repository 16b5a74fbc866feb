// Identity: who this peer is, in which swarm, and how what it signs is told apart from everything else that it signs.
#pragma once

#include <string>
#include <string_view>

#include "coordinatorless/base/crypto.h"

namespace dugnad::core {

/// What a signature is for. Every signature covers `dugnad/1/NAME`, the swarm id and the raw bytes.
enum class Domain : std::uint8_t { hello, welcome, contact, manifest, delegation, announcement, results, goodbye, evidence, binding, receipt,
                                    receipt_taken, word, assignment };
[[nodiscard]] std::string_view name_of(Domain domain);

/// hash(name, proof-of-work difficulty, secret): peers of different swarms never talk. An empty secret is a public swarm.
[[nodiscard]] SwarmId swarm_id(std::string_view name, unsigned difficulty = 0, std::string_view secret = {});

/// The bytes that are signed: domain, swarm and content, each with its length, so that no two differ only in where one ends.
[[nodiscard]] Bytes signed_bytes(Domain domain, const SwarmId& swarm, ByteView content);

}  // namespace dugnad::core
