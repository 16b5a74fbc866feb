// Contact: where a peer is dialled and which keys it must show. A person pastes it; `ready` prints it.
//   tcp://HOST:PORT/PEERID/CURVE     both 64 lower-case hex digits
#pragma once

#include <string>
#include <string_view>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/result.h"

namespace dugnad::core {

struct Contact {
  std::string host_port;  // `127.0.0.1:4210`, `[::1]:4210` or, from a person, `host.example:4210`
  PeerId peer;
  CurveKey curve;

  auto operator<=>(const Contact&) const = default;

  [[nodiscard]] std::string text() const;
  /// An error says which part is wrong.
  [[nodiscard]] static Result<Contact> parse(std::string_view text);
};

}  // namespace dugnad::core
