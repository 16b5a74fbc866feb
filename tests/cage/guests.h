// Guests from text, packed as they travel, and batches of them run in real cages with a time limit each.
#pragma once

#include <zstd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/cage/caged.h"
#include "tests/wasm/wat.h"

namespace dugnad::worker {

inline Bytes packed(ByteView raw) {
  Bytes out(ZSTD_compressBound(raw.size()));
  const std::size_t size = ZSTD_compress(out.data(), out.size(), raw.data(), raw.size(), 3);
  REQUIRE(!ZSTD_isError(size));
  out.resize(size);
  return out;
}

inline constexpr std::uint64_t guest_memory = 64 << 20;

inline Guest guest_from(Bytes packed_module, std::uint64_t fuel = 0) {
  return guest_at_hand(std::move(packed_module), guest_memory, fuel);
}

/// What the executor's watchdog does: stops the unit that has run for `limit`.
class Watchdog {
 public:
  Watchdog(CageSlot& slot, std::chrono::milliseconds limit) : slot_(slot), limit_(limit), thread_([this] { watch(); }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  void next_runs() {
    const std::lock_guard lock(mutex_);
    ++unit_;
    changed_.notify_one();
  }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      const std::size_t watched = unit_;
      if (!changed_.wait_for(lock, limit_, [&] { return ended_ || unit_ != watched; })) slot_.stop(watched);
    }
  }
  CageSlot& slot_;
  const std::chrono::milliseconds limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t unit_ = 0;
  bool ended_ = false;
  std::thread thread_;
};

inline std::vector<Ran> run_guest(CageSlot& slot, const Guest& guest, const std::vector<std::string>& units,
                                  std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  Watchdog watchdog(slot, limit);
  return run_all(slot, guest, units, [&watchdog](std::size_t, const Ran&) { watchdog.next_runs(); });
}

/// A reactor that does what a unit's first letter says, and returns any other unit as it is.
inline constexpr const char* rogue = R"((module
 (import "dugnad" "log" (func $log (param i32 i32)))
 (memory (export "memory") 2 1024)
 (global $kept (mut i32) (i32.const 48))
 (func $deep (param i32) (result i32) (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
 (func $is (param $p i32) (param $c i32) (result i32) (i32.eq (i32.load8_u (local.get $p)) (local.get $c)))
 (func $one (param $digit i32) (result i64)
  (i32.store8 (i32.const 8) (local.get $digit)) (i64.or (i64.shl (i64.const 8) (i64.const 32)) (i64.const 1)))
 (func (export "dugnad_alloc") (param i32) (result i32) (i32.const 1024))
 (func (export "dugnad_run") (param $p i32) (param $n i32) (result i64) (local $i i32)
  (if (call $is (local.get $p) (i32.const 108)) (then (loop $l (br $l))))
  (if (call $is (local.get $p) (i32.const 114)) (then (drop (call $deep (i32.const 0)))))
  (if (call $is (local.get $p) (i32.const 116)) (then (unreachable)))
  (if (call $is (local.get $p) (i32.const 100)) (then (drop (i32.div_s (i32.const 1) (local.get $i)))))
  (if (call $is (local.get $p) (i32.const 111)) (then (drop (i32.load (i32.const -4)))))
  (if (call $is (local.get $p) (i32.const 103)) (then
   (if (i32.eq (memory.grow (i32.const 1022)) (i32.const -1)) (then (return (call $one (i32.const 45)))))
   (memory.fill (i32.const 65536) (i32.const 1) (i32.const 66000000))
   (return (call $one (i32.const 43)))))
  (if (call $is (local.get $p) (i32.const 71)) (then
   (return (call $one (select (i32.const 45) (i32.const 43) (i32.eq (memory.grow (i32.const 1023)) (i32.const -1)))))))
  (if (call $is (local.get $p) (i32.const 119)) (then (return (i64.const 0xffff00000000ffff))))
  (if (call $is (local.get $p) (i32.const 70)) (then (return (i64.const 0x000000007fffffff))))
  (if (call $is (local.get $p) (i32.const 76)) (then
   (loop $m (call $log (i32.const 0) (i32.const 65536))
    (br_if $m (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000))))))
  (if (call $is (local.get $p) (i32.const 107)) (then
   (global.set $kept (i32.add (global.get $kept) (i32.const 1))) (return (call $one (global.get $kept)))))
  (i64.or (i64.shl (i64.extend_i32_u (local.get $p)) (i64.const 32)) (i64.extend_i32_u (local.get $n)))))
)";

inline Guest rogue_guest() { return guest_from(packed(tests::wat(rogue))); }

}  // namespace dugnad::worker
