// Outputs that a job has accepted, in a store that others fill up meanwhile.
#include "coordinatorless/store/kept_outputs.h"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>

#include "coordinatorless/store/blob_store.h"
#include "tests/scratch.h"

using namespace dugnad;
using namespace dugnad::store;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t size = 1000;

Bytes filled(std::uint8_t with) { return Bytes(size, with); }

struct Bench {
  Scratch scratch;
  const std::string directory = scratch.file("blobs");
  const JobId job{Hash{{1}}.bytes};
  std::unique_ptr<BlobStore> store = opened();
  KeptOutputs kept{directory};

  /// Room for three blobs and no more.
  [[nodiscard]] std::unique_ptr<BlobStore> opened() const {
    auto files = files_in(directory);
    REQUIRE(files);
    return std::make_unique<BlobStore>(*std::move(files), 3 * size + size / 2);
  }
  BlobId put(std::uint8_t with) {
    const auto id = store->put(filled(with));
    REQUIRE(id);
    return *id;
  }
  /// Its process has died, and all that it left was last touched so long ago.
  void die(std::chrono::hours ago = std::chrono::hours(1)) {
    store = opened();
    for (const auto& entry : fs::directory_iterator(directory)) fs::last_write_time(entry.path(), fs::file_time_type::clock::now() - ago);
  }
  /// What others put there, and do not need for long.
  void crowd(std::uint8_t from, std::uint8_t count) {
    for (std::uint8_t i = 0; i < count; ++i) store->unpin(put(static_cast<std::uint8_t>(from + i)));
  }
  [[nodiscard]] std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {})); }
};

}  // namespace

TEST_CASE("an output that was accepted and not read outlasts its process, whatever is put beside it") {
  Bench bench;
  const BlobId output = bench.put(1), other = bench.put(2);
  bench.kept.keep(bench.job, output);
  bench.die();
  bench.crowd(10, 9);
  CHECK(bench.store->get(output) != nullptr);
  CHECK(bench.store->get(other) == nullptr);
  // There is no room that it does not leave.
  const auto third = bench.put(30);
  (void)bench.put(31);
  CHECK_FALSE(bench.store->put(filled(32)));
  bench.store->unpin(third);
  CHECK(bench.store->put(filled(32)));
}

TEST_CASE("what was read of a job that is not over goes last") {
  Bench bench;
  const BlobId output = bench.put(1);
  bench.kept.keep(bench.job, output);
  bench.kept.taken(bench.job, output);
  bench.die();
  bench.crowd(10, 9);
  CHECK(bench.store->holds(output));
  bench.die();
  for (std::uint8_t i = 0; i < 3; ++i) (void)bench.put(static_cast<std::uint8_t>(20 + i));
  CHECK_FALSE(bench.store->holds(output));
}

TEST_CASE("of a job that is over nothing is kept that was read, and of one that is forgotten nothing at all") {
  Bench bench;
  const JobId other{Hash{{2}}.bytes};
  const BlobId read = bench.put(1), untaken = bench.put(2);
  bench.kept.keep(bench.job, read);
  bench.kept.taken(bench.job, read);
  bench.kept.keep(bench.job, untaken);
  bench.kept.over(other);
  bench.kept.forget(other);
  CHECK(bench.files() == 4);
  bench.kept.over(bench.job);
  CHECK(bench.files() == 3);
  bench.die();
  bench.crowd(10, 9);
  CHECK_FALSE(bench.store->holds(read));
  CHECK(bench.store->holds(untaken));
  bench.kept.forget(bench.job);
  bench.die();
  bench.crowd(20, 9);
  CHECK_FALSE(bench.store->holds(untaken));
}

TEST_CASE("after a month nobody comes back for an output any more") {
  Bench bench;
  const BlobId output = bench.put(1);
  bench.kept.keep(bench.job, output);
  bench.die(std::chrono::hours(24 * 40));
  bench.crowd(10, 9);
  CHECK_FALSE(bench.store->holds(output));
}

TEST_CASE("what says that an output is kept goes once the output itself is gone") {
  Bench bench;
  const BlobId output = bench.put(1);
  bench.kept.keep(bench.job, output);
  fs::remove(bench.directory + "/" + to_text(output));
  bench.die();
  bench.crowd(10, 9);
  CHECK(bench.files() == 3);
}
