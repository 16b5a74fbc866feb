// What a Module holds.
#pragma once

#include "coordinatorless/base/blob_id.h"
#include "dugnad/module.h"

namespace dugnad::sdk {

struct Module::Image {
  std::string name;
  Kind kind = Kind::reactor;
  bool has_check = false;
  Bytes raw;     // the .wasm file
  Bytes packed;  // as it travels: a zstd frame
  BlobId id;     // of `packed`
};

}  // namespace dugnad::sdk
