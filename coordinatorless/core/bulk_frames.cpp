#include "coordinatorless/core/bulk_frames.h"

#include "coordinatorless/base/merkle.h"
#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/limits.h"

namespace dugnad::core::bulk {
namespace {

enum class Kind : std::uint8_t { request = 1, chunk = 2, missing = 3, have = 4, spread = 5 };
constexpr std::uint8_t asks_flag = 1, fetching_flag = 2;
constexpr std::size_t head_bytes = 2 + blob_id_bytes;

void put(Bytes& frame, std::uint32_t number) {
  for (int i = 0; i < 4; ++i) frame.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}
void put(Bytes& frame, const ChunkSet& chunks) { frame.insert(frame.end(), chunks.bytes().begin(), chunks.bytes().end()); }
std::uint32_t number_at(ByteView frame, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number |= std::uint32_t{frame[at + i]} << (8 * i);
  return number;
}

Bytes head(Kind kind, const BlobId& blob, std::size_t room) {
  Bytes frame;
  frame.reserve(head_bytes + room);
  frame.push_back(mark);
  frame.push_back(static_cast<std::uint8_t>(kind));
  const Bytes name = to_bytes(blob);
  frame.insert(frame.end(), name.begin(), name.end());
  return frame;
}

struct Encoder {
  Bytes operator()(const Request& request) const {
    Bytes frame = head(Kind::request, request.blob, 2 + request.wanted.bytes().size());
    frame.push_back(request.count);
    frame.push_back(request.fresh ? 1 : 0);
    put(frame, request.wanted);
    return frame;
  }
  Bytes operator()(const Chunk& chunk) const {
    Bytes frame = head(Kind::chunk, chunk.blob, 4 + 32 * chunk.path.size() + chunk.bytes.size());
    put(frame, chunk.index);
    for (const Hash& hash : chunk.path) frame.insert(frame.end(), hash.bytes.begin(), hash.bytes.end());
    frame.insert(frame.end(), chunk.bytes.begin(), chunk.bytes.end());
    return frame;
  }
  Bytes operator()(const Missing& missing) const { return head(Kind::missing, missing.blob, 0); }
  Bytes operator()(const Have& have) const {
    Bytes frame = head(Kind::have, have.blob, 1 + have.chunks.bytes().size());
    frame.push_back(static_cast<std::uint8_t>((have.asks ? asks_flag : 0) | (have.fetching ? fetching_flag : 0)));
    put(frame, have.chunks);
    return frame;
  }
  Bytes operator()(const Spread& spread) const {
    Bytes frame = head(Kind::spread, spread.blob, 1);
    frame.push_back(spread.count);
    return frame;
  }
};

bool is_count(std::uint64_t count) { return count >= 1 && count <= limits::bulk_credits; }

std::optional<Frame> decode_request(const BlobId& blob, ByteView rest) {
  if (rest.size() < 2 || rest[1] > 1 || !is_count(rest[0])) return std::nullopt;
  auto wanted = ChunkSet::from(rest.subspan(2), chunk_count(blob.length));
  if (!wanted || rest[0] > wanted->count()) return std::nullopt;
  return Request{blob, rest[0], rest[1] != 0, *std::move(wanted)};
}

std::optional<Frame> decode_have(const BlobId& blob, ByteView rest) {
  if (rest.empty() || rest[0] > (asks_flag | fetching_flag)) return std::nullopt;
  auto chunks = ChunkSet::from(rest.subspan(1), chunk_count(blob.length));
  if (!chunks) return std::nullopt;
  return Have{blob, (rest[0] & asks_flag) != 0, (rest[0] & fetching_flag) != 0, *std::move(chunks)};
}

std::optional<Frame> decode_chunk(const BlobId& blob, ByteView rest) {
  if (rest.size() < 4) return std::nullopt;
  Chunk chunk{blob, number_at(rest, 0), {}, {}};
  const std::uint64_t count = chunk_count(blob.length);
  if (chunk.index >= count) return std::nullopt;
  const std::size_t hashes = merkle_path_length(chunk.index, count);
  rest = rest.subspan(4);
  if (rest.size() != 32 * hashes + chunk_length(blob.length, chunk.index)) return std::nullopt;
  for (std::size_t i = 0; i < hashes; ++i) chunk.path.push_back(*Hash::from(rest.subspan(32 * i, 32)));
  rest = rest.subspan(32 * hashes);
  chunk.bytes.assign(rest.begin(), rest.end());
  return chunk;
}

}  // namespace

Bytes encode(const Frame& frame) {
  Bytes bytes = std::visit(Encoder{}, frame);
  DUGNAD_ASSERT(bytes.size() <= limits::message_bytes_max, "a bulk frame over its limit");
  return bytes;
}

std::optional<Frame> decode(ByteView frame) {
  if (frame.size() < head_bytes || frame[0] != mark) return std::nullopt;
  const BlobId blob = *blob_id_from(frame.subspan(2, blob_id_bytes));
  if (blob.length > limits::blob_bytes_max) return std::nullopt;
  const ByteView rest = frame.subspan(head_bytes);
  switch (frame[1]) {
    case static_cast<std::uint8_t>(Kind::request): return decode_request(blob, rest);
    case static_cast<std::uint8_t>(Kind::chunk): return decode_chunk(blob, rest);
    case static_cast<std::uint8_t>(Kind::have): return decode_have(blob, rest);
    case static_cast<std::uint8_t>(Kind::spread):
      return rest.size() == 1 && is_count(rest[0]) ? std::optional<Frame>(Spread{blob, rest[0]}) : std::nullopt;
    case static_cast<std::uint8_t>(Kind::missing): return rest.empty() ? std::optional<Frame>(Missing{blob}) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace dugnad::core::bulk
