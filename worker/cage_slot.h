// CageSlot: an executor slot's cage, as the slot's thread uses it: started when it is needed, one guest in each, killed with the unit that has to
// be stopped, and started again for the rest.
//
//   - A cage serves one guest in its life.                                  *What one stranger's code left behind, another's never meets. Not even
//     another program of the same owner's is loaded into it: what took the first over would answer for the second, signed by this donor.*
//   - The cage of the guest before is kept for a while beside the present one. *Two jobs whose units come by turns would else start a cage, which
//     takes tens of milliseconds, for a few of work. More than two would take more memory from the machine than the turns are worth.*
//   - A batch of units is written ahead, results come in their order.       *A message there and back costs more than a short unit.*
//   - A cage that dies takes the unit it was at with it, no other.          *Else one unit's crash spoils a batch; what it gathered is run again.*
//   - A unit's time runs while its cage works on it; the start of a cage and the compiling have limits of their own. *Else a module that takes
//     a second to compile fails all units of a job that allows them half a second, on every donor.*
//   - A guest that the pass refuses fails its units, as it would anywhere; one whose cage cannot be started, or dies while it is compiled, is
//     this donor's fault.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "worker/cage/limits.h"
#include "worker/caged_process.h"
#include "worker/guest.h"
#include "worker/launcher.h"
#include "worker/run_attempt.h"

namespace dugnad::worker {

class CageSlot {
 public:
  /// `kept_time`: so long a second cage stays without work.
  explicit CageSlot(Launcher& launcher, std::chrono::milliseconds kept_time = cage::limits::kept_time);
  ~CageSlot();
  CageSlot(const CageSlot&) = delete;
  CageSlot& operator=(const CageSlot&) = delete;

  // --- The slot's thread ---

  using Done = std::function<void(std::size_t index, Ran ran)>;
  /// `runs` false: the unit waits for its cage, and its time stands still; true: its time begins. The next unit's begins when one is done.
  using Timing = std::function<void(std::size_t index, bool runs)>;
  /// Runs the inputs in order; `done` for each, once, in order. With `claimed`, an output for each, they are not computed but checked.
  void run(const Guest& guest, std::span<const ByteView> inputs, const Done& done, const Timing& timing = {}, std::span<const ByteView> claimed = {});
  /// Ends its cages, if there are any.
  void rest();
  [[nodiscard]] bool awake() const { return present_.process != nullptr || before_.process != nullptr; }

  // --- Any thread ---

  /// The unit of that index, of the batch that is or is about to be run, ends as cancelled, with its cage where it runs already. Nothing
  /// happens where it is done.
  void stop(std::size_t index);

 private:
  /// What a cage was given.
  struct Loaded {
    BlobId id;
    std::uint64_t memory_bytes = 0;
    bool fuel = false;
    bool operator==(const Loaded&) const = default;
  };
  struct Cage {
    std::unique_ptr<CagedProcess> process;
    Loaded loaded;
    CagedProcess::Clock::time_point used{};  // when it became the one before
  };

  [[nodiscard]] bool is_stopped(std::size_t index);
  void hush();
  /// The present cage is one that was loaded with this, where there is such a cage.
  [[nodiscard]] bool find(const Loaded& wanted);
  /// A cage with the guest in it; else what its units come to.
  [[nodiscard]] std::optional<Ran> prepare(const Guest& guest, std::size_t current, const Timing& timing);
  [[nodiscard]] std::optional<Ran> load(const Loaded& wanted, const Bytes& packed, std::size_t current);
  /// Runs from `next` on, until all are done or the cage is gone. Ends no unit where the cage died with several: then each is run alone.
  void drive(const Guest& guest, std::span<const ByteView> inputs, std::span<const ByteView> claimed, std::size_t& next, const Done& done);

  /// When the cage before is to end.
  [[nodiscard]] CagedProcess::Clock::time_point kept_until() const;

  Launcher& launcher_;
  const std::chrono::milliseconds kept_time_;
  Cage present_;
  Cage before_;
  bool died_ = false;  // the present cage, while the last drive() lasted, and not because it was told to stop
  std::size_t doubtful_until_ = 0;  // of the batch: under one of the units before it a cage died

  const int bell_;  // an eventfd
  std::mutex mutex_;
  std::optional<std::size_t> stop_at_;  // guarded by mutex_
};

}  // namespace dugnad::worker
