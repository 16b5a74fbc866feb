// Resuming: an unfinished job of the journal is found by its recipe, or named by its id, and leased out by this program from now on. What it has
// accepted comes along, to be checked unit by unit as the units are cut again.
#pragma once

#include <cstdint>
#include <optional>

#include "coordinatorless/base/result.h"
#include "coordinatorless/base/rows.h"
#include "sdk/job_lock.h"
#include "sdk/kept_blob.h"
#include "sdk/kept_units.h"
#include "sdk/recipe.h"
#include "worker/node.h"
#include "worker/owner.h"

namespace dugnad::sdk {

/// A job about to be submitted, whether new or taken up.
struct Prepared {
  worker::SignedJob job;
  KeptUnits kept{};
  std::optional<JobLock> lock;  // none without a journal
  KeptBlob module{};            // of a job that has one
};

/// What its owner is to sign.
[[nodiscard]] worker::JobOrder order_of(const Recipe& recipe);

/// A new job.
[[nodiscard]] Result<Prepared> prepare_new(const worker::Node& node, const Recipe& recipe);
/// The newest unfinished job of that recipe that no running program works on; nullopt where there is none.
/// With `only`, an id in hex, no other job.
[[nodiscard]] Result<std::optional<Prepared>> find_unfinished(const worker::Node& node, const Recipe& recipe, const std::string& only = {});

struct Named {
  Recipe recipe;
  Prepared prepared;
};
/// The unfinished job of that id; an error says why it cannot be taken up.
[[nodiscard]] Result<Named> take_up_named(const worker::Node& node, const std::string& id);

}  // namespace dugnad::sdk
