#include "coordinatorless/core/lease_book.h"

#include <doctest/doctest.h>

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::seconds;

TEST_CASE("each unit of a lease comes back once, from its donor, in any order") {
  LeaseBook book(LeaseId{100});
  const LeaseId lease = book.next_id();
  book.open(4, {{1}, {2}, {3}}, {8, 8, 8}, BootTime{}, BootTime{} + seconds(10));
  CHECK_FALSE(book.unit_back(lease, 5, {2}));   // another donor
  CHECK_FALSE(book.unit_back({7}, 4, {2}));     // another lease
  CHECK_FALSE(book.unit_back(lease, 4, {9}));   // another unit
  CHECK(book.unit_back(lease, 4, {3}));
  CHECK_FALSE(book.unit_back(lease, 4, {3}));   // twice
  CHECK(book.unit_back(lease, 4, {1}));
  CHECK(book.find(lease)->out == 1);
  CHECK(book.unit_back(lease, 4, {2}));
  CHECK(book.find(lease) == nullptr);
  CHECK(book.next_expiry() == never);
}

TEST_CASE("the lease that expires first is found first, and each donor's are known") {
  LeaseBook book(LeaseId{});
  const LeaseId first = book.next_id();
  book.open(0, {{1}}, {8}, BootTime{}, BootTime{} + seconds(10));
  const LeaseId second = book.next_id();
  book.open(0, {{2}}, {8}, BootTime{}, BootTime{} + seconds(20));
  CHECK_FALSE(book.first_expired(BootTime{} + seconds(9)));
  CHECK(book.first_expired(BootTime{} + seconds(30)) == first);
  CHECK(book.close(first).units == std::vector<UnitIndex>{{1}});
  CHECK(book.first_expired(BootTime{} + seconds(30)) == second);
  CHECK(book.of(0) == std::vector<LeaseId>{second});
  CHECK(book.issued(first));
  CHECK_FALSE(book.issued(book.next_id()));
  CHECK_FALSE(book.issued(LeaseId{}));
}

TEST_CASE("bytes are out until their units are back or their lease is over, small and large ones apart") {
  constexpr std::uint32_t large = 1 << 20;
  LeaseBook book(LeaseId{});
  const LeaseId first = book.next_id();
  book.open(2, {{1}, {2}, {3}}, {10, large, 20}, BootTime{}, BootTime{} + seconds(10));
  const LeaseId second = book.next_id();
  book.open(2, {{4}}, {large}, BootTime{}, BootTime{} + seconds(10));
  CHECK(book.bytes_out(2).small == 30);
  CHECK(book.bytes_out(2).large == 2 * large);
  CHECK(book.bytes_out(1).small == 0);
  CHECK(book.unit_back(first, 2, {2}));
  CHECK_FALSE(book.unit_back(first, 2, {2}));
  CHECK(book.bytes_out(2).large == large);
  CHECK(book.close(first).out == 2);
  CHECK(book.bytes_out(2).small == 0);
  CHECK(book.unit_back(second, 2, {4}));
  CHECK(book.bytes_out(2).large == 0);
}

TEST_CASE("a lease of an earlier run is taken up unit by unit, beside today's") {
  LeaseBook book(LeaseId{100});
  book.take_up({40}, 3, {7}, 8, BootTime{} + seconds(5), BootTime{} + seconds(10));
  book.take_up({40}, 3, {9}, 1 << 20, BootTime{} + seconds(6), BootTime{} + seconds(20));
  CHECK(book.find({40})->sent == BootTime{} + seconds(5));
  CHECK(book.find({40})->out == 2);
  CHECK_FALSE(book.issued({40}));
  CHECK(book.bytes_out(3).small == 8);
  CHECK(book.bytes_out(3).large == 1 << 20);
  CHECK(book.next_id() == LeaseId{101});
  CHECK(book.next_expiry() == BootTime{} + seconds(10));
  CHECK_FALSE(book.unit_back({40}, 4, {7}));  // another donor
  CHECK(book.unit_back({40}, 3, {9}));
  CHECK(book.unit_back({40}, 3, {7}));
  CHECK(book.empty());
  CHECK(book.bytes_out(3).large == 0);
  CHECK(book.next_expiry() == never);
}
