// A guest program in C: a unit is a function from bytes to bytes, and this header makes a WebAssembly module of it that any donor runs.
//
//   #include <dugnad_guest.h>
//   static dugnad_bytes shout(dugnad_bytes input) {
//     uint8_t* upper = dugnad_memory(input.size);
//     for (uint32_t i = 0; i < input.size; ++i) upper[i] = input.data[i] & ~32;
//     return (dugnad_bytes){upper, input.size};
//   }
//   DUGNAD_GUEST(shout)
//
//   clang-19 --target=wasm32-wasi -O2 -nostartfiles -I. shout.c -o shout.wasm -Wl,--no-entry,--stack-first,--strip-all
//
// For C++ there is dugnad_guest.hpp, for CMake dugnad_add_guest(). Include this in one file of the program.
// Every unit starts in a fresh instance: nothing is ever freed, and no unit sees another.
// The same input must give the same bytes on every machine; a guest has no clock, no files and no randomness to spoil that with.
//
// It also builds without any libc: --target=wasm32-unknown-unknown -nostdlib instead of the first two options.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifndef __wasm32__
#error "dugnad_guest.h is for programs compiled to 32-bit WebAssembly: clang --target=wasm32-wasi"
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const uint8_t* data;
  uint32_t size;
} dugnad_bytes;

// What a donor offers: a line for its log, and how far the unit is, from 0 to 1. Neither is promised to be heard by anybody.
__attribute__((import_module("dugnad"), import_name("log"))) void dugnad_log_bytes(const void* text, uint32_t size);
__attribute__((import_module("dugnad"), import_name("progress"))) void dugnad_progress(double share);

// What the linker knows: where memory is free from, and the constructors of global objects.
extern unsigned char __heap_base;
extern void __wasm_call_ctors(void);

static inline void dugnad_log(const char* text) {
  uint32_t size = 0;
  while (text[size] != 0) ++size;
  dugnad_log_bytes(text, size);
}

// Ends the unit: it fails, here as on every other machine. The reason is logged.
__attribute__((noreturn)) static inline void dugnad_fail(const char* reason) {
  dugnad_log(reason);
  __builtin_trap();
}

#ifdef __wasi__
void* malloc(size_t size);
static inline void* dugnad_take(uint32_t size) { return malloc(size); }
#else
// Without a libc: taken from the end of what is used, never given back, since the instance goes with the unit.
static inline void* dugnad_take(uint32_t size) {
  static uint64_t end;
  const uint64_t page = 65536;
  if (end == 0) end = (uint64_t)(uintptr_t)&__heap_base;
  const uint64_t begin = (end + 15) / 16 * 16;
  const uint64_t needed = (begin + size + page - 1) / page;
  const uint64_t there = __builtin_wasm_memory_size(0);
  if (needed > page) return NULL;
  if (needed > there && __builtin_wasm_memory_grow(0, (size_t)(needed - there)) == (size_t)-1) return NULL;
  end = begin + size;
  return (void*)(uintptr_t)begin;
}
#endif

// `size` bytes; the unit fails where the module's memory is used up.
static inline uint8_t* dugnad_memory(uint32_t size) {
  void* const taken = dugnad_take(size == 0 ? 1 : size);
  if (taken == NULL) dugnad_fail("out of memory");
  return (uint8_t*)taken;
}

// Constructors run once, whether the host calls `_initialize`, where the linker made one, or knows nothing of it. Volatile, since a compiler
// that runs the constructor itself would drop the call of the others; and a linker that sees no call puts its own around every export.
static volatile int dugnad_ready_;
__attribute__((constructor(101))) static void dugnad_set_ready_(void) { dugnad_ready_ = 1; }
static inline void dugnad_get_ready_(void) {
  if (!dugnad_ready_) __wasm_call_ctors();
}

#ifdef __wasi__
// libc refers to WASI for what it prints before it aborts. A reactor has no WASI: what is printed is logged, anything else is refused.
// These names are those that wasi-libc gives its imports, so that the linker finds them here and imports nothing.
typedef struct {
  const uint8_t* data;
  uint32_t size;
} dugnad_piece_;
__attribute__((weak)) int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t file, int32_t pieces, int32_t count, int32_t written) {
  const dugnad_piece_* const piece = (const dugnad_piece_*)(uintptr_t)pieces;
  uint32_t all = 0;
  if (file != 1 && file != 2) return 8;  // EBADF
  for (int32_t i = 0; i < count; ++i) {
    if (piece[i].size > 0) dugnad_log_bytes(piece[i].data, piece[i].size);
    all += piece[i].size;
  }
  *(uint32_t*)(uintptr_t)written = all;
  return 0;
}
__attribute__((weak)) int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t file) { return (void)file, 8; }
__attribute__((weak)) int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t file, int64_t by, int32_t from, int32_t to) {
  return (void)file, (void)by, (void)from, (void)to, 8;
}
__attribute__((weak)) int32_t __imported_wasi_snapshot_preview1_fd_fdstat_get(int32_t file, int32_t to) { return (void)file, (void)to, 8; }
__attribute__((weak, noreturn)) void __imported_wasi_snapshot_preview1_proc_exit(int32_t code) {
  (void)code;
  dugnad_fail("the program exits inside a unit");
}
__attribute__((weak, noreturn)) void abort(void) { __builtin_trap(); }
#endif

__attribute__((weak, export_name("dugnad_alloc"))) void* dugnad_alloc_(uint32_t size) {
  dugnad_get_ready_();
  return dugnad_memory(size);
}

#ifdef __cplusplus
}
#define DUGNAD_C_ extern "C"
#else
#define DUGNAD_C_
#endif

#define DUGNAD_RUN_(function)                                                                                              \
  DUGNAD_C_ __attribute__((export_name("dugnad_run"))) uint64_t dugnad_run_(const uint8_t* input, uint32_t size) {         \
    dugnad_get_ready_();                                                                                                   \
    const dugnad_bytes given = {input, size};                                                                              \
    const dugnad_bytes made = function(given);                                                                             \
    return (uint64_t)(uintptr_t)made.data << 32 | made.size;                                                               \
  }

#define DUGNAD_CHECK_(function)                                                                                            \
  DUGNAD_C_ __attribute__((export_name("dugnad_check"))) int32_t dugnad_check_(const uint8_t* input, uint32_t size,        \
                                                                               const uint8_t* output, uint32_t length) {   \
    dugnad_get_ready_();                                                                                                   \
    const dugnad_bytes given = {input, size};                                                                              \
    const dugnad_bytes claimed = {output, length};                                                                         \
    return function(given, claimed) ? 1 : 0;                                                                               \
  }

#ifndef __cplusplus
// Makes `function`, a dugnad_bytes of a dugnad_bytes, the module's unit.
#define DUGNAD_GUEST(function) DUGNAD_RUN_(function)

// Optional, where a result is far cheaper to verify than to compute: `function(input, output)` answers 1 where the output is right, else 0.
// It is called on the submitter's machine alone, in a fresh instance, for every result of jobs that ask for a confidence. The output is
// anybody's bytes: it must say yes of nothing but what the unit returns, and of that always; else its units fail. Where it traps or takes too
// long, the unit is computed there instead.
#define DUGNAD_GUEST_CHECK(function) DUGNAD_CHECK_(function)
#endif
