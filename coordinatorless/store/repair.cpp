#include "coordinatorless/store/repair.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "coordinatorless/store/check.h"
#include "coordinatorless/store/files.h"
#include "coordinatorless/store/schema.h"

namespace dugnad::store {
namespace {

// Where SQLite locks a file: whoever has a journal open holds a shared lock there (os_unix.c).
constexpr off_t lock_from = 0x40000000;
constexpr off_t lock_bytes = 512;

std::string log_of(const std::string& path) { return path + "-wal"; }
std::string index_of_log(const std::string& path) { return path + "-shm"; }

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

bool is_same_file(const std::string& a, const std::string& b) {
  struct stat one {
  }, other{};
  return ::lstat(a.c_str(), &one) == 0 && ::lstat(b.c_str(), &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

std::string kept_name(const std::string& path, int number) { return path + ".damaged-" + std::to_string(number); }

Error cannot(const std::string& what, const std::string& path) { return {"cannot " + what + " " + path + ": " + reason_of(errno)}; }

/// Nobody opens it while this is held; a crash of ours lets go of it.
Result<Descriptor> lock(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid()) return cannot("open the journal", path);
  struct flock all {};
  all.l_type = F_WRLCK;
  all.l_whence = SEEK_SET;
  all.l_start = lock_from;
  all.l_len = lock_bytes;
  if (::fcntl(file.get(), F_OFD_SETLK, &all) == 0) return file;
  if (errno != EAGAIN && errno != EACCES) return cannot("lock the journal", path);
  return Error{"a running program has the journal " + path + " open; end that program first"};
}

/// An earlier repair that was cut short between giving the damaged files their new names and putting the new one in place.
void undo_unfinished(const std::string& path) {
  for (int number = 1; exists(kept_name(path, number)); ++number) {
    const std::string kept = kept_name(path, number);
    if (!is_same_file(kept, path)) continue;
    if (!exists(log_of(path))) (void)std::rename(log_of(kept).c_str(), log_of(path).c_str());
    (void)::unlink(kept.c_str());  // its other name stays
    return;
  }
}

void remove_new(const std::string& path) {
  for (const std::string& each : {path, log_of(path), index_of_log(path), path + "-journal"}) (void)::unlink(each.c_str());
}

/// The damaged file gets its second name before the new one takes its first: so there is a journal all the time. Its log goes before, since
/// SQLite would add it to whatever stands beside it.
Result<std::string> put_in_place(const std::string& made, const std::string& path, const std::string& directory) {
  int number = 1;
  while (exists(kept_name(path, number)) || exists(log_of(kept_name(path, number)))) ++number;
  const std::string kept = kept_name(path, number);
  if (::link(path.c_str(), kept.c_str()) != 0) return cannot("keep the damaged journal as", kept);
  if (exists(log_of(path)) && std::rename(log_of(path).c_str(), log_of(kept).c_str()) != 0) {
    const Error error = cannot("keep the damaged journal's log as", log_of(kept));
    undo_unfinished(path);
    return error;
  }
  (void)::unlink(index_of_log(path).c_str());  // SQLite's index of the log that has gone; it makes it anew of the log
  if (std::rename(made.c_str(), path.c_str()) != 0) {
    const Error error = cannot("put the new journal in place at", path);
    undo_unfinished(path);
    return error;
  }
  if (!sync_directory(directory)) return cannot("keep what was renamed in", directory);
  return kept;
}

}  // namespace

Result<std::optional<Repaired>> repair(const std::string& path) {
  if (!exists(path)) return Error{"there is no journal at " + path};
  if (const auto locked = lock(path)) undo_unfinished(path);
  const Result<void> well = check_all(path);
  if (well) return std::optional<Repaired>();
  if (is_newer(path)) return well.error();
  const Result<Descriptor> locked = lock(path);
  if (!locked) return locked.error();
  const std::string made = path + ".new";
  remove_new(made);
  auto saved = salvage(path, made);
  if (!saved) {
    remove_new(made);
    return saved.error();
  }
  auto kept = put_in_place(made, path, std::filesystem::path(path).parent_path().string());
  if (!kept) {
    remove_new(made);
    return kept.error();
  }
  return std::optional(Repaired{*std::move(saved), *std::move(kept)});
}

}  // namespace dugnad::store
