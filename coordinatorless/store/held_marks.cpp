#include "coordinatorless/store/held_marks.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <tuple>

#include "coordinatorless/base/packed.h"
#include "coordinatorless/store/files.h"
#include "coordinatorless/store/kept_outputs.h"

namespace dugnad::store {
namespace {

// What is in a mark: a version, the owner's key, the submitter's id, and until when, in milliseconds since 1970.
constexpr std::uint8_t version = 1;
constexpr std::size_t mark_bytes = 1 + 32 + 32 + 8;
constexpr std::size_t brief_digits = 16;  // of the holder

Bytes content_of(const HeldOutput& held) {
  Bytes content{version};
  packed::put(content, held.owner.view());
  packed::put(content, held.submitter.view());
  packed::put_u64(content, static_cast<std::uint64_t>(held.until.time_since_epoch().count()));
  return content;
}

Bytes read_mark(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Bytes content(mark_bytes + 1);  // a longer file is told apart
  const ssize_t got = fd.valid() ? ::read(fd.get(), content.data(), content.size()) : 0;
  content.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return content;
}

std::optional<UnitIndex> unit_from(std::string_view digits) {
  UnitIndex unit;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), unit.value);
  if (digits.empty() || failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return unit;
}

std::optional<HeldOutput> parse(std::string_view name, ByteView content) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0; from <= name.size();) {
    const std::size_t dot = std::min(name.find('.', from), name.size());
    parts.push_back(name.substr(from, dot - from));
    from = dot + 1;
  }
  if (parts.size() != 5) return std::nullopt;
  const auto output = blob_id_from_text(parts[0]);
  const auto job = JobId::from_hex(parts[1]);
  const auto unit = unit_from(parts[2]);
  packed::Reader reader(content);
  const bool known = reader.byte() == version;
  const auto owner = reader.id<PublicKey>();
  const auto submitter = reader.id<PeerId>();
  const auto until = reader.u64();
  if (!output || !job || !unit || !known || !owner || !submitter || !until || reader.left() > 0) return std::nullopt;
  return HeldOutput{*job, *unit, *output, *owner, *submitter, WallTime(WallTime::duration(static_cast<std::int64_t>(*until)))};
}

}  // namespace

std::string HeldMarks::file(const JobId& job, UnitIndex unit, const BlobId& output) const {
  return directory_ + "/" + to_text(output) + "." + job.hex() + "." + std::to_string(unit.value) + "." + holder_.hex().substr(0, brief_digits) +
         std::string(KeptOutputs::held_suffix);
}

void HeldMarks::add(const HeldOutput& held) const {
  if (directory_.empty()) return;
  const std::string path = file(held.job, held.unit, held.output);
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd.valid() && !write_all(fd.get(), content_of(held))) ::unlink(path.c_str());
}

void HeldMarks::remove(const JobId& job, UnitIndex unit, const BlobId& output) const {
  if (!directory_.empty()) ::unlink(file(job, unit, output).c_str());
}

std::vector<HeldOutput> HeldMarks::all() const {
  std::vector<HeldOutput> found;
  if (directory_.empty()) return found;
  const std::string mine = "." + holder_.hex().substr(0, brief_digits) + std::string(KeptOutputs::held_suffix);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(mine)) continue;
    auto held = parse(name, read_mark(entry.path().string()));
    if (held) found.push_back(*std::move(held));
    else ::unlink(entry.path().c_str());
  }
  // The order in which a directory lists its files is nobody's affair.
  std::sort(found.begin(), found.end(), [](const HeldOutput& a, const HeldOutput& b) {
    return std::tie(a.until, a.job, a.unit) < std::tie(b.until, b.job, b.unit);
  });
  return found;
}

}  // namespace dugnad::store
