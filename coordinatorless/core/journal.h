// Journal: numbers what is to be kept. One per peer, so that `after` means the same everywhere.
#pragma once

#include <utility>
#include <vector>

#include "coordinatorless/core/seam.h"

namespace dugnad::core {

class Journal {
 public:
  /// Rows that belong together; returns what an effect that depends on them waits for.
  PersistSeq write(std::vector<Row> rows, Output& out) {
    ++last_.value;
    out.push(Persist{last_, std::move(rows)});
    return last_;
  }

 private:
  PersistSeq last_{};
};

}  // namespace dugnad::core
