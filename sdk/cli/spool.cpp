#include "sdk/cli/spool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include "coordinatorless/base/hash.h"
#include "coordinatorless/store/data_dir.h"
#include "sdk/cli/file_list.h"
#include "sdk/module_image.h"
#include "sdk/read_file.h"

namespace dugnad::sdk::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t name_digits = 32;

std::string spool_of(const std::string& data_dir) { return data_dir + "/spool"; }

Error cannot(const std::string& what, const std::string& path, int error) {
  return {"cannot " + what + " " + path + ": " + store::reason_of(error)};
}

/// A file under a name of its own, gone again where it is not put in its place.
class Draft {
 public:
  [[nodiscard]] static Result<Draft> make(const std::string& directory) {
    std::string path = directory + "/.draft.XXXXXX";
    store::Descriptor file(::mkostemp(path.data(), O_CLOEXEC));
    if (!file.valid()) return cannot("write to", directory, errno);
    return Draft(std::move(file), std::move(path));
  }
  ~Draft() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Draft(Draft&& other) noexcept : file_(std::move(other.file_)), path_(std::exchange(other.path_, {})) {}
  Draft& operator=(Draft&&) = delete;

  Result<void> add(ByteView bytes) const {
    if (!store::write_all(file_.get(), bytes)) return cannot("write", path_, errno);
    return {};
  }
  Result<void> put_at(const std::string& path) {
    if (::fsync(file_.get()) != 0 || std::rename(path_.c_str(), path.c_str()) != 0) return cannot("write", path, errno);
    path_.clear();
    return {};
  }

 private:
  Draft(store::Descriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  store::Descriptor file_;
  std::string path_;
};

struct Units {
  Draft draft;
  Hash hash;
};

Result<Units> read_units(const UnitSource& source, const std::string& directory, const Stop& stop) {
  const bool standard = source.kind == UnitSource::Kind::standard_input;
  const std::string name = standard ? "standard input" : source.what;
  const store::Descriptor from(standard ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : ::open(source.what.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from.valid()) return cannot("read", name, errno);
  auto draft = Draft::make(directory);
  if (!draft) return draft.error();
  Hasher hasher;
  std::array<std::uint8_t, 256 << 10> part{};
  for (;;) {
    if (!stop.wait(from.get())) return Error{"interrupted"};
    const ssize_t got = ::read(from.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot("read", name, errno);
    if (got == 0) break;
    const ByteView bytes(part.data(), static_cast<std::size_t>(got));
    hasher.add(bytes);
    if (const auto added = draft->add(bytes); !added) return added.error();
  }
  return Units{*std::move(draft), hasher.finish()};
}

constexpr std::uint64_t copied_bytes_most = 64 << 20;  // of files that are units
constexpr std::size_t copied_files_most = 1000;        // each is flushed by itself

struct Files {
  std::vector<ListedFile> list;
  std::optional<std::vector<Bytes>> copies;  // of all of them, where they are small
};

Result<Files> read_files(const std::string& pattern, const Stop& stop) {
  const auto paths = matching_files(pattern);
  if (!paths) return paths.error();
  Files files{{}, std::vector<Bytes>()};
  std::uint64_t bytes = 0;
  for (const std::string& given : *paths) {
    const std::string path = fs::absolute(given).lexically_normal().string();
    if (path.find('\n') != path.npos) return Error{"--detach cannot list " + path + ", whose name has a line break"};
    const store::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return cannot("read", path, errno);
    if (!stop.wait(file.get())) return Error{"interrupted"};
    auto held = read_file(path, input_bytes_most);
    if (!held) return held.error();
    files.list.push_back({hash_of(*held), path, path});
    bytes += held->size();
    if (bytes > copied_bytes_most || files.list.size() > copied_files_most) files.copies.reset();
    if (files.copies) files.copies->push_back(*std::move(held));
  }
  return files;
}

Result<void> put_file(const store::DataDir& directory, const std::string& name, ByteView bytes) {
  auto draft = Draft::make(directory.path());
  if (!draft) return draft.error();
  if (const auto added = draft->add(bytes); !added) return added;
  return draft->put_at(directory.file(name));
}

/// The list, and copies; where the list lies.
Result<std::string> put_files(const store::DataDir& directory, Files files) {
  if (files.copies) {
    const auto copies = store::DataDir::open(directory.file("files"));
    if (!copies) return copies.error();
    for (std::size_t i = 0; i < files.list.size(); ++i) {
      const std::string name = std::to_string(i);
      if (const auto put = put_file(*copies, name, (*files.copies)[i]); !put) return put.error();
      files.list[i].path = copies->file(name);
    }
    if (!store::sync_directory(copies->path())) return cannot("write", copies->path(), errno);
  }
  if (const auto put = put_file(directory, "list", to_bytes(text_of(files.list))); !put) return put.error();
  return directory.file("list");
}

bool is_spool_name(const std::string& name) {
  return name.size() == name_digits && name.find_first_not_of("0123456789abcdef") == name.npos;
}

/// The directory that a spooled program lies in; nullopt where it is none of this data directory's.
std::optional<std::string> directory_of(const std::string& data_dir, const Recipe& recipe) {
  const auto order = ModuleOrder::read(recipe.source);
  if (!order) return std::nullopt;
  const fs::path directory = fs::path(order->path).parent_path();
  if (directory.parent_path().string() != fs::absolute(spool_of(data_dir)).lexically_normal().string()) return std::nullopt;
  if (!is_spool_name(directory.filename().string())) return std::nullopt;
  return directory.string();
}

}  // namespace

Result<SpoolLock> SpoolLock::take(const std::string& data_dir) {
  const std::string path = spool_of(data_dir) + "/.lock";
  store::Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return cannot("open", path, errno);
  while (::flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return cannot("lock", path, errno);
  }
  return SpoolLock(std::move(file));
}

Result<Spooled> spool(const std::string& data_dir, const ModuleOrder& order, const Module& module, const Stop& stop) {
  // The same rules as for the directory around it: nobody else looks into it, and it can be written.
  const auto made = store::DataDir::open(fs::absolute(spool_of(data_dir)).lexically_normal().string());
  if (!made) return made.error();
  std::optional<Units> units;
  std::optional<Files> files;
  if (order.units.kind == UnitSource::Kind::files) {
    auto read = read_files(order.units.what, stop);
    if (!read) return read.error();
    files.emplace(*std::move(read));
  } else {
    auto read = read_units(order.units, made->path(), stop);
    if (!read) return read.error();
    units.emplace(*std::move(read));
  }
  auto program = Draft::make(made->path());
  if (!program) return program.error();
  if (const auto added = program->add(module.image().raw); !added) return added.error();

  const std::string file_name = fs::path(order.path).filename().string();
  const bool arguments = order.units.kind == UnitSource::Kind::arguments;
  Hasher hasher;
  hasher.add(hash_of(to_bytes(file_name)).view()).add(hash_of(module.image().raw).view()).add(std::uint64_t{arguments});
  if (units) hasher.add(units->hash.view());
  if (files) hasher.add(hash_of(to_bytes(text_of(files->list))).view());
  const std::string directory = made->file(hasher.finish().hex().substr(0, name_digits));

  auto lock = SpoolLock::take(data_dir);
  if (!lock) return lock.error();
  const auto inside = store::DataDir::open(directory);
  if (!inside) return inside.error();
  ModuleOrder kept{inside->file(file_name), order.units};
  if (const auto put = program->put_at(kept.path); !put) return put.error();
  if (units) {
    kept.units = {arguments ? UnitSource::Kind::arguments : UnitSource::Kind::lines, inside->file("units")};
    if (const auto put = units->draft.put_at(kept.units.what); !put) return put.error();
  }
  if (files) {
    const auto list = put_files(*inside, *std::move(files));
    if (!list) return list.error();
    kept.units = {UnitSource::Kind::listed, *list};
  }
  if (!store::sync_directory(directory) || !store::sync_directory(made->path())) return cannot("write", directory, errno);
  return Spooled{std::move(kept), *std::move(lock)};
}

std::optional<std::string> spooled_text(const Recipe& recipe) {
  const auto order = ModuleOrder::read(recipe.source);
  if (!order) return std::nullopt;
  const fs::path program(order->path);
  if (!is_spool_name(program.parent_path().filename().string())) return std::nullopt;
  const bool listed = order->units.kind == UnitSource::Kind::listed;
  return program.filename().string() + (listed ? ", its files listed here" : ", its units kept here");
}

void release_spooled(const Journal& journal, const Recipe& recipe) {
  const auto directory = directory_of(journal.data(), recipe);
  if (!directory) return;
  const auto lock = SpoolLock::take(journal.data());
  const auto jobs = journal.jobs();
  if (!lock || !jobs) return;
  for (const KnownJob& job : *jobs) {
    if (job.stored.state == JobState::running && job.recipe && directory_of(journal.data(), *job.recipe) == directory) return;
  }
  std::error_code ignored;
  fs::remove_all(*directory, ignored);
}

}  // namespace dugnad::sdk::cli
