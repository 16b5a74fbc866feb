#include <zstd.h>

#include "coordinatorless/base/panic.h"
#include "sdk/pack.h"

namespace dugnad::sdk {

namespace {
constexpr int level = 9;  // a tenth smaller than the fastest levels, and still 30 MB a second
}

Bytes pack(ByteView raw) {
  Bytes packed(ZSTD_compressBound(raw.size()));
  const std::size_t size = ZSTD_compress(packed.data(), packed.size(), raw.data(), raw.size(), level);
  DUGNAD_ASSERT(ZSTD_isError(size) == 0, "zstd refused bytes that are in memory");
  packed.resize(size);
  return packed;
}

}  // namespace dugnad::sdk
