#include "coordinatorless/core/held_log.h"

#include <doctest/doctest.h>

using namespace dugnad;
using namespace dugnad::core;

namespace {

std::vector<HeldEvent> one_of_each() {
  held::DrawKey key;
  key.key.fill(7);
  return {held::Afresh{},
          key,
          held::UnitsCame{UnitIndex{300}, 1000},
          held::DonorJoined{4000, PeerId{{1, 2, 3}}},
          held::EstablishedThere{false},
          held::FirstsChecked{true},
          held::BlockOpened{AuditTerms{0.001, 0.1, 4000, 0.02, 0}},
          held::BlockEnded{123456},
          held::ResultsCame{{{0, 0x1122334455667788, {}}, {700, 5, Bytes(40, 9)}}},
          held::NobodyAudits{1},
          held::NobodyComputes{2},
          held::GivenUp{3, "it overran"},
          held::TurnEnded{},
          held::Withdrawn{99},
          held::Convicted{3, true}};
}

}  // namespace

TEST_CASE("what is logged of a job's results reads back, event by event, and writes as the same bytes again") {
  const auto events = one_of_each();
  REQUIRE(events.size() == std::variant_size_v<HeldEvent>);
  Bytes bytes;
  for (const HeldEvent& event : events) put_held(bytes, event);
  packed::Reader in(bytes);
  Bytes again;
  for (const HeldEvent& event : events) {
    const auto read = read_held(in);
    REQUIRE(read);
    CHECK(read->index() == event.index());
    put_held(again, *read);
  }
  CHECK(in.left() == 0);
  CHECK(again == bytes);
}

TEST_CASE("an event that is cut short anywhere, or of no known kind, is none") {
  for (const HeldEvent& event : one_of_each()) {
    Bytes bytes;
    put_held(bytes, event);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      packed::Reader in(ByteView(bytes).first(length));
      CHECK_FALSE(read_held(in));
    }
  }
  for (const unsigned kind : {0U, 16U, 255U}) {
    const Bytes bytes(100, static_cast<std::uint8_t>(kind));
    packed::Reader in(bytes);
    CHECK_FALSE(read_held(in));
  }
}

TEST_CASE("terms of a block that are no numbers are not read, nor more new results than a batch can have") {
  Bytes bytes;
  put_held(bytes, held::BlockOpened{AuditTerms{0.001, -0.1, 4000, 0.02, 0}});
  packed::Reader terms(bytes);
  CHECK_FALSE(read_held(terms));
  Bytes many;
  put_held(many, held::ResultsCame{std::vector<held::NewResult>(5000)});
  packed::Reader results(many);
  CHECK_FALSE(read_held(results));
}
