#include "worker/cage/unpack.h"

#include <zstd.h>

namespace dugnad::worker::cage {

Result<Bytes> unpack(ByteView packed, std::size_t raw_max) {
  const Error broken{"its packed bytes are no zstd frame"};
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return broken;
  if (size == ZSTD_CONTENTSIZE_UNKNOWN) return Error{"its zstd frame does not say how large the module is"};
  if (size > raw_max) return Error{"unpacked it is above the limit of " + std::to_string(raw_max >> 20) + " MiB"};
  const std::size_t frame = ZSTD_findFrameCompressedSize(packed.data(), packed.size());
  if (ZSTD_isError(frame)) return broken;
  if (frame != packed.size()) return Error{"bytes follow behind its zstd frame"};
  Bytes raw(static_cast<std::size_t>(size));
  // In one call, straight into what was promised: no window is allocated, and what would come beyond it is an error.
  const std::size_t made = ZSTD_decompress(raw.data(), raw.size(), packed.data(), packed.size());
  if (ZSTD_isError(made) || made != raw.size()) return broken;
  return raw;
}

}  // namespace dugnad::worker::cage
