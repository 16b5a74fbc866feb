// HeldFiles: what a steward holds of others' jobs, on disk, so that a worker which is started again has it still. Of each job two files:
//
//   JOB.papers   what its owner has signed: the manifest and the newest delegation. When it was written is when the submitter was last heard.
//   JOB.record   entries of its record, in the order in which they came: frames of a length, a sum and the entries; it only grows.
//
// Nothing waits for the disk: what comes of a job within a second is written and flushed together, and what a crash takes is asked for anew. Where
// more comes than the disk takes, what is beyond queued_most is left out, which is said. A frame that is torn or changed ends the file; what stands
// behind it is cut off. Whoever reads believes nothing of it: each entry proves itself.
//
// Thread: one of its own, which writes. Everything public may be called from any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "coordinatorless/core/seam.h"
#include "coordinatorless/store/data_dir.h"

namespace dugnad::worker {

class HeldFiles {
 public:
  using Trouble = std::function<void(const std::string&)>;

  /// `directory` is made once there is something to keep. `trouble` is called on the thread, with a line for the user, when writing begins to fail.
  HeldFiles(std::string directory, Trouble trouble);
  ~HeldFiles();  // writes what is queued
  HeldFiles(const HeldFiles&) = delete;
  HeldFiles& operator=(const HeldFiles&) = delete;

  /// Where those of that swarm are.
  [[nodiscard]] static std::string place(const store::DataDir& dir, const SwarmId& swarm) { return dir.file("held/" + swarm.hex().substr(0, 16)); }
  /// What an earlier process has kept there; nothing where there is no such directory, or of a job whose papers cannot be read.
  [[nodiscard]] static core::HeldRestored read(const std::string& directory);

  /// Where it is a KeepHeld or a DropHeld.
  bool take(core::Effect& effect);

 private:
  /// What is to be done to the files of one job, in this order.
  struct Work {
    bool drop = false;
    std::vector<core::RecordEntry> entries;
    std::optional<core::KeepHeld::Papers> papers;
  };
  void queue(core::KeepHeld&& keep);
  void queue(const core::DropHeld& drop);
  void run();
  void say(const std::string& why);
  [[nodiscard]] bool write(const JobId& job, const Work& work);
  [[nodiscard]] bool append(const JobId& job, const std::vector<core::RecordEntry>& entries);
  [[nodiscard]] bool write_papers(const JobId& job, const core::KeepHeld::Papers& papers);
  [[nodiscard]] std::string file(const JobId& job, const char* suffix) const;

  const std::string directory_;
  const Trouble trouble_;
  bool failing_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<JobId, Work> work_;  // queued_most bytes of entries
  std::size_t queued_ = 0;
  bool left_out_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace dugnad::worker
