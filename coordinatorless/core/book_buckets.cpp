#include "coordinatorless/core/book_buckets.h"

#include <algorithm>

#include "coordinatorless/base/panic.h"

namespace dugnad::core {
namespace {

auto place_of(std::vector<BookBuckets::Item*>& bucket, const PeerId& peer) {
  return std::lower_bound(bucket.begin(), bucket.end(), peer, [](const auto* item, const PeerId& id) { return item->first < id; });
}

}  // namespace

std::vector<BookBuckets::Item*>& BookBuckets::bucket_of(const BookEntry& entry) {
  return entry.tried ? tried_.at(entry.bucket) : new_.at(entry.bucket);
}

void BookBuckets::add(Item& item) {
  auto& bucket = bucket_of(item.second);
  bucket.insert(place_of(bucket, item.first), &item);
  ++count_of(item.second);
}

void BookBuckets::remove(const Item& item) {
  auto& bucket = bucket_of(item.second);
  const auto at = place_of(bucket, item.first);
  DUGNAD_ASSERT(at != bucket.end() && *at == &item, "an entry of the book is not in its bucket");
  bucket.erase(at);
  --count_of(item.second);
}

}  // namespace dugnad::core
