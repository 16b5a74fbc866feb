#include "worker/cage/wire.h"

#include <doctest/doctest.h>

#include "coordinatorless/base/generator.h"
#include "worker/cage/limits.h"

namespace dugnad::worker::cage {
namespace {

Bytes header(std::uint32_t length, std::uint8_t kind) {
  return {static_cast<std::uint8_t>(length), static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length >> 16),
          static_cast<std::uint8_t>(length >> 24), kind};
}

}  // namespace

TEST_CASE("frames come out as they went in, however the stream is cut") {
  Bytes stream;
  append_frame(stream, Kind::loaded, {});
  append_frame(stream, Kind::result, Bytes{0}, to_bytes("four"));
  append_frame(stream, Kind::result, Bytes{1}, Bytes(100'000, 7));
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{4096}, stream.size()}) {
    FrameReader reader(FrameReader::Side::worker);
    std::vector<Frame> frames;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      reader.feed(ByteView(stream).subspan(at, std::min(step, stream.size() - at)));
      while (auto frame = reader.next()) frames.push_back(*std::move(frame));
    }
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].kind == Kind::loaded);
    CHECK(frames[1].body == to_bytes(std::string("\0four", 5)));
    CHECK(frames[2].body.size() == 100'001);
    CHECK(reader.empty());
    CHECK_FALSE(reader.broken());
  }
}

TEST_CASE("a check comes out as it went in, and a body that is none is refused") {
  Bytes stream;
  append_frame(stream, Kind::check, check_head(7, to_bytes("input")), to_bytes("claimed"));
  append_frame(stream, Kind::check, check_head(0, {}), {});
  FrameReader reader(FrameReader::Side::cage);
  reader.feed(stream);
  const auto frame = reader.next(), empty = reader.next();
  REQUIRE(frame);
  REQUIRE(empty);
  const auto check = check_of(frame->body);
  REQUIRE(check);
  CHECK(check->fuel == 7);
  CHECK(to_text(check->input) == "input");
  CHECK(to_text(check->claimed) == "claimed");
  REQUIRE(check_of(empty->body));
  CHECK(check_of(empty->body)->claimed.empty());
  CHECK_FALSE(check_of({}));
  CHECK_FALSE(check_of(Bytes(11, 0)));
  Bytes beyond = check_head(0, to_bytes("input"));
  beyond.pop_back();
  CHECK_FALSE(check_of(beyond));
  FrameReader worker(FrameReader::Side::worker);
  worker.feed(stream);
  CHECK_FALSE(worker.next());
  CHECK(worker.broken());
}

TEST_CASE("a kind of the other side, an unknown one, and a length above the limit break the stream before anything is held") {
  const auto breaks = [](FrameReader::Side side, const Bytes& bytes) {
    FrameReader reader(side);
    reader.feed(bytes);
    CHECK_FALSE(reader.next());
    return reader.broken();
  };
  CHECK(breaks(FrameReader::Side::worker, header(10, 1)));
  CHECK(breaks(FrameReader::Side::cage, header(1, 6)));
  CHECK(breaks(FrameReader::Side::worker, header(1, 0)));
  CHECK(breaks(FrameReader::Side::worker, header(1, 200)));
  CHECK(breaks(FrameReader::Side::worker, header(1, 4)));
  CHECK(breaks(FrameReader::Side::worker, header(0xffffffff, 6)));
  CHECK(breaks(FrameReader::Side::worker, header(limits::text_bytes_max + 1, 5)));
  CHECK_FALSE(breaks(FrameReader::Side::worker, header(limits::text_bytes_max, 5)));
}

TEST_CASE("only what a unit can come to in a cage is a result") {
  const auto result = [](Bytes body) { return result_of({Kind::result, std::move(body)}); };
  REQUIRE(result(Bytes{0, 42}));
  CHECK(result(Bytes{0, 42})->output == Bytes{42});
  CHECK(result(Bytes{1})->outcome == Outcome::failed);
  CHECK(result(Bytes{2})->outcome == Outcome::donor_fault);
  CHECK_FALSE(result(Bytes{3}));  // cancelled: the worker alone says that
  CHECK_FALSE(result(Bytes{255}));
  CHECK_FALSE(result({}));
  Bytes long_reason(limits::text_bytes_max + 2, 'x');
  long_reason[0] = 1;
  CHECK_FALSE(result(long_reason));
  CHECK_FALSE(result_of({Kind::loaded, {}}));
}

TEST_CASE("random bytes never make the reader hold more than one frame may have, nor read beyond them") {
  auto random = Generator::from_seed(1);
  for (int round = 0; round < 2000; ++round) {
    FrameReader reader(round % 2 == 0 ? FrameReader::Side::worker : FrameReader::Side::cage);
    std::size_t fed = 0, taken = 0;
    for (int step = 0; step < 20 && !reader.broken(); ++step) {
      Bytes bytes(random.below(40));
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.below(8));
      fed += bytes.size();
      reader.feed(bytes);
      while (const auto frame = reader.next()) taken += limits::header_bytes + frame->body.size();
    }
    CHECK(taken <= fed);
  }
}

}  // namespace dugnad::worker::cage
