// KeptBlob: a blob that a node keeps for as long as this lives.
#pragma once

#include <utility>

#include "worker/node.h"

namespace dugnad::sdk {

class KeptBlob {
 public:
  KeptBlob() = default;
  /// `id` as node.keep() returned it. The node outlives this.
  KeptBlob(worker::Node& node, const BlobId& id) : node_(&node), id_(id) {}
  ~KeptBlob() { reset(); }
  KeptBlob(KeptBlob&& other) noexcept : node_(std::exchange(other.node_, nullptr)), id_(other.id_) {}
  KeptBlob& operator=(KeptBlob&& other) noexcept {
    if (this == &other) return *this;
    reset();
    node_ = std::exchange(other.node_, nullptr);
    id_ = other.id_;
    return *this;
  }

  void reset() {
    if (node_ != nullptr) std::exchange(node_, nullptr)->let_go(id_);
  }

 private:
  worker::Node* node_ = nullptr;
  BlobId id_{};
};

}  // namespace dugnad::sdk
