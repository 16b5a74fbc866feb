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
#include <utility>
#include <vector>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/core/codec.h"
#include "coordinatorless/store/files.h"
#include "worker/signals.h"

namespace dugnad::worker {
namespace {

constexpr auto gather = std::chrono::seconds(1);
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

Bytes bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
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
  std::error_code none;
  for (const auto& each : std::filesystem::directory_iterator(directory, none)) {
    if (each.path().extension() != papers_suffix) continue;
    const auto message = core::decode(bytes_of_file(each.path()));
    const auto* papers = message ? std::get_if<core::Entrust>(&*message) : nullptr;
    if (papers == nullptr) continue;
    const JobId job{hash_of(papers->manifest.body).bytes};
    if (each.path().stem() != job.hex()) continue;
    struct stat status {};
    if (::stat(each.path().c_str(), &status) != 0) continue;
    const auto heard = std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec);
    const Duration silent = std::max<Duration>(Duration::zero(), std::chrono::system_clock::now() - heard);
    const std::string record = (each.path().parent_path() / each.path().stem()).string() + record_suffix;
    const Bytes bytes = bytes_of_file(record);
    auto [entries, whole] = read_record(bytes, job);
    if (whole < bytes.size()) std::filesystem::resize_file(record, whole, none);
    restored.jobs.push_back({papers->manifest, papers->delegation, silent, std::move(entries)});
  }
  return restored;
}

bool HeldFiles::take(core::Effect& effect) {
  if (auto* keep = std::get_if<core::KeepHeld>(&effect)) return queue(std::move(*keep)), true;
  if (auto* drop = std::get_if<core::DropHeld>(&effect)) return queue(std::move(*drop)), true;
  return false;
}

void HeldFiles::queue(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

// --- The thread ---

void HeldFiles::run() {
  while (true) {
    std::deque<Task> tasks;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      (void)changed_.wait_for(lock, gather, [this] { return stop_; });
      tasks = std::exchange(tasks_, {});
    }
    bool well = true;
    for (const Task& task : tasks) {
      if (write(task)) continue;
      if (std::exchange(well, false) && !failing_) {
        trouble_("what is held of others' jobs cannot be written to " + directory_ + ": " + store::reason_of(errno) +
                 "; it is lost if this worker is started again");
      }
    }
    failing_ = !well;
  }
}

bool HeldFiles::write(const Task& task) {
  if (const auto* drop = std::get_if<core::DropHeld>(&task)) {
    std::error_code none;
    std::filesystem::remove(file(drop->job, papers_suffix), none);
    std::filesystem::remove(file(drop->job, record_suffix), none);
    return true;
  }
  const auto& keep = std::get<core::KeepHeld>(task);
  std::error_code fault;
  std::filesystem::create_directories(directory_, fault);
  if (fault) {
    errno = fault.value();
    return false;
  }
  return (keep.entries.empty() || append(keep)) && (!keep.papers || write_papers(keep.job, *keep.papers));
}

bool HeldFiles::append(const core::KeepHeld& keep) {
  const store::Descriptor fd(::open(file(keep.job, record_suffix).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd.valid()) return false;
  struct stat before {};
  if (::fstat(fd.get(), &before) != 0) return false;
  const Bytes payload = encode(core::Message(core::Record{keep.job, 0, 0, 0, false, keep.entries}));
  if (store::write_all(fd.get(), head_of(payload)) && store::write_all(fd.get(), payload) && ::fdatasync(fd.get()) == 0) return true;
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
