// BookBuckets: which entries of the book stand in which bucket, so that room can be made in one bucket without a look at all the others.
// An index into the book's map, whose items stay where they are; each bucket in the order of ids, so that a seed gives the same victims.
#pragma once

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "coordinatorless/core/book_entry.h"

namespace dugnad::core {

class BookBuckets {
 public:
  // As Bitcoin Core's addrman, smaller.
  static constexpr std::size_t of_new = limits::book_new_max / limits::book_bucket_max;
  static constexpr std::size_t of_tried = 16;
  static constexpr std::size_t tried_bucket_max = limits::book_tried_max / of_tried;

  using Item = std::pair<const PeerId, BookEntry>;

  /// Into the bucket that the entry names. The item stays where it is, and its `tried` and `bucket` as they are, until it is removed.
  void add(Item& item);
  void remove(const Item& item);

  [[nodiscard]] std::span<Item* const> in_new(std::size_t bucket) const { return new_.at(bucket); }
  [[nodiscard]] std::span<Item* const> in_tried(std::size_t bucket) const { return tried_.at(bucket); }
  [[nodiscard]] std::size_t count_new() const { return count_new_; }
  [[nodiscard]] std::size_t count_tried() const { return count_tried_; }

 private:
  [[nodiscard]] std::vector<Item*>& bucket_of(const BookEntry& entry);
  [[nodiscard]] std::size_t& count_of(const BookEntry& entry) { return entry.tried ? count_tried_ : count_new_; }

  std::array<std::vector<Item*>, of_new> new_;
  std::array<std::vector<Item*>, of_tried> tried_;
  std::size_t count_new_ = 0;
  std::size_t count_tried_ = 0;
};

}  // namespace dugnad::core
