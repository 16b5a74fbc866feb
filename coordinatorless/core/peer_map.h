// PeerMap: a map by peer that is walked far more often than it is changed. In the order of ids, as std::map, but the walk goes along an array:
// in a tree each step waits for memory, which was half the CPU of a large simulated swarm. Items stay where they are until they are erased.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "coordinatorless/base/ids.h"
#include "coordinatorless/base/panic.h"

namespace dugnad::core {

template <class T>
class PeerMap {
 public:
  using Item = std::pair<const PeerId, T>;

  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  /// nullptr where there is none.
  [[nodiscard]] Item* find(const PeerId& peer) { return at(peer); }
  [[nodiscard]] const Item* find(const PeerId& peer) const { return at(peer); }

  /// The peer is not in the map yet.
  Item& insert(std::unique_ptr<Item> item) {
    const auto place = place_of(item->first);
    DUGNAD_ASSERT(place == slots_.end() || place->item->first != item->first, "a peer is in the map already");
    const std::uint64_t head = head_of(item->first);
    return *slots_.insert(place, Slot{head, std::move(item)})->item;
  }
  /// The peer is in the map.
  std::unique_ptr<Item> extract(const PeerId& peer) {
    const auto place = place_of(peer);
    DUGNAD_ASSERT(place != slots_.end() && place->item->first == peer, "a peer is not in the map");
    std::unique_ptr<Item> item = std::move(place->item);
    slots_.erase(place);
    return item;
  }
  /// Those of which `gone` says so, in order.
  template <class Gone>
  void erase_if(Gone gone) {
    std::erase_if(slots_, [&](Slot& slot) { return gone(*slot.item); });
  }

 private:
  struct Slot {
    std::uint64_t head;  // the id's first bytes, most significant first: nearly every comparison ends here
    std::unique_ptr<Item> item;
  };

  static std::uint64_t head_of(const PeerId& peer) {
    std::uint64_t head = 0;
    for (int i = 0; i < 8; ++i) head = head << 8 | peer.bytes[i];
    return head;
  }
  template <class Slots>
  static auto place_in(Slots& slots, const PeerId& peer) {
    return std::lower_bound(slots.begin(), slots.end(), head_of(peer), [&](const Slot& slot, std::uint64_t head) {
      return slot.head != head ? slot.head < head : slot.item->first < peer;
    });
  }
  auto place_of(const PeerId& peer) { return place_in(slots_, peer); }
  [[nodiscard]] Item* at(const PeerId& peer) const {
    const auto place = place_in(slots_, peer);
    return place == slots_.end() || place->item->first != peer ? nullptr : place->item.get();
  }

  template <class Inner, class Value>
  class Walk {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Item;
    using difference_type = std::ptrdiff_t;
    using pointer = Value*;
    using reference = Value&;

    Walk() = default;
    explicit Walk(Inner at) : at_(at) {}
    Value& operator*() const { return *at_->item; }
    Walk& operator++() {
      ++at_;
      return *this;
    }
    Walk operator++(int) {
      Walk before = *this;
      ++at_;
      return before;
    }
    bool operator==(const Walk&) const = default;

   private:
    Inner at_;
  };

  std::vector<Slot> slots_;

 public:
  auto begin() { return Walk<typename std::vector<Slot>::iterator, Item>(slots_.begin()); }
  auto end() { return Walk<typename std::vector<Slot>::iterator, Item>(slots_.end()); }
  auto begin() const { return Walk<typename std::vector<Slot>::const_iterator, const Item>(slots_.begin()); }
  auto end() const { return Walk<typename std::vector<Slot>::const_iterator, const Item>(slots_.end()); }
};

}  // namespace dugnad::core
