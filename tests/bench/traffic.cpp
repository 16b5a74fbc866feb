#include "tests/bench/traffic.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <set>
#include <vector>

#include "tests/bench/process.h"

namespace dugnad::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t established = 1 << 1;  // TCP_ESTABLISHED as a bit

std::set<std::uint64_t> sockets_of(pid_t process) {
  std::set<std::uint64_t> inodes;
  std::error_code gone;
  for (const auto& descriptor : fs::directory_iterator("/proc/" + std::to_string(process) + "/fd", gone)) {
    unsigned long long inode = 0;
    const std::string target = fs::read_symlink(descriptor.path(), gone);
    if (std::sscanf(target.c_str(), "socket:[%llu]", &inode) == 1) inodes.insert(inode);
  }
  return inodes;
}

const tcp_info* info_of(const nlmsghdr* header, const inet_diag_msg* message, tcp_info& room) {
  auto left = static_cast<int>(header->nlmsg_len - NLMSG_LENGTH(sizeof *message));
  for (auto* attribute = reinterpret_cast<const rtattr*>(message + 1); RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type != INET_DIAG_INFO) continue;
    std::memset(&room, 0, sizeof room);
    std::memcpy(&room, RTA_DATA(attribute), std::min(sizeof room, static_cast<std::size_t>(RTA_PAYLOAD(attribute))));
    return &room;
  }
  return nullptr;
}

/// Calls `each` with every TCP connection of this network namespace.
void all_connections(std::uint8_t family, const std::function<void(std::uint64_t inode, const tcp_info&)>& each) {
  struct Request {
    nlmsghdr header{};
    inet_diag_req_v2 body{};
  } request;
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = family;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_ext = 1 << (INET_DIAG_INFO - 1);
  request.body.idiag_states = established;

  const int netlink = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0 || ::send(netlink, &request, sizeof request, 0) < 0)
    give_up("the kernel does not tell of connections (NETLINK_SOCK_DIAG)");
  std::vector<char> buffer(1 << 18);
  bool done = false;
  while (!done) {
    const ssize_t length = ::recv(netlink, buffer.data(), buffer.size(), 0);
    if (length <= 0) break;
    auto left = static_cast<unsigned>(length);
    for (auto* header = reinterpret_cast<const nlmsghdr*>(buffer.data()); NLMSG_OK(header, left) && !done;
         header = NLMSG_NEXT(header, left)) {
      done = header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR;
      if (done) break;
      const auto* message = static_cast<const inet_diag_msg*>(NLMSG_DATA(header));
      tcp_info room;
      if (const tcp_info* info = info_of(header, message, room)) each(message->idiag_inode, *info);
    }
  }
  ::close(netlink);
}

}  // namespace

void TrafficMeter::sample() {
  const auto own = sockets_of(process_);
  connections_ = 0;
  for (const std::uint8_t family : {AF_INET, AF_INET6}) {
    all_connections(family, [&](std::uint64_t inode, const tcp_info& info) {
      if (!own.contains(inode)) return;
      ++connections_;
      const Bytes now = {static_cast<double>(info.tcpi_bytes_acked), static_cast<double>(info.tcpi_bytes_received)};
      Connection& connection = seen_[inode];
      if (!begun_) connection.first = now;  // one that is new counts from its beginning
      connection.last = now;
    });
  }
  begun_ = true;
}

double TrafficMeter::bytes_sent() const {
  double sum = 0;
  for (const auto& [inode, connection] : seen_) sum += connection.last.sent - connection.first.sent;
  return sum;
}

double TrafficMeter::bytes_received() const {
  double sum = 0;
  for (const auto& [inode, connection] : seen_) sum += connection.last.received - connection.first.received;
  return sum;
}

}  // namespace dugnad::bench
