#include "coordinatorless/store/blob_store.h"

#include <unistd.h>

#include <algorithm>

#include "coordinatorless/base/merkle.h"

namespace dugnad::store {
namespace {

constexpr std::size_t leaves_max = 32;  // blobs whose trees are remembered: 256 hashes each for the longest

std::string part_of(const BlobId& id) { return to_text(id) + ".part"; }
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

Result<void> BlobStore::make_room(std::uint64_t bytes) {
  std::uint64_t reserved = 0;
  for (const auto& [id, left] : fetching_) reserved += left;
  if (bytes_ + reserved + bytes <= quota_) return {};
  scan();
  for (const auto& entry : by_use()) {
    if (bytes_ + reserved + bytes <= quota_) return {};
    const auto id = blob_id_from_text(entry.name.substr(0, entry.name.find('.')));
    if (!id) continue;  // nothing that we made
    const auto at = held_.find(*id);
    const bool ours = at != held_.end() || fetching_.contains(*id);
    if (ours ? fetching_.contains(*id) || at->second.pins > 0 : entry.fresh) continue;
    files_->remove(entry.name);
    leaves_.erase(*id);
    bytes_ -= entry.bytes;
    if (at != held_.end()) held_.erase(at);
  }
  if (bytes_ + reserved + bytes <= quota_) return {};
  return Error{"no room for " + std::to_string(bytes) + " bytes more: blobs that are needed take " + std::to_string(bytes_ + reserved) + " of " +
               std::to_string(quota_)};
}

bool BlobStore::make_room_for(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  return bytes > quota_ || make_room(bytes).ok();
}

Result<BlobId> BlobStore::put(ByteView bytes) {
  const BlobId id = blob_id_of(bytes);
  const std::lock_guard lock(mutex_);
  if (!known(id)) {
    if (auto room = make_room(id.length); !room) return room.error();
    files_->remove(draft_of(id));
    auto kept = files_->append(draft_of(id), bytes);
    if (kept) kept = files_->publish(draft_of(id), to_text(id));
    if (!kept) {
      files_->remove(draft_of(id));
      return kept.error();
    }
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
  if (index >= chunk_count(id.length) || !known(id)) return std::nullopt;
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

Result<std::uint64_t> BlobStore::begin(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t size = files_->size(part_of(id)).value_or(0);
  std::uint64_t chunks = std::min(size / chunk_bytes, chunk_count(id.length) - 1);  // the last one is fetched anew: it may be torn
  if (size > 0 && size != chunks * chunk_bytes) {  // a chunk was half written
    files_->remove(part_of(id));
    bytes_ -= std::min(bytes_, size);
    chunks = 0;
  }
  const std::uint64_t left = id.length - chunks * chunk_bytes;
  fetching_[id] = 0;  // its part is not to make room for itself
  if (auto room = make_room(left); !room) {
    fetching_.erase(id);
    return room.error();
  }
  fetching_[id] = left;
  return chunks;
}

Result<void> BlobStore::add(const BlobId& id, ByteView chunk) {
  const std::lock_guard lock(mutex_);
  const auto at = fetching_.find(id);
  DUGNAD_ASSERT(at != fetching_.end() && chunk.size() <= at->second, "a chunk that nobody fetches");
  if (auto kept = files_->append(part_of(id), chunk); !kept) return kept;
  at->second -= chunk.size();
  bytes_ += chunk.size();
  return {};
}

Result<void> BlobStore::finish(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  fetching_.erase(id);
  if (id.length == 0) {
    if (auto kept = files_->append(part_of(id), {}); !kept) return kept;
  }
  const auto bytes = files_->read(part_of(id), 0, id.length);
  auto kept = bytes && files_->size(part_of(id)) == id.length && blob_id_of(*bytes) == id
                  ? files_->publish(part_of(id), to_text(id))
                  : Result<void>(Error{"what was kept of the blob has changed on disk"});
  if (!kept) {
    files_->remove(part_of(id));
    scan();
    return kept;
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
