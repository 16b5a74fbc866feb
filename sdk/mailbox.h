// Mailbox: what one job has to say to whoever waits for it: results, notices, and how it ended. Filled by the SDK's threads, emptied by the
// user's. Results go through in whole batches, so that a unit costs neither a wake-up nor an allocation of its own.
//
// A large output lies in the blob store until its result is taken: it is read on the thread that takes it. Whoever waits for the end instead reads
// the large ones into memory meanwhile, where small ones lie anyhow, so that there is room for the next; beyond what memory takes they are let go
// of, and are found later only where the store still has them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "coordinatorless/base/blob_id.h"
#include "dugnad/swarm.h"

namespace dugnad::sdk {

class Mailbox {
 public:
  using Batch = std::vector<UnitResult>;

  /// A large output, outside its result.
  struct Large {
    BlobId blob;
    bool own_pin = false;  // of an earlier run, or left behind by the node: it is this program's own pin that keeps it
  };
  using LargeOutputs = std::map<std::uint64_t, Large>;  // by unit
  /// Where they lie. Called from any thread, without a lock held.
  struct LargeStore {
    std::function<std::shared_ptr<const Bytes>(const BlobId&)> read;  // nullptr where it is lost
    std::function<bool(const BlobId&)> pin;                           // this program's own; false where it is lost
    std::function<void(const Large&)> let_go;                         // once for each
    std::uint64_t memory_max = UINT64_MAX;                            // bytes of them that may lie in memory instead
  };

  /// `drained` is called, without a lock held, when a mailbox that was full() has room again.
  explicit Mailbox(std::function<void()> drained) : Mailbox(std::move(drained), LargeStore{}) {}
  Mailbox(std::function<void()> drained, LargeStore store) : drained_(std::move(drained)), store_(std::move(store)) {}

  // --- The SDK's side ---

  /// After finish() nothing is taken in any more: who has heard that there is nothing more must not find something.
  /// `large`: the outputs that the results themselves do not hold.
  void deliver(Batch batch, LargeOutputs large = {});
  void say(Notice notice);
  /// The first time counts.
  void finish(End end, std::optional<tasks::Answer> answer);
  [[nodiscard]] bool finished() const;
  /// More waits to be taken than is good for memory, and nobody waits for the end.
  [[nodiscard]] bool full();
  /// After the end: what lies here is kept by this program's own pins from now on, since who delivered it is about to go. Waits for those that
  /// read an output just now.
  void keep_rest();
  /// Drops what was not taken, and what is still to come.
  void give_up();

  // --- The user's side ---

  [[nodiscard]] std::optional<UnitResult> next();
  [[nodiscard]] std::optional<UnitResult> next_within(std::chrono::milliseconds patience);
  [[nodiscard]] End wait_end();
  struct Outcome {
    End end;
    std::optional<tasks::Answer> answer;
    std::optional<UnitResult> first_failed;
  };
  /// Drops what was not taken, and what is still to come.
  [[nodiscard]] Outcome wait_answer();
  void on_notice(std::function<void(const Notice&)> heard);

 private:
  using Lock = std::unique_lock<std::mutex>;

  template <class Wait>
  std::optional<UnitResult> take(const Wait& wait);
  /// Counts a thread that waits for the end, for which the job then runs on whatever lies here.
  void await_end(Lock& lock);
  /// Whether drained_ is due, now that there is room.
  [[nodiscard]] bool has_room();

  /// Lets go of it in the store, of which keep_rest() is to know. Without the lock; `reading_` was counted up before.
  void let_go(const Large& large);

  /// Reads one large output into memory, for a thread that waits for the end; false where there is none left.
  bool load_one(Lock& lock);

  /// What a result that is not taken yet lacks.
  struct Lying {
    Large large;
    std::shared_ptr<const Bytes> loaded = {};  // let go of in the store
    bool loading = false;
    bool lost = false;     // let go of, since it could not be read
    bool crowded = false;  // let go of unread, since memory was full: it is perhaps still there
    [[nodiscard]] bool is_kept() const { return !loaded && !lost && !crowded; }
  };

  const std::function<void()> drained_;
  const LargeStore store_;

  mutable std::mutex mutex_;
  std::condition_variable filled_;  // a batch, or the end
  std::condition_variable ended_;   // the end, or a large output for who waits for it
  std::condition_variable quiet_;   // reading_ is 0
  std::map<std::uint64_t, Lying> lying_;  // by unit
  std::deque<Batch> batches_;  // none is empty
  std::size_t taken_ = 0;      // of the first batch
  std::size_t waiting_ = 0;    // results in batches_ not taken
  unsigned takers_ = 0;        // threads in next()
  unsigned enders_ = 0;        // threads that wait for the end
  std::size_t reading_ = 0;    // large outputs about to be let go of
  std::uint64_t loaded_ = 0;   // bytes
  bool was_full_ = false;
  bool given_up_ = false;  // results of single units are not wanted
  std::optional<UnitResult> first_failed_;
  std::optional<End> end_;
  std::optional<tasks::Answer> answer_;

  std::mutex notice_mutex_;  // held while the user hears a notice, so that they come one by one
  std::vector<Notice> notices_;
  std::function<void(const Notice&)> heard_;
};

}  // namespace dugnad::sdk
