#include "coordinatorless/base/blob_id.h"

#include <doctest/doctest.h>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/base/merkle.h"

using namespace dugnad;

namespace {

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return bytes;
}

}  // namespace

TEST_CASE("a blob's name is its length and the root over its chunks") {
  const Bytes blob = pattern(2 * chunk_bytes + 5);
  const ByteView view(blob);
  const BlobId id = blob_id_of(blob);
  CHECK(id.length == blob.size());
  CHECK(id.root == merkle_root({merkle_leaf(view.subspan(0, chunk_bytes)), merkle_leaf(view.subspan(chunk_bytes, chunk_bytes)),
                                merkle_leaf(view.subspan(2 * chunk_bytes))}));
}

TEST_CASE("golden names of blobs") {
  CHECK(to_text(blob_id_of({})) == merkle_leaf({}).hex() + "-0");
  CHECK(to_text(blob_id_of({})) == "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314-0");
  CHECK(to_text(blob_id_of(pattern(chunk_bytes + 1))) == "122d723d317d759e13c876cfd38296a9d25d43aff21f6f4601669ef06e9faeab-262145");
}

TEST_CASE("a blob has one chunk for each 256 KiB that it begins, and at least one") {
  CHECK(chunk_count(0) == 1);
  CHECK(chunk_count(1) == 1);
  CHECK(chunk_count(chunk_bytes) == 1);
  CHECK(chunk_count(chunk_bytes + 1) == 2);
  CHECK(chunk_count(UINT64_MAX) == (std::uint64_t{1} << 46));
  CHECK(chunk_length(0, 0) == 0);
  CHECK(chunk_length(chunk_bytes, 0) == chunk_bytes);
  CHECK(chunk_length(chunk_bytes + 1, 0) == chunk_bytes);
  CHECK(chunk_length(chunk_bytes + 1, 1) == 1);
}

TEST_CASE("any change of a blob changes its name") {
  Bytes blob = pattern(chunk_bytes + 100);
  const BlobId id = blob_id_of(blob);
  blob[0] ^= 1;
  CHECK(blob_id_of(blob).root != id.root);
  blob[0] ^= 1;
  blob.back() ^= 1;
  CHECK(blob_id_of(blob).root != id.root);
  blob.back() ^= 1;
  CHECK(blob_id_of(blob) == id);
  blob.push_back(0);
  CHECK(blob_id_of(blob).root != id.root);
}

TEST_CASE("a blob's name survives being written as bytes and as text") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{chunk_bytes}, std::size_t{3 * chunk_bytes + 17}}) {
    const BlobId id = blob_id_of(pattern(size));
    CHECK(to_bytes(id).size() == blob_id_bytes);
    CHECK(blob_id_from(to_bytes(id)) == id);
    CHECK(blob_id_from_text(to_text(id)) == id);
  }
}

TEST_CASE("what is no blob's name is refused") {
  const std::string good = to_text(blob_id_of(pattern(300)));
  REQUIRE(blob_id_from_text(good));
  for (const std::string& bad : {good + " ", good + "0x", " " + good, good.substr(1), good.substr(0, 64), good.substr(0, 65), std::string(),
                                 good.substr(0, 65) + "0300", good.substr(0, 65) + "-300", good.substr(0, 65) + "99999999999999999999999"}) {
    CHECK_MESSAGE(!blob_id_from_text(bad), bad);
  }
  Bytes bytes = to_bytes(blob_id_of({}));
  bytes.push_back(0);
  CHECK_FALSE(blob_id_from(bytes));
  bytes.resize(blob_id_bytes - 1);
  CHECK_FALSE(blob_id_from(bytes));
}
