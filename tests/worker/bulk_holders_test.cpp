// A bulk thread that fetches one blob from two that hold it, over links that the test tampers with byte by byte: whichever of the two lies or
// dies in the middle, the other makes the blob whole, and nothing that had come comes again.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "coordinatorless/core/charge.h"
#include "coordinatorless/core/limits.h"
#include "worker/bulk_thread.h"

namespace dugnad::worker {
namespace {

constexpr std::size_t chunks = 40;
constexpr auto patience = std::chrono::seconds(60);

PeerId peer(std::uint8_t name) {
  PeerId id;
  id.bytes[0] = name;
  return id;
}
const PeerId first = peer(1), second = peer(2), fetcher = peer(3);

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return bytes;
}

class Three {
 public:
  /// What becomes of a frame on its way; false: it is lost. On the sender's thread.
  using Tamper = std::function<bool(const PeerId& from, Bytes& frame)>;

  explicit Three(Tamper tamper) : tamper_(std::move(tamper)) {
    for (const PeerId& id : {first, second, fetcher}) stores_.try_emplace(id, store::files_in_memory());
    for (const PeerId& id : {first, second}) {
      const auto kept = stores_.at(id).put(content);
      REQUIRE(kept);
      blob = *kept;
    }
    for (const PeerId& id : {first, second, fetcher}) {
      BulkThread::Outside outside{.send = [this, id](const PeerId& to, Bytes frame) { carry(id, to, std::move(frame)); },
                                  .post = [this, id](core::Event event) { note(id, std::move(event)); }};
      threads_[id] = std::make_unique<BulkThread>(stores_.at(id), id, std::move(outside));
    }
    ready_ = true;
    for (const PeerId& id : {first, second}) {
      threads_.at(id)->linked(fetcher);
      threads_.at(fetcher)->linked(id);
    }
  }
  ~Three() {
    ready_ = false;
    std::map<PeerId, std::unique_ptr<BulkThread>> going;
    const std::lock_guard lock(ends_);
    going.swap(threads_);  // they end once nobody sends to them any more
  }
  BulkThread& of(const PeerId& id) { return *threads_.at(id); }
  /// Its machine is gone: nothing comes from it any more, and its link breaks.
  void die(const PeerId& id) {
    {
      const std::lock_guard lock(mutex_);
      dead_.insert(id);
    }
    of(fetcher).lost(id);
  }
  /// What the fetcher's core is told next of the blob; misbehaviour is counted on the way.
  core::Event told() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, patience, [this] { return !told_.empty(); }));
    core::Event next = std::move(told_.front());
    told_.pop_front();
    return next;
  }
  double charged(const PeerId& id) {
    const std::lock_guard lock(mutex_);
    return charged_[id];
  }
  std::size_t sent(const PeerId& id) {
    const std::lock_guard lock(mutex_);
    return sent_[id];
  }
  void check_whole() {
    const auto bytes = stores_.at(fetcher).get(blob);
    REQUIRE(bytes);
    CHECK(*bytes == content);
  }

  const Bytes content = pattern(chunks * chunk_bytes - 5);
  BlobId blob;

 private:
  void carry(const PeerId& from, const PeerId& to, Bytes frame) {
    const auto decoded = core::bulk::decode(frame);
    REQUIRE(decoded);
    {
      const std::lock_guard lock(mutex_);
      if (dead_.contains(from) || dead_.contains(to)) return;
      if (std::holds_alternative<core::bulk::Chunk>(*decoded)) ++sent_[from];
    }
    if (!ready_ || !tamper_(from, frame)) return;
    const std::lock_guard lock(ends_);
    if (const auto at = threads_.find(to); at != threads_.end()) at->second->received(from, std::move(frame));
  }
  void note(const PeerId& at, core::Event event) {
    const std::lock_guard lock(mutex_);
    if (at != fetcher) return;
    if (const auto* who = std::get_if<core::PeerMisbehaved>(&event)) charged_[who->peer] += who->charge.score;
    else told_.push_back(std::move(event));
    changed_.notify_all();
  }

  const Tamper tamper_;
  std::map<PeerId, store::BlobStore> stores_;
  std::mutex ends_;  // held while one sends to another, and while all are taken away
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<core::Event> told_;
  std::map<PeerId, double> charged_;
  std::map<PeerId, std::size_t> sent_;  // chunks
  std::set<PeerId> dead_;
  std::atomic<bool> ready_{false};
  std::map<PeerId, std::unique_ptr<BulkThread>> threads_;
};

bool is_chunk(const Bytes& frame) { return frame.size() > 1000; }

}  // namespace

TEST_CASE("a holder that corrupts or truncates a chunk is charged and dropped, and the other one makes the blob whole") {
  for (const bool truncates : {false, true}) {
    for (const PeerId& liar : {first, second}) {
      for (const core::Sharing sharing : {core::Sharing::alone, core::Sharing::helped, core::Sharing::shared}) {
        CAPTURE(truncates);
        CAPTURE(static_cast<int>(sharing));
        std::atomic<unsigned> its = 0;
        Three three([&](const PeerId& from, Bytes& frame) {
          if (from != liar || !is_chunk(frame) || its++ < 3) return true;
          if (truncates) frame.resize(frame.size() / 2);
          else frame.back() ^= 1;
          return true;
        });
        three.of(fetcher).fetch({three.blob, first, sharing});
        three.of(fetcher).help({three.blob, second});
        const auto told = three.told();
        CHECK(std::holds_alternative<core::BlobFetched>(told));
        three.check_whole();
        const PeerId other = liar == first ? second : first;
        CHECK(three.charged(other) == 0);
        if (sharing != core::Sharing::alone && liar == first) continue;  // it may have been spared all along
        CHECK(three.charged(liar) >= core::charges::malformed.score);
        CHECK(three.sent(liar) <= 3 + 2 * core::limits::bulk_credits);
      }
    }
  }
}

TEST_CASE("where a holder dies in the middle the other one sends the rest, and nothing that had come comes again") {
  for (const PeerId& dies : {first, second}) {
    std::mutex mutex;
    std::condition_variable changed;
    bool midway = false;
    std::atomic<unsigned> its = 0;
    Three three([&](const PeerId& from, Bytes& frame) {
      if (from != dies || !is_chunk(frame) || its++ < 8) return true;
      const std::lock_guard lock(mutex);
      midway = true;
      changed.notify_all();
      return false;  // and nothing more
    });
    three.of(fetcher).fetch({three.blob, first});
    three.of(fetcher).help({three.blob, second});
    {
      std::unique_lock lock(mutex);
      REQUIRE(changed.wait_for(lock, patience, [&] { return midway; }));
    }
    three.die(dies);
    auto told = three.told();
    if (dies == first) {  // whose failure it is: the core asks the next one
      REQUIRE(std::holds_alternative<core::BlobFailed>(told));
      CHECK(std::get<core::BlobFailed>(told).from == first);
      three.of(fetcher).fetch({three.blob, second});
      told = three.told();
    }
    CHECK(std::holds_alternative<core::BlobFetched>(told));
    three.check_whole();
    // What was underway when it died may come from the other too.
    CHECK(three.sent(first) + three.sent(second) <= chunks + 4 * core::limits::bulk_credits);
    CHECK(three.charged(first) + three.charged(second) == 0);
  }
}

}  // namespace dugnad::worker
