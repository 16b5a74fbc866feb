#include "coordinatorless/core/lease_book.h"

#include <doctest/doctest.h>

using namespace dugnad;
using namespace dugnad::core;
using std::chrono::seconds;

TEST_CASE("each unit of a lease comes back once, from its donor, in any order") {
  LeaseBook book(LeaseId{100});
  const LeaseId lease = book.next_id();
  book.open(4, {{1}, {2}, {3}}, BootTime{}, BootTime{} + seconds(10));
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
  book.open(0, {{1}}, BootTime{}, BootTime{} + seconds(10));
  const LeaseId second = book.next_id();
  book.open(0, {{2}}, BootTime{}, BootTime{} + seconds(20));
  CHECK_FALSE(book.first_expired(BootTime{} + seconds(9)));
  CHECK(book.first_expired(BootTime{} + seconds(30)) == first);
  CHECK(book.close(first).units == std::vector<UnitIndex>{{1}});
  CHECK(book.first_expired(BootTime{} + seconds(30)) == second);
  CHECK(book.of(0) == std::vector<LeaseId>{second});
  CHECK(book.issued(first));
  CHECK_FALSE(book.issued(book.next_id()));
  CHECK_FALSE(book.issued(LeaseId{}));
}
