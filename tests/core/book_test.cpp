#include "coordinatorless/core/book.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/expiry.h"
#include "tests/core/identities.h"

using namespace dugnad;
using namespace dugnad::core;
using namespace dugnad::core::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t honest_source = 1, hostile_source = 2;

// The book believes that signatures were checked, so any key will do here.
ContactRecord record_of(std::uint64_t number, const Endpoint& endpoint, std::uint64_t sequence, WallTime now) {
  ContactRecord record;
  for (int i = 0; i < 8; ++i) record.key.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  record.endpoint = endpoint;
  record.sequence = sequence;
  record.expires = now + std::chrono::duration_cast<WallTime::duration>(limits::record_lease);
  return record;
}

Signed raw_of(const ContactRecord& record) { return {encode(record), {}}; }

struct Shelf {
  Generator generator = Generator::from_seed(1);
  Book book{generator};
  Now now = start_of_time();

  Book::Outcome put(const ContactRecord& record, std::uint64_t source = honest_source) {
    return book.put(record.peer(), record, raw_of(record), true, source);
  }
};

}  // namespace

TEST_CASE("while everything fits, the book is what a plain map of the latest records would be, under any operations") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto random = Generator::from_seed(seed);
    Shelf shelf;
    std::map<PeerId, ContactRecord> model;
    std::set<PeerId> gone;
    for (int step = 0; step < 1500; ++step) {
      switch (random.below(9)) {
        case 0: {
          shelf.now = later(shelf.now, std::chrono::seconds(random.below(600)));
          (void)shelf.book.expire(shelf.now);
          std::erase_if(model, [&](const auto& entry) { return entry.second.expires + std::chrono::minutes(10) <= shelf.now.wall; });
          std::erase_if(gone, [&](const PeerId& peer) { return !model.contains(peer); });
          break;
        }
        case 2: {
          const auto record = record_of(random.below(200), far_away(0), random.below(20), shelf.now.wall);
          const Goodbye goodbye{record.key, record.sequence, record.expires};
          const auto known = model.find(record.peer());
          const auto expected = known == model.end()                       ? Book::Outcome::refused
                                : record.sequence > known->second.sequence ? Book::Outcome::updated
                                                                           : Book::Outcome::known;
          REQUIRE(shelf.book.bury(record.peer(), goodbye, {encode(goodbye), {}}) == expected);
          if (expected != Book::Outcome::updated) break;
          model[record.peer()] = record;
          gone.insert(record.peer());
          break;
        }
        case 1: {
          if (model.empty()) break;
          auto at = model.begin();
          std::advance(at, random.below(model.size()));
          if (random.chance(0.5)) shelf.book.mark_tried(at->first, shelf.now);
          else shelf.book.mark_failed(at->first, shelf.now);
          break;
        }
        default: {
          const std::uint64_t number = random.below(200);
          const auto record = record_of(number, far_away(static_cast<unsigned>(random.below(3))), random.below(20), shelf.now.wall);
          const auto known = model.find(record.peer());
          const auto expected = known == model.end()                           ? Book::Outcome::fresh
                                : record.sequence > known->second.sequence ? Book::Outcome::updated
                                                                           : Book::Outcome::known;
          REQUIRE(shelf.put(record, random.below(3)) == expected);
          if (expected == Book::Outcome::known) break;
          model[record.peer()] = record;
          gone.erase(record.peer());
        }
      }
      REQUIRE(shelf.book.size() == model.size());
    }
    for (const auto& [peer, record] : model) {
      REQUIRE(shelf.book.find(peer) != nullptr);
      CHECK(shelf.book.find(peer)->gone == gone.contains(peer));
      CHECK(shelf.book.find(peer)->sequence == record.sequence);
      CHECK(shelf.book.find(peer)->expires == record.expires);
      if (gone.contains(peer)) {
        CHECK(shelf.book.find(peer)->looks_dead());
        CHECK_FALSE(shelf.book.find(peer)->route().has_value());
        continue;
      }
      CHECK(shelf.book.find(peer)->record() == record);
      CHECK(shelf.book.find(peer)->raw == raw_of(record));
    }
  }
}

TEST_CASE("the book stays within its bounds whatever it is told") {
  auto random = Generator::from_seed(3);
  Shelf shelf;
  for (std::uint64_t i = 0; i < 6000; ++i) {
    const auto record = record_of(i, far_away(static_cast<unsigned>(random.below(300))), 1, shelf.now.wall);
    shelf.put(record, random.below(40));
    if (random.chance(0.3)) shelf.book.mark_tried(record.peer(), shelf.now);
  }
  CHECK(shelf.book.size() > limits::full_view_max);
  CHECK(shelf.book.tried() <= limits::book_tried_max);
  CHECK(shelf.book.size() - shelf.book.tried() <= limits::book_new_max + 1);
}

TEST_CASE("a flood of records from one network cannot push out what others told, nor what was tried") {
  Shelf shelf;
  std::vector<PeerId> honest, tried;
  for (std::uint64_t i = 0; i < 120; ++i) {
    const auto record = record_of(i, far_away(static_cast<unsigned>(i)), 1, shelf.now.wall);
    shelf.put(record, 100 + i % 20);
    honest.push_back(record.peer());
    if (i % 4 == 0) {
      shelf.book.mark_tried(record.peer(), shelf.now);
      tried.push_back(record.peer());
    }
  }
  for (std::uint64_t i = 0; i < 5000; ++i) {
    shelf.put(record_of(1'000'000 + i, far_away(static_cast<unsigned>(i % 400)), 1, shelf.now.wall), hostile_source);
  }
  for (const auto& peer : honest) CHECK(shelf.book.find(peer) != nullptr);
  for (const auto& peer : tried) CHECK(shelf.book.find(peer)->tried);
  // The flood has what nobody else wanted of the full view, and its own few buckets.
  CHECK(shelf.book.size() <= honest.size() + limits::full_view_max + 4 * limits::book_bucket_max);
}

TEST_CASE("where the book is full, a newcomer of another network still gets in, at the crowd's expense") {
  Shelf shelf;
  for (std::uint64_t i = 0; i < 3000; ++i) shelf.put(record_of(i, far_away(static_cast<unsigned>(i % 300)), 1, shelf.now.wall), hostile_source);
  const std::size_t before = shelf.book.size();
  std::size_t taken = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    if (shelf.put(record_of(10'000 + i, far_away(static_cast<unsigned>(i)), 1, shelf.now.wall), 100 + i) == Book::Outcome::fresh) ++taken;
  }
  CHECK(taken == 200);
  CHECK(shelf.book.size() >= before);
}

TEST_CASE("a lower or equal sequence changes nothing, and a moved peer is no longer tried") {
  Shelf shelf;
  const auto first = record_of(1, far_away(1), 5, shelf.now.wall);
  shelf.put(first);
  shelf.book.mark_tried(first.peer(), shelf.now);
  CHECK(shelf.put(record_of(1, far_away(2), 5, shelf.now.wall)) == Book::Outcome::known);
  CHECK(shelf.put(record_of(1, far_away(2), 4, shelf.now.wall)) == Book::Outcome::known);
  CHECK(shelf.book.find(first.peer())->record() == first);
  CHECK(shelf.put(record_of(1, far_away(1), 6, shelf.now.wall)) == Book::Outcome::updated);
  CHECK(shelf.book.find(first.peer())->tried);
  CHECK(shelf.put(record_of(1, far_away(2), 7, shelf.now.wall)) == Book::Outcome::updated);
  CHECK_FALSE(shelf.book.find(first.peer())->tried);
  CHECK(shelf.book.find(first.peer())->route()->endpoint == far_away(2));
}

TEST_CASE("a lease is accepted within the tolerated skew, and neither longer nor later") {
  const Now now = start_of_time();
  auto record = record_of(1, far_away(1), 1, now.wall);
  CHECK(is_current(record.expires, limits::record_lease, now.wall));
  record.expires = now.wall - 10min + 1ms;
  CHECK(is_current(record.expires, limits::record_lease, now.wall));
  record.expires = now.wall - 10min;
  CHECK_FALSE(is_current(record.expires, limits::record_lease, now.wall));
  record.expires = now.wall + 40min;
  CHECK(is_current(record.expires, limits::record_lease, now.wall));
  record.expires = now.wall + 40min + 1ms;
  CHECK_FALSE(is_current(record.expires, limits::record_lease, now.wall));
  record.expires = WallTime::max();
  CHECK_FALSE(is_current(record.expires, limits::record_lease, now.wall));
  record.expires = WallTime::min();
  CHECK_FALSE(is_current(record.expires, limits::record_lease, now.wall));
}

TEST_CASE("a peer that turns us away is left alone, longer each time, until a link with it has held") {
  Shelf shelf;
  const ContactRecord record = record_of(1, far_away(1), 1, shelf.now.wall);
  CHECK(shelf.put(record) == Book::Outcome::fresh);
  const auto left_alone = [&](bool lasted) {
    shelf.book.mark_tried(record.peer(), shelf.now);
    shelf.book.leave_alone(record.peer(), lasted, shelf.now);
    return shelf.book.find(record.peer())->next_try - shelf.now.boot;
  };
  for (int i = 0; i < 300; ++i) {
    const Duration expected = std::min<Duration>(limits::left_alone_first * (1 << std::min(i, 10)), limits::left_alone_most);
    const Duration pause = left_alone(false);
    CHECK(pause >= expected * 3 / 4);
    CHECK(pause <= expected * 5 / 4);
  }
  CHECK(left_alone(true) <= limits::left_alone_first * 5 / 4);
  CHECK_FALSE(shelf.book.find(record.peer())->looks_dead());
}
