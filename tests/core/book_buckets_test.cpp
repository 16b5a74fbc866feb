#include "coordinatorless/core/book_buckets.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "coordinatorless/base/generator.h"
#include "coordinatorless/core/book.h"
#include "coordinatorless/core/codec.h"
#include "tests/core/identities.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;

namespace {

using Entries = std::map<PeerId, BookEntry>;

PeerId peer_number(std::uint64_t number) {
  PeerId peer;
  for (int i = 0; i < 8; ++i) peer.bytes[i] = static_cast<std::uint8_t>(number * 0x9e3779b97f4a7c15 >> (8 * i));
  return peer;
}

/// What a walk over all entries finds in one bucket.
std::vector<PeerId> recount(const Entries& entries, bool tried, std::size_t bucket) {
  std::vector<PeerId> peers;
  for (const auto& [peer, entry] : entries) {
    if (entry.tried == tried && entry.bucket == bucket) peers.push_back(peer);
  }
  return peers;
}

std::vector<PeerId> ids(std::span<BookBuckets::Item* const> items) {
  std::vector<PeerId> peers;
  for (const auto* item : items) peers.push_back(item->first);
  return peers;
}

}  // namespace

TEST_CASE("the buckets hold what a walk over all entries finds, in the same order, under any operations") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    auto random = Generator::from_seed(seed);
    Entries entries;
    BookBuckets buckets;
    const auto settle = [&](Entries::value_type& item) {
      item.second.tried = random.chance(0.3);
      item.second.bucket = static_cast<std::uint8_t>(random.below(item.second.tried ? BookBuckets::of_tried : BookBuckets::of_new));
      buckets.add(item);
    };
    std::size_t most = 0;
    for (int step = 0; step < 3000; ++step) {
      const PeerId peer = peer_number(random.below(1000));
      if (const auto at = entries.find(peer); at == entries.end()) {
        settle(*entries.try_emplace(peer).first);
      } else {
        buckets.remove(*at);
        if (random.chance(0.5)) settle(*at);
        else entries.erase(at);
      }
      most = std::max(most, entries.size());
      if (step % 100 != 0) continue;
      std::size_t count_new = 0, count_tried = 0;
      for (std::size_t i = 0; i < BookBuckets::of_new; ++i) {
        REQUIRE(ids(buckets.in_new(i)) == recount(entries, false, i));
        count_new += buckets.in_new(i).size();
      }
      for (std::size_t i = 0; i < BookBuckets::of_tried; ++i) {
        REQUIRE(ids(buckets.in_tried(i)) == recount(entries, true, i));
        count_tried += buckets.in_tried(i).size();
      }
      REQUIRE(buckets.count_new() == count_new);
      REQUIRE(buckets.count_tried() == count_tried);
      REQUIRE(count_new + count_tried == entries.size());
    }
    CHECK(most > 500);
  }
}

TEST_CASE("a book that overflows counts its tried as a walk does, keeps every bucket's bound, and every record it gives decodes") {
  auto random = Generator::from_seed(5);
  auto generator = Generator::from_seed(6);
  Book book(generator);
  Now now = start_of_time();
  std::size_t expired = 0;
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    const std::uint64_t number = random.below(5000);
    ContactRecord record;
    for (int i = 0; i < 8; ++i) record.key.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    record.endpoint = far_away(static_cast<unsigned>(random.below(300)));
    record.sequence = random.below(50);
    record.expires = now.wall + std::chrono::duration_cast<WallTime::duration>(limits::record_lease);
    const PeerId peer = record.peer();
    book.put(peer, record, {encode(record), {}}, random.chance(0.9), random.below(30));
    if (random.chance(0.3)) book.mark_tried(peer, now);
    if (random.chance(0.1)) book.mark_failed(peer, now);
    if (random.chance(0.001)) {
      now = later(now, std::chrono::minutes(random.below(30)));
      expired += book.expire(now).size();
    }
    if (step % 500 != 0) continue;
    std::size_t tried = 0;
    std::map<std::pair<bool, std::uint8_t>, std::size_t> sizes;
    for (const auto& [id, entry] : book.entries()) {
      if (entry.tried) ++tried;
      ++sizes[{entry.tried, entry.bucket}];
      REQUIRE(entry.record().peer() == id);
      REQUIRE(entry.route().has_value() == entry.may_dial);
    }
    REQUIRE(book.tried() == tried);
    REQUIRE(book.size() - tried <= limits::book_new_max);
    for (const auto& [bucket, size] : sizes) {
      if (bucket.first) REQUIRE(size <= BookBuckets::tried_bucket_max);
      else REQUIRE(size <= limits::full_view_max);  // while the view is full, anything goes anywhere
    }
  }
  CHECK(expired > 100);
  CHECK(book.size() > limits::full_view_max);
}
