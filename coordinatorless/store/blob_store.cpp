#include "coordinatorless/store/blob_store.h"

#include <unistd.h>

#include <algorithm>

#include "coordinatorless/base/merkle.h"

namespace dugnad::store {
namespace {

constexpr std::uint64_t relief_least = 16 << 20;  // bytes that a full disk is freed of at once: looking for them takes a while
constexpr std::uint64_t disk_margin = 1 << 20;    // a disk with less than that may call itself full: it keeps more than bytes
constexpr std::size_t leaves_max = 32;  // blobs whose trees are remembered: 256 hashes each for the longest

std::string part_of(const BlobId& id) { return to_text(id) + ".part"; }
/// A record for each chunk of the part: its index in 4 bytes, little-endian, and its path.
std::string have_of(const BlobId& id) { return to_text(id) + ".have"; }
/// Put here, not fetched: another process may be putting the same.
std::string draft_of(const BlobId& id) { return to_text(id) + "." + std::to_string(::getpid()) + ".part"; }

}  // namespace

BlobStore::BlobStore(std::unique_ptr<BlobFiles> files, std::uint64_t quota) : files_(std::move(files)), quota_(quota) { scan(); }

void BlobStore::scan() {
  bytes_ = 0;
  for (const auto& entry : files_->list()) bytes_ += entry.bytes;
}

bool BlobStore::known(const BlobId& id) {
  const auto size = files_->size(to_text(id));
  if (size && *size != id.length) files_->remove(to_text(id));
  if (!size || *size != id.length) return false;
  use(id);
  files_->touch(to_text(id));
  return true;
}

void BlobStore::use(const BlobId& id) {
  Held& held = held_[id];
  held.bytes = id.length;
  held.used = ++uses_;
}

std::vector<BlobFiles::Entry> BlobStore::by_use() {
  std::vector<BlobFiles::Entry> entries = files_->list();
  const auto used = [&](const BlobFiles::Entry& entry) {
    const auto id = blob_id_from_text(entry.name);
    const auto at = id ? held_.find(*id) : held_.end();
    return at == held_.end() ? 0 : at->second.used;
  };
  std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) { return used(a) < used(b); });
  return entries;
}

void BlobStore::drop(const BlobId& id) {
  files_->remove(to_text(id));
  leaves_.erase(id);
  bytes_ -= std::min(bytes_, id.length);
  if (const auto at = held_.find(id); at != held_.end() && at->second.pins == 0) held_.erase(at);
}

BlobStore::Kept BlobStore::kept_among(const std::vector<BlobFiles::Entry>& entries) {
  Kept kept;
  for (const auto& entry : entries) {
    const auto kind = KeptOutputs::kind_of(entry.name);
    const auto id = kind == KeptOutputs::Kind::none ? std::nullopt : blob_id_from_text(entry.name.substr(0, entry.name.find('.')));
    if (!id) continue;
    if (!files_->size(to_text(*id))) {
      files_->remove(entry.name);
      continue;
    }
    auto& known = kept[*id];
    if (!entry.old) known = std::max(known, kind);
  }
  return kept;
}

bool BlobStore::may_evict(const BlobFiles::Entry& entry, const BlobId& id, KeptOutputs::Kind kept) const {
  if (kept == KeptOutputs::Kind::untaken || fetching_.contains(id)) return false;
  const auto at = held_.find(id);
  return at == held_.end() ? !entry.fresh : at->second.pins == 0;
}

Result<void> BlobStore::make_room(std::uint64_t bytes) {
  if (bytes_ + bytes <= quota_) return {};
  scan();
  shrink_to(quota_ - std::min(quota_, bytes));
  if (bytes_ + bytes <= quota_) return {};
  return Error{"no room for " + std::to_string(bytes) + " bytes more: blobs that are needed take " + std::to_string(bytes_) + " of " +
               std::to_string(quota_)};
}

bool BlobStore::relieve_disk(std::uint64_t bytes) {
  if (!files_->is_full(bytes + disk_margin)) return false;
  scan();
  const std::uint64_t before = bytes_;
  shrink_to(before - std::min(before, std::max(bytes, relief_least)));
  scan();
  return bytes_ < before;
}

void BlobStore::shrink_to(std::uint64_t most) {
  const auto entries = by_use();
  const Kept kept = kept_among(entries);
  for (const bool last_resort : {false, true}) {
    for (const auto& entry : entries) {
      if (bytes_ <= most) return;
      const auto id = blob_id_from_text(entry.name.substr(0, entry.name.find('.')));
      if (!id || KeptOutputs::kind_of(entry.name) != KeptOutputs::Kind::none) continue;  // nothing that we made, or nothing to win
      const auto why = kept.find(*id);
      const auto kind = why == kept.end() ? KeptOutputs::Kind::none : why->second;
      if ((kind != KeptOutputs::Kind::none) != last_resort || !may_evict(entry, *id, kind)) continue;
      files_->remove(entry.name);
      leaves_.erase(*id);
      bytes_ -= entry.bytes;
      held_.erase(*id);
    }
  }
}

bool BlobStore::make_room_for(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  return bytes > quota_ || make_room(bytes).ok();
}

Result<void> BlobStore::put_file(const BlobId& id, ByteView bytes) {
  files_->remove(draft_of(id));
  auto kept = files_->append(draft_of(id), bytes);
  if (kept) kept = files_->publish(draft_of(id), to_text(id));
  if (!kept) files_->remove(draft_of(id));
  return kept;
}

Result<BlobId> BlobStore::put(ByteView bytes) {
  const BlobId id = blob_id_of(bytes);
  const std::lock_guard lock(mutex_);
  if (!known(id)) {
    if (auto room = make_room(id.length); !room) return room.error();
    auto kept = put_file(id, bytes);
    if (!kept && relieve_disk(id.length)) kept = put_file(id, bytes);
    if (!kept) return kept.error();
    bytes_ += id.length;
    use(id);
  }
  ++held_[id].pins;
  return id;
}

std::shared_ptr<const Bytes> BlobStore::get(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  if (!known(id)) return nullptr;
  auto bytes = files_->read(to_text(id), 0, id.length);
  if (!bytes || blob_id_of(*bytes) != id) {
    drop(id);
    return nullptr;
  }
  return std::make_shared<const Bytes>(*std::move(bytes));
}

bool BlobStore::holds(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  return known(id);
}

const std::vector<Hash>* BlobStore::leaves(const BlobId& id) {
  if (const auto at = leaves_.find(id); at != leaves_.end()) return &at->second;
  const auto bytes = files_->read(to_text(id), 0, id.length);
  if (!bytes) return nullptr;
  auto made = blob_leaves(*bytes);
  if (merkle_root(made) != id.root) {
    drop(id);
    return nullptr;
  }
  if (leaves_.size() == leaves_max) leaves_.erase(leaves_.begin());
  return &(leaves_[id] = std::move(made));
}

std::optional<BlobStore::Chunk> BlobStore::chunk(const BlobId& id, std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  if (index >= chunk_count(id.length)) return std::nullopt;
  if (fetching_.contains(id)) return chunk_of_part(id, index);
  if (!known(id)) return std::nullopt;
  const auto* all = leaves(id);
  if (all == nullptr) return std::nullopt;
  auto bytes = files_->read(to_text(id), index * chunk_bytes, chunk_length(id.length, index));
  if (!bytes) return std::nullopt;
  return Chunk{*std::move(bytes), merkle_path(*all, index)};
}

bool BlobStore::pin(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  if (!known(id)) return false;
  ++held_[id].pins;
  return true;
}

void BlobStore::unpin(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  if (const auto at = held_.find(id); at != held_.end() && at->second.pins > 0) --at->second.pins;
}

void BlobStore::touch_pinned() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, held] : held_) {
    if (held.pins > 0) files_->touch(to_text(id));
  }
}

bool BlobStore::is_pinned(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  const auto at = held_.find(id);
  return at != held_.end() && at->second.pins > 0;
}

// --- Parts ---

void BlobStore::drop_part(const BlobId& id) {
  for (const std::string& name : {part_of(id), have_of(id)}) {
    bytes_ -= std::min(bytes_, files_->size(name).value_or(0));
    files_->remove(name);
  }
}

BlobStore::Paths BlobStore::proved(const BlobId& id) {
  Paths paths;
  const auto size = files_->size(have_of(id));
  if (!size || files_->size(part_of(id)) != id.length) return paths;
  const std::uint64_t count = chunk_count(id.length);
  // What was written twice, by two processes, is as good as once; a torn end is none.
  const std::uint64_t most = 2 * count * (4 + 32 * 64);
  const auto records = files_->read(have_of(id), 0, std::min(*size, most));
  if (!records) return paths;
  for (std::size_t at = 0; at + 4 <= records->size();) {
    std::uint64_t index = 0;
    for (std::size_t i = 0; i < 4; ++i) index |= std::uint64_t{(*records)[at + i]} << (8 * i);
    at += 4;
    if (index >= count) break;
    std::vector<Hash> path(merkle_path_length(index, count));
    if (at + 32 * path.size() > records->size()) break;
    for (Hash& hash : path) {
      hash = *Hash::from(ByteView(*records).subspan(at, 32));
      at += 32;
    }
    const auto bytes = paths.contains(index) ? std::nullopt : files_->read(part_of(id), index * chunk_bytes, chunk_length(id.length, index));
    if (bytes && merkle_verify(merkle_leaf(*bytes), index, count, path, id.root)) paths.emplace(index, std::move(path));
  }
  return paths;
}

std::optional<BlobStore::Chunk> BlobStore::chunk_of_part(const BlobId& id, std::uint64_t index) {
  const Paths& paths = fetching_.at(id);
  const auto path = paths.find(index);
  if (path == paths.end()) return std::nullopt;
  auto bytes = files_->read(part_of(id), index * chunk_bytes, chunk_length(id.length, index));
  if (!bytes) return std::nullopt;
  return Chunk{*std::move(bytes), path->second};
}

Result<ChunkSet> BlobStore::begin(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  Paths paths = proved(id);
  if (paths.empty()) drop_part(id);
  fetching_[id] = {};  // its part is not to make room for itself
  const std::uint64_t there = files_->size(part_of(id)).value_or(0);
  auto room = make_room(id.length - std::min(there, id.length));
  if (room) room = files_->stretch(part_of(id), id.length);
  if (!room) {
    fetching_.erase(id);
    return room.error();
  }
  bytes_ += id.length - std::min(there, id.length);
  ChunkSet here(chunk_count(id.length));
  for (const auto& [index, path] : paths) here.add(index);
  fetching_[id] = std::move(paths);
  return here;
}

Result<void> BlobStore::add(const BlobId& id, std::uint64_t index, const std::vector<Hash>& path, ByteView chunk) {
  const std::lock_guard lock(mutex_);
  const auto at = fetching_.find(id);
  DUGNAD_ASSERT(at != fetching_.end() && index < chunk_count(id.length) && chunk.size() == chunk_length(id.length, index),
                "a chunk that nobody fetches");
  auto written = files_->write(part_of(id), index * chunk_bytes, chunk);
  if (!written && relieve_disk(chunk.size())) written = files_->write(part_of(id), index * chunk_bytes, chunk);
  if (!written) return written;
  Bytes record;
  for (int i = 0; i < 4; ++i) record.push_back(static_cast<std::uint8_t>(index >> (8 * i)));
  for (const Hash& hash : path) record.insert(record.end(), hash.bytes.begin(), hash.bytes.end());
  if (auto kept = files_->append(have_of(id), record); !kept) return kept;
  bytes_ += record.size();
  at->second.emplace(index, path);
  return {};
}

Result<void> BlobStore::finish(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  fetching_.erase(id);
  const auto bytes = files_->read(part_of(id), 0, id.length);
  const bool whole = bytes && files_->size(part_of(id)) == id.length && blob_id_of(*bytes) == id;
  auto kept = whole ? files_->publish(part_of(id), to_text(id)) : Result<void>(Error{"what was kept of the blob has changed on disk"});
  if (kept) {
    bytes_ -= std::min(bytes_, files_->size(have_of(id)).value_or(0));
    files_->remove(have_of(id));
  } else {
    drop_part(id);
    scan();
    if (!known(id)) return kept;  // else another process was faster
  }
  use(id);
  ++held_[id].pins;
  return {};
}

void BlobStore::break_off(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  fetching_.erase(id);
}

std::uint64_t BlobStore::bytes_held() {
  const std::lock_guard lock(mutex_);
  scan();
  return bytes_;
}

}  // namespace dugnad::store
