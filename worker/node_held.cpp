#include "worker/node_held.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/store/files.h"
#include "worker/signals.h"

namespace dugnad::worker {
namespace {

constexpr auto gather = std::chrono::seconds(1);
constexpr std::size_t queued_most = 64 << 20;  // bytes of entries: what any disk takes within seconds
constexpr const char* papers_suffix = ".papers";
constexpr const char* record_suffix = ".record";
constexpr std::size_t head_bytes = 12;  // of a frame: its length in four, its sum in eight, little-endian

std::array<std::uint8_t, head_bytes> head_of(ByteView payload) {
  std::array<std::uint8_t, head_bytes> head{};
  for (std::size_t i = 0; i < 4; ++i) head[i] = static_cast<std::uint8_t>(payload.size() >> (8 * i));
  const Hash sum = hash_of(payload);
  std::copy_n(sum.bytes.begin(), 8, head.begin() + 4);
  return head;
}

/// Empty where it cannot be read.
Bytes bytes_of_file(const std::filesystem::path& path) {
  std::error_code fault;
  const auto size = std::filesystem::is_regular_file(path, fault) ? std::filesystem::file_size(path, fault) : 0;
  if (fault) return {};
  Bytes bytes(size);
  std::ifstream in(path, std::ios::binary);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return bytes;
}

std::vector<std::filesystem::path> files_in(const std::string& directory) {
  std::vector<std::filesystem::path> files;
  std::error_code fault;
  for (std::filesystem::directory_iterator at(directory, fault), end; !fault && at != end; at.increment(fault)) files.push_back(at->path());
  return files;
}

/// The entries, and how much of the file is whole.
std::pair<std::vector<core::RecordEntry>, std::size_t> read_record(const Bytes& file, const JobId& job) {
  std::vector<core::RecordEntry> entries;
  std::size_t at = 0;
  while (file.size() - at >= head_bytes) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length |= std::size_t{file[at + i]} << (8 * i);
    if (length > file.size() - at - head_bytes) break;
    const ByteView payload = ByteView(file).subspan(at + head_bytes, length);
    const auto head = head_of(payload);
    if (!std::equal(head.begin(), head.end(), file.begin() + static_cast<std::ptrdiff_t>(at))) break;
    auto message = core::decode(payload);
    auto* record = message ? std::get_if<core::Record>(&*message) : nullptr;
    if (record == nullptr || record->job != job) break;
    std::move(record->entries.begin(), record->entries.end(), std::back_inserter(entries));
    at += head_bytes + length;
  }
  return {std::move(entries), at};
}

}  // namespace

HeldFiles::HeldFiles(std::string directory, Trouble trouble) : directory_(std::move(directory)), trouble_(std::move(trouble)) {
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
}

HeldFiles::~HeldFiles() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::string HeldFiles::file(const JobId& job, const char* suffix) const { return directory_ + "/" + job.hex() + suffix; }

core::HeldRestored HeldFiles::read(const std::string& directory) {
  core::HeldRestored restored;
  std::set<std::string> known;
  std::error_code none;
  const auto files = files_in(directory);
  for (const auto& path : files) {
    if (path.extension() != papers_suffix) continue;
    const auto message = core::decode(bytes_of_file(path));
    const auto* papers = message ? std::get_if<core::Entrust>(&*message) : nullptr;
    if (papers == nullptr) continue;
    const JobId job{hash_of(papers->manifest.body).bytes};
    struct stat status {};
    if (path.stem() != job.hex() || ::stat(path.c_str(), &status) != 0) continue;
    const auto heard = std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec);
    const Duration silent = std::max<Duration>(Duration::zero(), std::chrono::system_clock::now() - heard);
    const std::string record = (path.parent_path() / path.stem()).string() + record_suffix;
    const Bytes bytes = bytes_of_file(record);
    auto [entries, whole] = read_record(bytes, job);
    if (whole < bytes.size()) std::filesystem::resize_file(record, whole, none);
    known.insert(path.stem());
    restored.jobs.push_back({papers->manifest, papers->delegation, silent, std::move(entries)});
  }
  for (const auto& path : files) {
    if (path.extension() == record_suffix && !known.contains(path.stem())) std::filesystem::remove(path, none);  // nobody knows whose it is
  }
  return restored;
}

bool HeldFiles::take(core::Effect& effect) {
  if (auto* keep = std::get_if<core::KeepHeld>(&effect)) return queue(std::move(*keep)), true;
  if (auto* drop = std::get_if<core::DropHeld>(&effect)) return queue(*drop), true;
  return false;
}

void HeldFiles::queue(core::KeepHeld&& keep) {
  {
    const std::lock_guard lock(mutex_);
    Work& work = work_[keep.job];
    if (keep.papers) work.papers = std::move(keep.papers);
    for (core::RecordEntry& entry : keep.entries) {
      if (queued_ + entry.body.size() > queued_most) {
        left_out_ = true;
        continue;
      }
      queued_ += entry.body.size();
      work.entries.push_back(std::move(entry));
    }
  }
  changed_.notify_one();
}

void HeldFiles::queue(const core::DropHeld& drop) {
  {
    const std::lock_guard lock(mutex_);
    Work& work = work_[drop.job];
    for (const core::RecordEntry& entry : work.entries) queued_ -= entry.body.size();
    work = {.drop = true, .entries = {}, .papers = {}};
  }
  changed_.notify_one();
}

// --- The thread ---

void HeldFiles::run() {
  while (true) {
    std::map<JobId, Work> all;
    bool well = true;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || !work_.empty(); });
      if (work_.empty()) return;
      (void)changed_.wait_for(lock, gather, [this] { return stop_; });
      all = std::exchange(work_, {});
      queued_ = 0;
      if (std::exchange(left_out_, false)) {
        say("more comes than the disk takes");
        well = false;
      }
    }
    for (const auto& [job, work] : all) {
      if (write(job, work)) continue;
      say(store::reason_of(errno));
      well = false;
    }
    failing_ = failing_ && !well;
  }
}

/// Once, until all is well again.
void HeldFiles::say(const std::string& why) {
  if (std::exchange(failing_, true)) return;
  trouble_("what is held of others' jobs cannot be written to " + directory_ + ": " + why + "; it is lost if this worker is started again");
}

bool HeldFiles::write(const JobId& job, const Work& work) {
  std::error_code fault;
  if (work.drop) {
    std::filesystem::remove(file(job, papers_suffix), fault);
    std::filesystem::remove(file(job, record_suffix), fault);
  }
  if (work.entries.empty() && !work.papers) return true;
  std::filesystem::create_directories(directory_, fault);
  if (fault) {
    errno = fault.value();
    return false;
  }
  return (work.entries.empty() || append(job, work.entries)) && (!work.papers || write_papers(job, *work.papers));
}

bool HeldFiles::append(const JobId& job, const std::vector<core::RecordEntry>& entries) {
  const std::string path = file(job, record_suffix);
  const store::Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd.valid()) return false;
  struct stat before {};
  if (::fstat(fd.get(), &before) != 0) return false;
  bool well = true;
  for (auto next = entries.begin(); well && next != entries.end();) {
    core::Record part{job, 0, 0, 0, false, {}};
    for (std::size_t bytes = 0; next != entries.end() && part.entries.size() < core::limits::record_entries_max; ++next) {
      if (bytes > 0 && bytes + next->body.size() > core::limits::record_bytes_sent_max) break;
      bytes += next->body.size() + 1;
      part.entries.push_back(*next);
    }
    const Bytes payload = encode(core::Message(std::move(part)));
    well = store::write_all(fd.get(), head_of(payload)) && store::write_all(fd.get(), payload);
  }
  if (well && ::fdatasync(fd.get()) == 0 && (before.st_size > 0 || store::sync_directory(directory_))) return true;
  const int why = errno;
  [[maybe_unused]] const int cut = ::ftruncate(fd.get(), before.st_size);  // else the torn frame ends the file for whoever reads it
  errno = why;
  return false;
}

bool HeldFiles::write_papers(const JobId& job, const core::KeepHeld::Papers& papers) {
  const std::string path = file(job, papers_suffix), fresh = path + ".new";
  {
    const store::Descriptor fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd.valid() || !store::write_all(fd.get(), encode(core::Message(core::Entrust{papers.manifest, papers.delegation})))) return false;
    if (::fdatasync(fd.get()) != 0) return false;
  }
  return std::rename(fresh.c_str(), path.c_str()) == 0 && store::sync_directory(directory_);
}

}  // namespace dugnad::worker
