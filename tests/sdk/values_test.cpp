// Values as bytes and back, and functions as tasks.
#include <doctest/doctest.h>

#include "dugnad/values.h"

using namespace dugnad;

namespace {

struct Point {
  double x, y;
  bool operator==(const Point&) const = default;
};
struct Pair {
  std::uint32_t low, high;
  bool operator==(const Pair&) const = default;
};
struct Holey {
  std::uint8_t small;
  std::uint32_t large;
};
enum class Colour : std::uint8_t { red = 1, green = 2 };

template <class T>
void check_round_trip(const T& value, std::size_t size) {
  const Bytes bytes = to_unit(value);
  CHECK(bytes.size() == size);
  const auto back = from_unit<T>(bytes);
  REQUIRE(back.has_value());
  CHECK((*back == value));
}

}  // namespace

template <>
inline constexpr bool dugnad::has_no_padding<Point> = true;

static_assert(FlatValue<std::uint64_t> && FlatValue<double> && FlatValue<Colour> && FlatValue<Pair> && FlatValue<Point>);
static_assert(!FlatValue<Holey>, "padding would spoil the donors' agreement");
static_assert(!FlatValue<const char*> && !FlatValue<std::string>, "an address means nothing elsewhere");

TEST_CASE("values come back as they went") {
  check_round_trip(std::uint64_t{0x0123456789abcdef}, 8);
  check_round_trip(std::int8_t{-3}, 1);
  check_round_trip(-0.1, 8);
  check_round_trip(Colour::green, 1);
  check_round_trip(Pair{1, 2}, 8);
  check_round_trip(Point{1.5, -2.5}, 16);
  check_round_trip(std::string("good\0day", 8), 8);
  check_round_trip(std::string(), 0);
  check_round_trip(Bytes{1, 2, 3}, 3);
  check_round_trip(std::vector<std::uint32_t>{1, 2, 3}, 12);
  check_round_trip(std::vector<Point>{}, 0);
}

TEST_CASE("numbers travel little-endian") { CHECK(to_unit(Pair{0x01020304, 5}) == Bytes{4, 3, 2, 1, 5, 0, 0, 0}); }

TEST_CASE("bytes of another length are no value") {
  CHECK_FALSE(from_unit<std::uint64_t>(Bytes(7)).has_value());
  CHECK_FALSE(from_unit<std::uint64_t>(Bytes(9)).has_value());
  CHECK_FALSE(from_unit<std::vector<std::uint32_t>>(Bytes(6)).has_value());
}

TEST_CASE("a function becomes a task") {
  const tasks::Task add = task_of<Pair, std::uint64_t>("add", 4, [](Pair p) { return std::uint64_t{p.low} + p.high; });
  CHECK(add.name == "add");
  CHECK(add.version == 4);
  CHECK(add.run(to_unit(Pair{2, 3}), tasks::StopToken()) == to_unit(std::uint64_t{5}));
  CHECK_THROWS_WITH_AS(add.run(Bytes(3), tasks::StopToken()), "its input of 3 bytes is no value of the task's", tasks::UnitFailed);
}

TEST_CASE("a function that asks its token can be stopped") {
  const tasks::Task endless = task_of<std::string, std::string>("endless", 1, [](const std::string& text, const tasks::StopToken& stop) {
    for (;;) stop.throw_if_requested();
    return text;
  });
  const std::atomic<bool> asked{true};
  CHECK_THROWS_AS(endless.run(to_unit(std::string("a")), tasks::StopToken(asked)), tasks::Stopped);
}
