// How many ways there are for `size` queens on a board: recursion, and bits.
#include "kernel.h"

static uint64_t placed(uint32_t all, uint32_t columns, uint32_t left, uint32_t right) {
  if (columns == all) return 1;
  uint64_t ways = 0;
  for (uint32_t free = all & ~(columns | left | right); free != 0; free &= free - 1) {
    const uint32_t queen = free & (0u - free);
    ways += placed(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
  }
  return ways;
}

static uint64_t queens(uint32_t size) { return placed((1u << size) - 1, 0, 0, 0); }

BENCH_KERNEL(queens)
