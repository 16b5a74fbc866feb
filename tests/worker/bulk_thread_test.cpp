// Two bulk threads and a link between them that the test cuts, mends and tampers with in the middle of a blob.
#include "worker/bulk_thread.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>

#include "coordinatorless/core/limits.h"
#include "tests/scratch.h"

namespace dugnad::worker {
namespace {

using core::bulk::Chunk;
using core::bulk::Frame;
using core::bulk::Missing;
using core::bulk::Request;

PeerId peer(std::uint8_t name) {
  PeerId id;
  id.bytes[0] = name;
  return id;
}
const PeerId holder_id = peer(1), fetcher_id = peer(2);

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return bytes;
}

constexpr std::size_t chunks = 12;

class Pair {
 public:
  /// Looks at each frame on its way, and may change it; false: it is lost. On the sender's thread.
  using Tamper = std::function<bool(Frame&)>;

  Pair() {
    const auto kept = holding.put(pattern(chunks * chunk_bytes - 5));
    REQUIRE(kept);
    blob = *kept;
    link();
  }
  ~Pair() {
    end(fetcher_);
    end(holder_);
  }

  void link() {
    up_ = true;
    fetcher().linked(holder_id);
    holder().linked(fetcher_id);
  }
  void cut() {
    up_ = false;
    fetcher().lost(holder_id);
    holder().lost(fetcher_id);
  }
  void tamper(Tamper with) {
    const std::lock_guard lock(mutex_);
    tamper_ = std::move(with);
  }
  void fetch() { fetcher().fetch({blob, holder_id}); }
  /// Fetches until all that was asked for behind the first `whole` chunks is lost on its way, and nothing else is; the first of these.
  Bytes fetch_until(std::uint32_t whole) {
    std::size_t lost = 0;
    Bytes first;
    tamper([this, whole, &lost, &first](Frame& frame) {
      const auto* chunk = std::get_if<Chunk>(&frame);
      if (chunk == nullptr || chunk->index < whole) return true;
      const std::lock_guard lock(mutex_);
      if (lost++ == 0) first = encode(frame);
      changed_.notify_all();
      return false;
    });
    fetch();
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(20), [&lost] { return lost == core::limits::bulk_credits; }));
    tamper_ = {};
    return first;
  }

  /// What the fetcher's core, and the holder's, was told next.
  core::Event told() { return next(told_); }
  core::Event holder_told() { return next(holder_told_); }
  BulkThread& holder() { return *holder_; }
  BulkThread& fetcher() { return *fetcher_; }
  void end_fetcher() { end(fetcher_); }

  store::BlobStore holding{store::files_in_memory()}, fetching{store::files_in_memory()};
  BlobId blob;

 private:
  core::Event next(std::deque<core::Event>& events) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(20), [&events] { return !events.empty(); }));
    core::Event first = std::move(events.front());
    events.pop_front();
    return first;
  }
  void tell(std::deque<core::Event>& events, core::Event event) {
    const std::lock_guard lock(mutex_);
    events.push_back(std::move(event));
    changed_.notify_all();
  }
  /// Takes it from whoever might send to it just now, before it goes.
  void end(std::unique_ptr<BulkThread>& which) {
    std::unique_ptr<BulkThread> going;  // outlives the lock, for which its thread may wait
    const std::lock_guard lock(ends_);
    going.swap(which);
  }
  void carry(const PeerId& from, const std::unique_ptr<BulkThread>& to, const Bytes& bytes) {
    auto frame = core::bulk::decode(bytes);
    REQUIRE(frame);
    Tamper with;
    {
      const std::lock_guard lock(mutex_);
      with = tamper_;
    }
    if ((with && !with(*frame)) || !up_) return;
    const std::lock_guard lock(ends_);
    if (to) to->received(from, encode(*frame));
  }

  std::mutex ends_;  // held while one sends to the other, and while one is taken away
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<core::Event> told_, holder_told_;
  Tamper tamper_;
  std::atomic<bool> up_{false};

  // Either sends to the other, so both are there before either is asked for anything, and neither is sent to once it goes.
  std::unique_ptr<BulkThread> holder_ = std::make_unique<BulkThread>(
      holding, holder_id,
      BulkThread::Outside{.send = [this](const PeerId&, Bytes frame) { carry(holder_id, fetcher_, frame); },
                          .post = [this](core::Event event) { tell(holder_told_, std::move(event)); }});
  std::unique_ptr<BulkThread> fetcher_ = std::make_unique<BulkThread>(
      fetching, fetcher_id,
      BulkThread::Outside{.send = [this](const PeerId&, Bytes frame) { carry(fetcher_id, holder_, frame); },
                          .post = [this](core::Event event) { tell(told_, std::move(event)); }});
};

bool is_fetched(const core::Event& event) { return std::holds_alternative<core::BlobFetched>(event); }

void check_whole(Pair& pair) {
  const auto bytes = pair.fetching.get(pair.blob);
  REQUIRE(bytes);
  CHECK(*bytes == pattern(chunks * chunk_bytes - 5));
}

}  // namespace

TEST_CASE("a blob comes whole over a link that holds") {
  Pair pair;
  pair.fetch();
  CHECK(is_fetched(pair.told()));
  check_whole(pair);
}

TEST_CASE("a link that is lost in the middle of a blob fails the fetch at once, and the next one goes on where it stopped") {
  Pair pair;
  for (const std::uint32_t whole : {5u, 9u}) {
    (void)pair.fetch_until(whole);
    pair.cut();
    const auto told = pair.told();
    const auto* failed = std::get_if<core::BlobFailed>(&told);
    REQUIRE(failed != nullptr);
    CHECK(failed->blob == pair.blob);
    CHECK(failed->from == holder_id);
    CHECK_FALSE(failed->reason.empty());
    CHECK_FALSE(pair.fetching.holds(pair.blob));
    pair.link();
  }
  std::optional<ChunkSet> asked_first;  // by the fetcher's thread, until it has told
  pair.tamper([&](Frame& frame) {
    if (const auto* request = std::get_if<Request>(&frame); request != nullptr && !asked_first) asked_first = request->wanted;
    return true;
  });
  pair.fetch();
  CHECK(is_fetched(pair.told()));
  REQUIRE(asked_first);
  // Of those before the ninth all but the two that were lost in the first try, which come last in the second: they have been sent before.
  CHECK(asked_first->count() == chunks - 7);
  CHECK(asked_first->has(5));
  CHECK(asked_first->has(9));
  CHECK_FALSE(asked_first->has(8));
  check_whole(pair);
}

TEST_CASE("what was on its way when a link broke, and comes after it is back, spoils nothing") {
  Pair pair;
  const Bytes late = pair.fetch_until(4);
  pair.cut();
  CHECK_FALSE(is_fetched(pair.told()));
  pair.link();
  pair.fetcher().received(holder_id, late);
  pair.fetch();
  pair.fetcher().received(holder_id, late);
  core::Event told = pair.told();
  // A chunk that nobody waits for at that moment is charged, and no more than that.
  while (std::holds_alternative<core::PeerMisbehaved>(told)) told = pair.told();
  CHECK(is_fetched(told));
  check_whole(pair);
}

TEST_CASE("a chunk that its path does not prove fails the fetch and is charged, and nothing of it is kept") {
  Pair pair;
  pair.tamper([](Frame& frame) {
    if (auto* chunk = std::get_if<Chunk>(&frame); chunk != nullptr && chunk->index == 6) chunk->bytes[100] ^= 1;
    return true;
  });
  pair.fetch();
  bool charged = false, failed = false;
  while (!charged || !failed) {
    const auto told = pair.told();
    REQUIRE_FALSE(is_fetched(told));
    charged = charged || std::holds_alternative<core::PeerMisbehaved>(told);
    failed = failed || std::holds_alternative<core::BlobFailed>(told);
  }
  pair.tamper({});
  pair.fetch();
  CHECK(is_fetched(pair.told()));
  check_whole(pair);
}

TEST_CASE("a holder that loses the blob in the middle of it says so, and the fetch fails") {
  Pair pair;
  pair.tamper([](Frame& frame) {
    if (const auto* chunk = std::get_if<Chunk>(&frame); chunk != nullptr && chunk->index == 3) frame = Missing{chunk->blob};
    return true;
  });
  pair.fetch();
  const auto told = pair.told();
  CHECK(std::holds_alternative<core::BlobFailed>(told));
}

TEST_CASE("a fetch that is given up in the middle is not heard of again, and can be begun anew") {
  std::atomic<bool> once = false;
  Pair pair;
  pair.tamper([&](Frame& frame) {
    if (const auto* chunk = std::get_if<Chunk>(&frame); chunk != nullptr && chunk->index == 5 && !once.exchange(true)) {
      pair.fetcher().release({pair.blob});
      pair.fetch();
    }
    return true;
  });
  pair.fetch();
  CHECK(is_fetched(pair.told()));
  check_whole(pair);
}

TEST_CASE("a bulk thread that ends in the middle of a fetch ends at once, and what came serves the next one") {
  Pair pair;
  (void)pair.fetch_until(7);
  pair.cut();
  pair.end_fetcher();
  const auto here = pair.fetching.begin(pair.blob);
  REQUIRE(here);
  CHECK(here->count() == 7);
}

namespace {

/// One bulk thread over a directory, asked by the test.
class Asked {
 public:
  /// The first frame that it sends in answer.
  Frame answer_to(const Frame& question) {
    thread->received(holder_id, encode(question));
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(20), [this] { return !sent.empty(); }));
    auto frame = core::bulk::decode(sent.front());
    sent.pop_front();
    REQUIRE(frame);
    return *std::move(frame);
  }

  Scratch scratch;
  const std::string directory = scratch.path() + "/blobs";
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Bytes> sent;
  std::vector<std::string> troubles;
  std::vector<core::Event> told;  // its core; before what it answers next
  std::unique_ptr<store::BlobStore> store = [this] {
    auto files = store::files_in(directory);
    REQUIRE(files);
    return std::make_unique<store::BlobStore>(*std::move(files));
  }();
  std::unique_ptr<BulkThread> thread = std::make_unique<BulkThread>(
      *store, fetcher_id,
      BulkThread::Outside{.send =
                              [this](const PeerId&, Bytes frame) {
                                const std::lock_guard lock(mutex);
                                sent.push_back(std::move(frame));
                                changed.notify_all();
                              },
                          .post =
                              [this](core::Event event) {
                                const std::lock_guard lock(mutex);
                                told.push_back(std::move(event));
                              },
                          .trouble =
                              [this](const std::string& line) {
                                const std::lock_guard lock(mutex);
                                troubles.push_back(line);
                              }});
};

}  // namespace

TEST_CASE("a cache that is deleted under a job is told of in one line, and whoever asks hears that it is not here") {
  Asked asked;
  const auto kept = asked.store->put(pattern(2 * chunk_bytes));
  REQUIRE(kept);
  asked.thread->linked(holder_id);
  const Request first{*kept, 1, false, ChunkSet::all(2)};
  CHECK(std::holds_alternative<Chunk>(asked.answer_to(first)));
  std::filesystem::remove_all(asked.directory);
  for (int i = 0; i < 3; ++i) CHECK(std::holds_alternative<Missing>(asked.answer_to(first)));
  const std::lock_guard lock(asked.mutex);
  CHECK(asked.troubles.size() == 1);
}

TEST_CASE("what an earlier run has left in the cache, and what was fetched for a unit of which nobody is to know, is served to nobody") {
  Asked asked;
  const Bytes bytes = pattern(100);
  const auto left = asked.store->put(bytes);
  REQUIRE(left);
  asked.store->unpin(*left);
  asked.thread->linked(holder_id);
  const core::bulk::Have question{*left, true, true, ChunkSet(1)};
  CHECK(std::holds_alternative<Missing>(asked.answer_to(Request{*left, 1, false, ChunkSet::all(1)})));
  CHECK(std::holds_alternative<Missing>(asked.answer_to(question)));
  asked.thread->fetch({*left, holder_id, core::Sharing::helped});
  CHECK(std::holds_alternative<Missing>(asked.answer_to(question)));
  asked.thread->release({*left});
  asked.thread->fetch({*left, holder_id, core::Sharing::shared});
  CHECK(std::holds_alternative<core::bulk::Have>(asked.answer_to(question)));
  asked.thread->release({*left});
  CHECK(std::holds_alternative<core::bulk::Have>(asked.answer_to(question)));
}

TEST_CASE("what was a secret is served once it is offered, unless another unit needs it that is a secret still") {
  Asked asked;
  const auto kept = asked.store->put(pattern(100));
  REQUIRE(kept);
  asked.store->unpin(*kept);
  asked.thread->linked(holder_id);
  const core::bulk::Have question{*kept, true, false, ChunkSet(1)};
  const Request request{*kept, 1, false, ChunkSet::all(1)};
  asked.thread->fetch({*kept, holder_id, core::Sharing::helped});
  asked.thread->release({*kept});
  CHECK(std::holds_alternative<Missing>(asked.answer_to(question)));
  asked.thread->offer({*kept});
  CHECK(std::holds_alternative<core::bulk::Have>(asked.answer_to(question)));
  CHECK(std::holds_alternative<Chunk>(asked.answer_to(request)));
  asked.thread->fetch({*kept, holder_id, core::Sharing::helped});
  CHECK(std::holds_alternative<Missing>(asked.answer_to(question)));
  CHECK(std::holds_alternative<Missing>(asked.answer_to(request)));
  asked.thread->release({*kept});
  CHECK(std::holds_alternative<Chunk>(asked.answer_to(request)));
}

TEST_CASE("what was a secret is served once it is offered though the unit that it came for still needs it") {
  Asked asked;
  const auto kept = asked.store->put(pattern(100));
  REQUIRE(kept);
  asked.thread->linked(holder_id);
  const Request request{*kept, 1, false, ChunkSet::all(1)};
  asked.thread->fetch({*kept, holder_id, core::Sharing::helped});
  CHECK(std::holds_alternative<Missing>(asked.answer_to(request)));
  asked.thread->offer({*kept});
  CHECK(std::holds_alternative<Chunk>(asked.answer_to(request)));
}

TEST_CASE("where somebody asks for what was fetched and is gone from the disk, the core is told to fetch it again") {
  Asked asked;
  const auto kept = asked.store->put(pattern(100));
  REQUIRE(kept);
  asked.thread->linked(holder_id);
  const Request request{*kept, 1, false, ChunkSet::all(1)};
  asked.thread->fetch({*kept, holder_id, core::Sharing::shared});
  CHECK(std::holds_alternative<Chunk>(asked.answer_to(request)));
  std::filesystem::remove_all(asked.directory);
  CHECK(std::holds_alternative<Missing>(asked.answer_to(request)));
  const std::lock_guard lock(asked.mutex);
  REQUIRE(asked.told.size() == 2);
  CHECK(is_fetched(asked.told[0]));
  const auto* failed = std::get_if<core::BlobFailed>(&asked.told[1]);
  REQUIRE(failed != nullptr);
  CHECK(failed->blob == *kept);
  CHECK(failed->from == fetcher_id);
  CHECK(failed->cause == core::FetchFailure::missing);
}

}  // namespace dugnad::worker
