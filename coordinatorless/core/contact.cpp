#include "coordinatorless/core/contact.h"

#include <algorithm>
#include <charconv>

#include "coordinatorless/core/endpoint.h"

namespace dugnad::core {
namespace {

/// What was pasted, fit to be shown: no control character of it reaches a terminal.
std::string shown(std::string_view text) {
  std::string shown(text.substr(0, 200));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return shown;
}

bool is_host_name(std::string_view host) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  return !host.empty() && host.size() <= 253 && host.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

std::string Contact::text() const { return "tcp://" + host_port + "/" + peer.hex() + "/" + curve.hex(); }

Result<Contact> Contact::parse(std::string_view text) {
  const auto wrong = [&](const char* what) {
    return Error{"'" + shown(text) + "' is no contact: " + what +
                 "; a contact is tcp://HOST:PORT/PEERID/CURVE, as dugnad-worker prints it behind 'ready'"};
  };
  constexpr std::string_view scheme = "tcp://";
  if (!text.starts_with(scheme)) return wrong("it does not begin with tcp://");
  const std::string_view rest = text.substr(scheme.size());
  const auto first = rest.find('/');
  const auto second = first == std::string_view::npos ? first : rest.find('/', first + 1);
  if (second == std::string_view::npos) return wrong("it lacks the peer's id or its CURVE key");
  Contact contact;
  contact.host_port = std::string(rest.substr(0, first));
  const auto colon = contact.host_port.rfind(':');
  if (colon == std::string::npos || colon == 0) return wrong("it has no HOST:PORT");
  std::uint16_t port = 0;
  const char* end = contact.host_port.data() + contact.host_port.size();
  if (const auto [at, error] = std::from_chars(contact.host_port.data() + colon + 1, end, port);
      error != std::errc{} || at != end || port == 0 || contact.host_port[colon + 1] == '0') {
    return wrong("its port is not a number from 1 to 65535");
  }
  if (!is_host_name(std::string_view(contact.host_port).substr(0, colon)) && !Endpoint::parse(contact.host_port)) {
    return wrong("its HOST is neither a name, nor an IPv4 address, nor an IPv6 address in brackets");
  }
  const auto peer = PeerId::from_hex(rest.substr(first + 1, second - first - 1));
  if (!peer) return wrong("its peer id is not 64 lower-case hex digits");
  const auto curve = CurveKey::from_hex(rest.substr(second + 1));
  if (!curve) return wrong("its CURVE key is not 64 lower-case hex digits");
  contact.peer = *peer;
  contact.curve = *curve;
  return contact;
}

}  // namespace dugnad::core
