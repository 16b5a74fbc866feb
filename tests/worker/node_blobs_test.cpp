// The guests that a node makes of its modules: as many as jobs served, and no more.
#include "worker/node_blobs.h"

#include <doctest/doctest.h>

namespace dugnad::worker {
namespace {

PeerId peer(std::uint8_t name) {
  PeerId id;
  id.bytes[0] = name;
  return id;
}

NodeBlobs some_blobs() {
  return {std::make_unique<store::BlobStore>(store::files_in_memory()),
          std::string(),
          peer(1),
          {.send = [](const PeerId&, Bytes) {}, .post = [](core::Event) {}}};
}

core::AttemptToStart attempt(const BlobId& module, std::uint64_t memory_bytes, std::uint64_t fuel = 0) {
  core::AttemptToStart wanted;
  wanted.module = module;
  wanted.memory_bytes = memory_bytes;
  wanted.fuel = fuel;
  return wanted;
}

}  // namespace

TEST_CASE("attempts of one job share a guest, and jobs with other limits do not") {
  auto blobs = some_blobs();
  const BlobId module = blob_id_of(to_bytes("a module"));
  const auto one = blobs.guest_of(attempt(module, 1 << 20));
  CHECK(blobs.guest_of(attempt(module, 1 << 20)) == one);
  const auto fuelled = blobs.guest_of(attempt(module, 1 << 20, 5));
  CHECK(fuelled != one);
  CHECK(fuelled->fuel == 5);
  CHECK(blobs.guest_of(attempt(blob_id_of(to_bytes("another")), 1 << 20)) != one);
  CHECK(blobs.guest_of(attempt(module, 1 << 20)) == one);
}

TEST_CASE("jobs that come and go with ever another limit leave no guests behind, while one job keeps the module here") {
  auto blobs = some_blobs();
  const BlobId module = blob_id_of(to_bytes("a module"));
  const auto kept = blobs.guest_of(attempt(module, 7));
  std::vector<std::weak_ptr<const Guest>> gone;
  std::size_t alive_most = 0;
  for (std::uint64_t limit = 8; limit < 1000; ++limit) {
    gone.push_back(blobs.guest_of(attempt(module, limit)));
    alive_most = std::max(alive_most, static_cast<std::size_t>(std::count_if(
                                          gone.begin(), gone.end(), [](const auto& guest) { return !guest.expired(); })));
  }
  CHECK(alive_most == 1);  // the latest, which an attempt may still be made with
  CHECK(blobs.guest_of(attempt(module, 7)) == kept);
}

TEST_CASE("a module that is let go takes its guests along, except from the attempts that run") {
  auto blobs = some_blobs();
  const BlobId module = blob_id_of(to_bytes("a module"));
  const auto running = blobs.guest_of(attempt(module, 7));
  const std::weak_ptr<const Guest> idle = blobs.guest_of(attempt(module, 8));
  blobs.release({module});
  CHECK(idle.expired());
  CHECK(running->memory_bytes == 7);
  CHECK(blobs.guest_of(attempt(module, 7)) != running);
}

TEST_CASE("a module's bytes are read when a cage asks, and where they are lost the core is told") {
  std::vector<core::Event> posted;
  NodeBlobs blobs(std::make_unique<store::BlobStore>(store::files_in_memory()), std::string(), peer(1),
                  {.send = [](const PeerId&, Bytes) {}, .post = [&posted](core::Event event) { posted.push_back(std::move(event)); }});
  const auto kept = blobs.keep(to_bytes("a module"));
  REQUIRE(kept);
  const auto bytes = blobs.guest_of(attempt(*kept, 7))->packed();
  REQUIRE(bytes);
  CHECK(to_text(*bytes) == "a module");
  CHECK(posted.empty());
  CHECK(blobs.guest_of(attempt(blob_id_of(to_bytes("nowhere")), 7))->packed() == nullptr);
  REQUIRE(posted.size() == 1);
  const auto* failed = std::get_if<core::BlobFailed>(&posted[0]);
  REQUIRE(failed != nullptr);
  CHECK(failed->from == peer(1));
}

}  // namespace dugnad::worker
