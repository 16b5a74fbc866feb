// A kernel of the benchmarks: the same source becomes a function of the benchmark, by clang, and a guest, by the same clang. It takes a size and
// returns a number that depends on everything it computed.
//
//   static uint64_t squares(uint32_t size) { ... }
//   BENCH_KERNEL(squares)
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __wasm32__

#include <dugnad_guest.h>

// The unit is the size; the output is the number.
#define BENCH_KERNEL(kernel)                                     \
  static dugnad_bytes bench_unit(dugnad_bytes input) {           \
    if (input.size != sizeof(uint32_t)) dugnad_fail("no size");  \
    uint32_t size;                                               \
    memcpy(&size, input.data, sizeof size);                      \
    const uint64_t number = kernel(size);                        \
    uint8_t* const output = dugnad_memory(sizeof number);        \
    memcpy(output, &number, sizeof number);                      \
    return (dugnad_bytes){output, sizeof number};                \
  }                                                              \
  DUGNAD_GUEST(bench_unit)

#else

#define BENCH_KERNEL(kernel)                                     \
  uint64_t bench_kernel_##kernel(uint32_t size);                 \
  uint64_t bench_kernel_##kernel(uint32_t size) { return kernel(size); }

#endif

/// FNV-1a's step, eight bytes at a time.
static inline uint64_t mixed(uint64_t sum, uint64_t value) { return (sum ^ value) * 1099511628211u; }
