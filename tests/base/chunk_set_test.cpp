#include "coordinatorless/base/chunk_set.h"

#include <doctest/doctest.h>

#include <set>

#include "coordinatorless/base/generator.h"

using namespace dugnad;

TEST_CASE("a set of chunks is what a set of numbers is, under random operations") {
  Generator generator = Generator::from_seed(7);
  for (int round = 0; round < 50; ++round) {
    const std::uint64_t chunks = 1 + generator.below(70);
    ChunkSet chosen(chunks), other(chunks);
    std::set<std::uint64_t> naive, naive_other;
    for (int step = 0; step < 200; ++step) {
      const std::uint64_t index = generator.below(chunks);
      switch (generator.below(6)) {
        case 0: chosen.remove(index); naive.erase(index); break;
        case 1: other.add(index); naive_other.insert(index); break;
        case 2: chosen.add(other); naive.insert(naive_other.begin(), naive_other.end()); break;
        case 3: if (step % 17 == 0) { chosen.keep(other); std::erase_if(naive, [&](auto each) { return !naive_other.contains(each); }); } break;
        case 4: if (step % 13 == 0) { chosen.remove(other); std::erase_if(naive, [&](auto each) { return naive_other.contains(each); }); } break;
        default: chosen.add(index); naive.insert(index);
      }
      CHECK(chosen.count() == naive.size());
      CHECK(chosen.has(index) == naive.contains(index));
      CHECK(chosen.rest().count() == chunks - naive.size());
      CHECK(ChunkSet::from(chosen.bytes(), chunks) == chosen);
    }
    CHECK(ChunkSet::all(chunks).full());
  }
}

TEST_CASE("a set of chunks is read from exactly its bytes, without a bit behind the last chunk") {
  CHECK(ChunkSet::from(Bytes{0xff, 0x01}, 9));
  CHECK_FALSE(ChunkSet::from(Bytes{0xff, 0x02}, 9));
  CHECK_FALSE(ChunkSet::from(Bytes{0xff}, 9));
  CHECK_FALSE(ChunkSet::from(Bytes{0xff, 0x01, 0}, 9));
  CHECK_FALSE(ChunkSet(9).has(9));
}
