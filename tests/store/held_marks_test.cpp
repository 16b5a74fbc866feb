#include "coordinatorless/store/held_marks.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "coordinatorless/store/blob_store.h"
#include "tests/scratch.h"

using namespace dugnad;
using namespace dugnad::store;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t size = 1000;

struct Bench {
  Scratch scratch;
  const std::string directory = scratch.file("blobs");
  const PeerId holder{{9}};
  HeldMarks marks{directory, holder};
  std::unique_ptr<BlobStore> store = opened();

  /// Room for three blobs and no more.
  [[nodiscard]] std::unique_ptr<BlobStore> opened() const {
    auto files = files_in(directory);
    REQUIRE(files);
    return std::make_unique<BlobStore>(*std::move(files), 3 * size + size / 2);
  }
  HeldOutput output(std::uint8_t with, std::uint64_t unit = 7) {
    const auto id = store->put(Bytes(size, with));
    REQUIRE(id);
    return {JobId{{1}}, {unit}, *id, PublicKey{{2}}, PeerId{{3}}, WallTime(std::chrono::milliseconds(1'800'000'000'123))};
  }
  /// Its process has died an hour ago.
  void die() {
    store = opened();
    for (const auto& entry : fs::directory_iterator(directory)) {
      fs::last_write_time(entry.path(), fs::file_time_type::clock::now() - std::chrono::hours(1));
    }
  }
  [[nodiscard]] std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {})); }
};

}  // namespace

TEST_CASE("what a donor held, its next process finds, and nobody else does") {
  Bench bench;
  const HeldOutput first = bench.output(1), second = bench.output(2, UINT64_MAX);
  bench.marks.add(first);
  bench.marks.add(second);
  bench.marks.add(second);  // said again
  CHECK(HeldMarks(bench.directory, bench.holder).all() == std::vector<HeldOutput>{first, second});
  CHECK(HeldMarks(bench.directory, PeerId{{10}}).all().empty());
  bench.marks.remove(first.job, first.unit, first.output);
  CHECK(bench.marks.all() == std::vector<HeldOutput>{second});
  CHECK(bench.files() == 3);
}

TEST_CASE("a mark that is torn, longer, or of another form is none, and goes") {
  Bench bench;
  bench.marks.add(bench.output(1));
  std::string name;
  for (const auto& entry : fs::directory_iterator(bench.directory)) {
    if (entry.path().extension() == ".held") name = entry.path().filename().string();
  }
  const std::string path = bench.directory + "/" + name;
  for (const std::uintmax_t length : {0, 1, 72, 74, 1000}) {
    std::ofstream(path).close();
    fs::resize_file(path, length);
    CHECK(bench.marks.all().empty());
    CHECK_FALSE(fs::exists(path));
  }
  const std::string end = name.substr(name.find('.', name.find('.', name.find('.') + 1) + 1));  // the holder's
  for (const std::string& odd : {"x" + end, name.substr(0, name.size() - end.size()) + ".1" + end, to_text(BlobId{}) + ".." + end}) {
    std::ofstream(bench.directory + "/" + odd) << "odd";
    CHECK(bench.marks.all().empty());
    CHECK_FALSE(fs::exists(bench.directory + "/" + odd));
  }
}

TEST_CASE("of a process that has died, what was held goes last, and the mark goes with it") {
  Bench bench;
  const HeldOutput held = bench.output(1);
  bench.marks.add(held);
  bench.die();
  for (std::uint8_t i = 0; i < 9; ++i) bench.store->unpin(*bench.store->put(Bytes(size, static_cast<std::uint8_t>(10 + i))));
  CHECK(bench.store->holds(held.output));
  bench.die();
  for (std::uint8_t i = 0; i < 3; ++i) REQUIRE(bench.store->put(Bytes(size, static_cast<std::uint8_t>(30 + i))));
  CHECK_FALSE(bench.store->holds(held.output));
  (void)bench.store->make_room_for(3 * size);
  CHECK(bench.marks.all().empty());
}

TEST_CASE("without a directory nothing is kept, nor found") {
  const HeldMarks marks;
  marks.add(HeldOutput{});
  CHECK(marks.all().empty());
}
