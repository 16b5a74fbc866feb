// Products of two matrices of doubles, summed up `size` times: what a compiler makes vectors of, which are all shown in memory.
#include "kernel.h"

enum { side = 200 };
static double left[side][side], right[side][side], product[side][side];

static uint64_t matmul(uint32_t size) {
  for (int i = 0; i < side; ++i) {
    for (int j = 0; j < side; ++j) {
      const int at = i * side + j;
      left[i][j] = at % 17 * 0.25 + 1.0 / (at + 1);
      right[i][j] = at % 13 * 0.5 - 1.0 / (at + 2);
      product[i][j] = 0;
    }
  }
  for (uint32_t round = 0; round < size; ++round) {
    for (int i = 0; i < side; ++i) {
      for (int k = 0; k < side; ++k) {
        const double factor = left[i][k];
        for (int j = 0; j < side; ++j) product[i][j] += factor * right[k][j];
      }
    }
  }
  uint64_t sum = 0;
  for (int i = 0; i < side; ++i) {
    for (int j = 0; j < side; ++j) {
      uint64_t bits;
      memcpy(&bits, &product[i][j], sizeof bits);
      sum = mixed(sum, bits);
    }
  }
  return sum;
}

BENCH_KERNEL(matmul)
