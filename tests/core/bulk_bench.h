// Transfers with their stores and links played by the test: a line of its own speed for each end's uplink, where the test wants that to matter.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <set>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/base/merkle.h"
#include "coordinatorless/core/bulk_transfer.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core::bulk_bench {

using bulk::Transfer;

inline PeerId peer(std::uint8_t name) {
  PeerId id;
  id.bytes[0] = name;
  return id;
}

inline Bytes pattern(std::size_t size, std::uint8_t salt = 0) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(salt + i * 7 + i / 251);
  return bytes;
}

struct End {
  PeerId id;
  Transfer transfer;
  std::map<BlobId, Bytes> store;
  struct Part {
    Bytes bytes;
    ChunkSet here;
    std::map<std::uint32_t, std::vector<Hash>> paths{};
  };
  std::map<BlobId, Part> parts;
  std::set<BlobId> fetching;
  std::map<BlobId, std::size_t> sent;  // bytes of chunks
  std::vector<Transfer::Failed> failed;
  std::map<PeerId, double> charged;
};

struct Bench {
  BootTime now = BootTime{} + std::chrono::seconds(100);
  std::map<PeerId, End> ends;
  std::set<PeerId> silent;                                    // whose frames get lost
  std::function<void(const PeerId&, Bytes&)> tamper = [](const PeerId&, Bytes&) {};
  double uplink = 0;                                          // bytes a second, of each end; 0: whatever is sent is there at once
  std::map<PeerId, double> uplinks;                           // of those whose is another
  Duration latency = std::chrono::milliseconds(5);            // with an uplink
  std::size_t most_underway = 0;                              // bytes that one end sent another before it answered

  explicit Bench(std::uint8_t count = 2, bool direct = true) {
    for (std::uint8_t i = 1; i <= count; ++i) ends[peer(i)].id = peer(i);
    for (auto& [a, end] : ends) {
      for (auto& [b, other] : ends) {
        if (direct && a != b) end.transfer.connected(b);
      }
    }
  }
  End& operator[](std::uint8_t name) { return ends.at(peer(name)); }
  BlobId hold(std::uint8_t name, const Bytes& bytes) {
    const BlobId id = blob_id_of(bytes);
    (*this)[name].store[id] = bytes;
    return id;
  }
  void fetch(std::uint8_t name, const BlobId& blob, std::uint8_t from, Sharing sharing = Sharing::alone) {
    (*this)[name].transfer.fetch(blob, peer(from), sharing, now);
    settle();
  }

  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& [id, end] : ends) {
        std::map<PeerId, std::size_t> sent;
        for (Transfer::Action& action : end.transfer.take()) {
          busy = true;
          std::visit([&](auto& what) { act(end, what, sent); }, action);
        }
        for (const auto& [to, bytes] : sent) most_underway = std::max(most_underway, bytes);
      }
    }
  }
  void deliver(End& end, const PeerId& to, Bytes frame, std::map<PeerId, std::size_t>& sent) {
    sent[to] += frame.size();
    tamper(end.id, frame);
    if (silent.contains(end.id)) return;
    if (uplink == 0) return ends.at(to).transfer.received(end.id, frame, now);
    BootTime& free = line_free_[end.id];
    const auto own = uplinks.find(end.id);
    free = std::max(free, now) + from_seconds(static_cast<double>(frame.size()) / (own == uplinks.end() ? uplink : own->second));
    underway_.emplace(free + latency, Underway{end.id, to, std::move(frame)});
  }
  void act(End& end, Transfer::Send& send, auto& sent) { deliver(end, send.to, std::move(send.frame), sent); }
  End::Part& part(End& end, const BlobId& blob) {
    const std::uint64_t chunks = chunk_count(blob.length);
    return end.parts.try_emplace(blob, End::Part{Bytes(blob.length), ChunkSet(chunks)}).first->second;
  }
  void act(End& end, Transfer::Begin& begin, auto&) {
    end.fetching.insert(begin.blob);
    end.transfer.begun(begin.blob, part(end, begin.blob).here, now);
  }
  void act(End& end, Transfer::Keep& keep, auto&) {
    End::Part& kept = part(end, keep.blob);
    std::copy(keep.bytes.begin(), keep.bytes.end(), kept.bytes.begin() + static_cast<std::ptrdiff_t>(keep.index * chunk_bytes));
    CHECK_FALSE(kept.here.has(keep.index));
    kept.here.add(keep.index);
    kept.paths[keep.index] = keep.path;
  }
  void act(End& end, Transfer::Finish& finish, auto&) {
    Bytes bytes = std::move(part(end, finish.blob).bytes);
    CHECK(blob_id_of(bytes) == finish.blob);
    end.store[finish.blob] = std::move(bytes);
    end.parts.erase(finish.blob);
    end.fetching.erase(finish.blob);
    end.transfer.finished(finish.blob, now);
  }
  void act(End& end, Transfer::BreakOff& off, auto&) { end.fetching.erase(off.blob); }
  void act(End& end, Transfer::Failed& failure, auto&) { end.failed.push_back(failure); }
  void act(End& end, Transfer::Serve& serve, auto& sent) {
    const std::uint64_t at = serve.index * chunk_bytes, length = chunk_length(serve.blob.length, serve.index);
    const auto cut = [&](const Bytes& bytes) { return Bytes(bytes.begin() + at, bytes.begin() + at + length); };
    if (const auto whole = end.store.find(serve.blob); whole != end.store.end()) {
      end.sent[serve.blob] += length;
      std::vector<Hash> path = path_of(serve.blob, whole->second, serve.index);
      return deliver(end, serve.to, bulk::encode(bulk::Chunk{serve.blob, serve.index, std::move(path), cut(whole->second)}), sent);
    }
    if (const auto some = end.parts.find(serve.blob); some != end.parts.end() && some->second.here.has(serve.index)) {
      end.sent[serve.blob] += length;
      std::vector<Hash> path = some->second.paths.at(serve.index);
      return deliver(end, serve.to, bulk::encode(bulk::Chunk{serve.blob, serve.index, std::move(path), cut(some->second.bytes)}), sent);
    }
    deliver(end, serve.to, bulk::encode(bulk::Missing{serve.blob}), sent);
  }
  void act(End& end, Transfer::Tell& tell, auto& sent) {
    const ChunkSet all = ChunkSet::all(chunk_count(tell.blob.length));
    const bool here = end.store.contains(tell.blob);
    deliver(end, tell.to, here ? bulk::encode(bulk::Have{tell.blob, false, false, all}) : bulk::encode(bulk::Missing{tell.blob}), sent);
  }
  std::map<BlobId, std::vector<Hash>> leaves;
  std::vector<Hash> path_of(const BlobId& blob, const Bytes& bytes, std::uint32_t index) {
    auto& known = leaves[blob];
    if (known.empty()) known = blob_leaves(bytes);
    return merkle_path(known, index);
  }
  void act(End& end, Transfer::Misbehaved& what, auto&) { end.charged[what.peer] += what.charge.score; }

  /// Until nothing is due before `end`.
  void run(Duration time) {
    const BootTime end = now + time;
    for (int step = 0; step < 100000; ++step) {
      BootTime next = never;
      for (auto& [id, each] : ends) next = std::min(next, each.transfer.next_deadline());
      if (!underway_.empty()) next = std::min(next, underway_.begin()->first);
      if (next > end) break;
      now = std::max(now, next);
      while (!underway_.empty() && underway_.begin()->first <= now) {
        const Underway frame = std::move(underway_.begin()->second);
        underway_.erase(underway_.begin());
        if (!gone.contains(frame.from) && !gone.contains(frame.to)) ends.at(frame.to).transfer.received(frame.from, frame.bytes, now);
      }
      for (auto& [id, each] : ends) {
        if (each.transfer.next_deadline() <= now) each.transfer.tick(now);
      }
      settle();
    }
    now = end;
  }
  /// Its links break.
  void vanish(std::uint8_t name) {
    gone.insert(peer(name));
    for (auto& [id, end] : ends) {
      if (id != peer(name)) end.transfer.lost(peer(name));
    }
    settle();
  }
  std::set<PeerId> gone;

 private:
  struct Underway {
    PeerId from;
    PeerId to;
    Bytes bytes;
  };
  std::multimap<BootTime, Underway> underway_;
  std::map<PeerId, BootTime> line_free_;
};

}  // namespace dugnad::core::bulk_bench
