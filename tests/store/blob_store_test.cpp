#include "coordinatorless/store/blob_store.h"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "coordinatorless/base/merkle.h"
#include "tests/scratch.h"

using namespace dugnad;
using namespace dugnad::store;

namespace {

Bytes pattern(std::size_t size, std::uint8_t salt = 0) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(salt + i * 7 + i / 251);
  return bytes;
}

struct Bench {
  Scratch scratch;
  const std::string directory = scratch.file("blobs");
  std::unique_ptr<BlobStore> store;

  explicit Bench(std::uint64_t quota = 1 << 20) { reopen(quota); }
  void reopen(std::uint64_t quota = 1 << 20) {
    auto files = files_in(directory);
    REQUIRE(files);
    store = std::make_unique<BlobStore>(*std::move(files), quota);
  }
  BlobId put(ByteView bytes) {
    const auto id = store->put(bytes);
    REQUIRE(id);
    return *id;
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
  }
};

/// A blob that is elsewhere.
struct Fetched {
  explicit Fetched(Bytes blob) : bytes(std::move(blob)), id(blob_id_of(bytes)) {}
  [[nodiscard]] bool add_to(BlobStore& store, std::uint64_t index) const {
    const ByteView chunk = ByteView(bytes).subspan(index * chunk_bytes, chunk_length(id.length, index));
    return store.add(id, index, merkle_path(blob_leaves(bytes), index), chunk).ok();
  }
  Bytes bytes;
  BlobId id;
};

/// A disk of so many bytes, which takes what there is room for of what it cannot take whole.
class SmallDisk final : public BlobFiles {
 public:
  explicit SmallDisk(std::uint64_t capacity) : capacity_(capacity) {}

  std::vector<Entry> list() override { return files_->list(); }
  std::optional<std::uint64_t> size(const std::string& name) override { return files_->size(name); }
  std::optional<Bytes> read(const std::string& name, std::uint64_t offset, std::uint64_t length) override {
    return files_->read(name, offset, length);
  }
  Result<void> append(const std::string& name, ByteView bytes) override {
    const std::size_t fit = std::min<std::uint64_t>(bytes.size(), left());
    (void)files_->append(name, bytes.first(fit));
    return fit == bytes.size() ? Result<void>{} : Error{"no space left on device"};
  }
  Result<void> write(const std::string& name, std::uint64_t offset, ByteView bytes) override {
    if (bytes.size() > left()) return Error{"no space left on device"};
    return files_->write(name, offset, bytes);
  }
  /// The holes of a real file take no room; here each chunk makes the file longer.
  Result<void> stretch(const std::string&, std::uint64_t) override { return {}; }
  Result<void> publish(const std::string& part, const std::string& name) override { return files_->publish(part, name); }
  bool is_full(std::uint64_t bytes) override { return bytes > left(); }
  void remove(const std::string& name) override { files_->remove(name); }
  void touch(const std::string& name) override { files_->touch(name); }

 private:
  [[nodiscard]] std::uint64_t left() {
    std::uint64_t taken = 0;
    for (const Entry& entry : files_->list()) taken += entry.bytes;
    return capacity_ - std::min(capacity_, taken);
  }
  const std::uint64_t capacity_;
  std::unique_ptr<BlobFiles> files_ = files_in_memory();
};

}  // namespace

TEST_CASE("a blob is there again after a restart") {
  Bench bench;
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{chunk_bytes + 1}}) {
    const Bytes blob = pattern(size);
    const BlobId id = bench.put(blob);
    bench.reopen();
    const auto kept = bench.store->get(id);
    REQUIRE(kept);
    CHECK(*kept == blob);
  }
  CHECK(bench.files() == 3);
  CHECK_FALSE(bench.store->get(blob_id_of(pattern(6))));
}

TEST_CASE("where the disk is full before the quota is, what nobody needs makes room, and what is needed stays") {
  BlobStore store(std::make_unique<SmallDisk>(40 << 20), 1 << 30);
  const auto put = [&](std::uint8_t salt) { return store.put(pattern(10 << 20, salt)); };
  const auto needed = put(1);
  REQUIRE(needed);
  for (std::uint8_t salt = 2; salt < 20; ++salt) {
    const auto id = put(salt);
    REQUIRE(id);
    store.unpin(*id);
  }
  CHECK(store.get(*needed) != nullptr);
  CHECK(store.bytes_held() <= 40 << 20);
  // Chunk by chunk too.
  const Fetched fetched(pattern(3 << 20, 50));
  REQUIRE(store.begin(fetched.id));
  for (std::uint64_t i = 0; i < chunk_count(fetched.id.length); ++i) CHECK(fetched.add_to(store, i));
  REQUIRE(store.finish(fetched.id).ok());
  store.unpin(fetched.id);
  // Until all is needed: then it is said, and what was begun takes no room.
  std::vector<BlobId> all;
  for (std::uint8_t salt = 30; salt < 33; ++salt) {
    const auto id = put(salt);
    REQUIRE(id);
    all.push_back(*id);
  }
  const auto refused = put(40);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "no space left on device");
  for (const BlobId& id : all) CHECK(store.get(id) != nullptr);
  CHECK(store.bytes_held() == 40 << 20);
  store.unpin(all.front());
  CHECK(put(41));
}

TEST_CASE("what was used longest ago makes room, what is pinned does not") {
  for (const bool disk : {true, false}) {
    Bench bench(1000);
    if (!disk) bench.store = std::make_unique<BlobStore>(files_in_memory(), 1000);
    const BlobId pinned = bench.put(pattern(300, 1));
    const BlobId old = bench.put(pattern(300, 2));
    const BlobId used = bench.put(pattern(300, 3));
    bench.store->unpin(old);
    bench.store->unpin(used);
    CHECK(bench.store->get(old));
    CHECK(bench.store->get(used));
    const BlobId fresh = bench.put(pattern(300, 4));
    CHECK(bench.store->holds(pinned));
    CHECK_FALSE(bench.store->holds(old));
    CHECK(bench.store->holds(used));
    CHECK(bench.store->holds(fresh));
    CHECK(bench.store->bytes_held() == 900);
    CHECK_FALSE(bench.store->put(pattern(600, 5)));
    CHECK(bench.store->holds(pinned));
    CHECK(bench.store->holds(fresh));
  }
}

TEST_CASE("what one program needs is not evicted by another of the same directory, as long as it says so in time") {
  for (const bool in_time : {true, false}) {
    Bench bench;
    const BlobId needed = bench.put(pattern(500, 1)), used = bench.put(pattern(300, 2));
    bench.store->unpin(used);
    for (const auto& entry : std::filesystem::directory_iterator(bench.directory)) {
      std::filesystem::last_write_time(entry.path(), std::filesystem::file_time_type::clock::now() - BlobStore::touch_pinned_within * 2);
    }
    if (in_time) bench.store->touch_pinned();
    auto files = files_in(bench.directory);
    REQUIRE(files);
    BlobStore other(*std::move(files), 1000);
    CHECK(other.put(pattern(600, 3)).ok() != in_time);
    CHECK(bench.store->holds(needed) == in_time);
    CHECK_FALSE(bench.store->holds(used));
  }
}

TEST_CASE("a file that has rotted is dropped when it is read, and may be put again") {
  Bench bench;
  const Bytes blob = pattern(chunk_bytes + 10);
  const BlobId id = bench.put(blob);
  std::fstream file(bench.directory + "/" + to_text(id), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(chunk_bytes + 3);
  file.put('!');
  file.close();
  CHECK_FALSE(bench.store->chunk(id, 0));  // the tree over it is not the one it should be
  CHECK_FALSE(bench.store->get(id));
  CHECK(bench.files() == 0);
  CHECK(bench.put(blob) == id);
  CHECK(bench.store->get(id));
}

TEST_CASE("every chunk is proved by its path") {
  Bench bench(4 << 20);
  const Bytes blob = pattern(4 * chunk_bytes + 9);
  const BlobId id = bench.put(blob);
  Bytes joined;
  for (std::uint64_t i = 0; i < chunk_count(id.length); ++i) {
    const auto chunk = bench.store->chunk(id, i);
    REQUIRE(chunk);
    CHECK(merkle_verify(merkle_leaf(chunk->bytes), i, chunk_count(id.length), chunk->path, id.root));
    joined.insert(joined.end(), chunk->bytes.begin(), chunk->bytes.end());
  }
  CHECK(joined == blob);
  CHECK_FALSE(bench.store->chunk(id, chunk_count(id.length)));
}

TEST_CASE("a fetch that broke off goes on after a restart with the chunks that had come, in whatever order") {
  Bench bench(4 << 20);
  const Fetched fetched(pattern(3 * chunk_bytes + 9));
  REQUIRE(bench.store->begin(fetched.id)->empty());
  REQUIRE(fetched.add_to(*bench.store, 3));
  REQUIRE(fetched.add_to(*bench.store, 1));
  CHECK_FALSE(bench.store->holds(fetched.id));
  bench.reopen(4 << 20);
  const auto here = bench.store->begin(fetched.id);
  REQUIRE(here);
  CHECK(here->count() == 2);
  CHECK(here->has(1));
  CHECK(here->has(3));
  REQUIRE(fetched.add_to(*bench.store, 0));
  REQUIRE(fetched.add_to(*bench.store, 2));
  REQUIRE(bench.store->finish(fetched.id));
  CHECK(*bench.store->get(fetched.id) == fetched.bytes);
  CHECK(bench.files() == 1);
  CHECK(bench.store->bytes_held() == fetched.id.length);
}

TEST_CASE("a chunk of a part that has changed on disk is fetched again, and the others are not") {
  Bench bench(4 << 20);
  const Fetched fetched(pattern(2 * chunk_bytes + 9));
  REQUIRE(bench.store->begin(fetched.id));
  for (const std::uint64_t index : {0, 1, 2}) REQUIRE(fetched.add_to(*bench.store, index));
  std::fstream file(bench.directory + "/" + to_text(fetched.id) + ".part", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(chunk_bytes + 3);
  file.put('!');
  file.close();
  bench.reopen(4 << 20);
  const auto here = bench.store->begin(fetched.id);
  REQUIRE(here);
  CHECK(here->has(0));
  CHECK_FALSE(here->has(1));
  CHECK(here->has(2));
}

TEST_CASE("a part that has changed under the process is noticed at the end, and fetched afresh") {
  Bench bench(4 << 20);
  const Fetched fetched(pattern(chunk_bytes + 9));
  REQUIRE(bench.store->begin(fetched.id));
  REQUIRE(bench.store->add(fetched.id, 0, merkle_path(blob_leaves(fetched.bytes), 0), pattern(chunk_bytes, 9)));
  REQUIRE(fetched.add_to(*bench.store, 1));
  CHECK_FALSE(bench.store->finish(fetched.id));
  CHECK_FALSE(bench.store->holds(fetched.id));
  CHECK(bench.store->begin(fetched.id)->empty());
}

TEST_CASE("chunks of a part are served, with what proves them, also after a restart") {
  Bench bench(4 << 20);
  const Fetched fetched(pattern(5 * chunk_bytes));
  REQUIRE(bench.store->begin(fetched.id));
  REQUIRE(fetched.add_to(*bench.store, 4));
  for (int round = 0; round < 2; ++round) {
    const auto chunk = bench.store->chunk(fetched.id, 4);
    REQUIRE(chunk);
    CHECK(merkle_verify(merkle_leaf(chunk->bytes), 4, 5, chunk->path, fetched.id.root));
    CHECK_FALSE(bench.store->chunk(fetched.id, 3));
    bench.reopen(4 << 20);
    REQUIRE(bench.store->begin(fetched.id));
  }
}

TEST_CASE("a cache that somebody deletes while it is used begins anew") {
  Bench bench(4 << 20);
  const Fetched fetched(pattern(2 * chunk_bytes));
  REQUIRE(bench.store->begin(fetched.id));
  REQUIRE(fetched.add_to(*bench.store, 0));
  std::filesystem::remove_all(bench.directory);
  REQUIRE(fetched.add_to(*bench.store, 1));
  CHECK_FALSE(bench.store->finish(fetched.id));  // the first chunk went with it
  REQUIRE(bench.store->begin(fetched.id)->empty());
  for (const std::uint64_t index : {0, 1}) REQUIRE(fetched.add_to(*bench.store, index));
  REQUIRE(bench.store->finish(fetched.id));
  CHECK(*bench.store->get(fetched.id) == fetched.bytes);
  std::filesystem::remove_all(bench.directory);
  CHECK_FALSE(bench.store->get(fetched.id));
  bench.put(pattern(7));
}

TEST_CASE("a fetch for which there is no room is refused at its beginning") {
  Bench bench(chunk_bytes);
  CHECK_FALSE(bench.store->begin(blob_id_of(pattern(chunk_bytes + 1))));
  const BlobId pinned = bench.put(pattern(100));
  CHECK_FALSE(bench.store->begin(blob_id_of(pattern(chunk_bytes))));
  CHECK(bench.store->holds(pinned));
}

TEST_CASE("a directory that cannot be made is an error in one line") {
  CHECK_FALSE(files_in("/proc/nowhere/blobs"));
}

TEST_CASE("many threads put, read and let go at once") {
  Bench bench(100 << 10);
  std::atomic<unsigned> wrong{0}, read{0};
  std::vector<std::thread> threads;
  for (std::uint8_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const Bytes blob = pattern(5000, static_cast<std::uint8_t>(t * 50 + i));
        const auto id = bench.store->put(blob);
        if (!id) continue;
        const auto kept = bench.store->get(*id);
        kept && *kept == blob ? ++read : ++wrong;
        bench.store->unpin(*id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(read == 200);
  CHECK(bench.store->bytes_held() <= 100 << 10);
}
