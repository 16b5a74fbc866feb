#include "coordinatorless/base/blob_id.h"

#include <charconv>

#include "coordinatorless/base/merkle.h"

namespace dugnad {

std::vector<Hash> blob_leaves(ByteView blob) {
  std::vector<Hash> leaves;
  leaves.reserve(chunk_count(blob.size()));
  for (std::uint64_t i = 0; i < chunk_count(blob.size()); ++i) {
    leaves.push_back(merkle_leaf(blob.subspan(i * chunk_bytes, chunk_length(blob.size(), i))));
  }
  return leaves;
}

BlobId blob_id_of(ByteView blob) { return {blob.size(), merkle_root(blob_leaves(blob))}; }

Bytes to_bytes(const BlobId& id) {
  Bytes bytes(blob_id_bytes);
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(id.length >> (8 * i));
  std::copy(id.root.bytes.begin(), id.root.bytes.end(), bytes.begin() + 8);
  return bytes;
}

std::optional<BlobId> blob_id_from(ByteView bytes) {
  if (bytes.size() != blob_id_bytes) return std::nullopt;
  BlobId id;
  for (std::size_t i = 0; i < 8; ++i) id.length |= std::uint64_t{bytes[i]} << (8 * i);
  id.root = *Hash::from(bytes.subspan(8));
  return id;
}

std::string to_text(const BlobId& id) { return id.root.hex() + "-" + std::to_string(id.length); }

std::optional<BlobId> blob_id_from_text(std::string_view text) {
  constexpr std::size_t digits = 64;
  if (text.size() < digits + 2 || text[digits] != '-') return std::nullopt;
  const auto root = Hash::from_hex(text.substr(0, digits));
  BlobId id;
  const auto [end, error] = std::from_chars(text.data() + digits + 1, text.data() + text.size(), id.length);
  if (!root || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  id.root = *root;
  return to_text(id) == text ? std::optional(id) : std::nullopt;  // leading zeros would name one blob twice
}

}  // namespace dugnad
