// The Mandelbrot set, `size` by `size` points: double precision in registers.
#include "kernel.h"

static uint64_t mandelbrot(uint32_t size) {
  uint64_t sum = 0;
  for (uint32_t row = 0; row < size; ++row) {
    for (uint32_t column = 0; column < size; ++column) {
      const double real = -2.0 + 3.0 * column / size, imaginary = -1.5 + 3.0 * row / size;
      double x = 0, y = 0;
      uint32_t steps = 0;
      for (; steps < 200; ++steps) {
        const double xx = x * x, yy = y * y;
        if (xx + yy > 4.0) break;
        y = 2 * x * y + imaginary;
        x = xx - yy + real;
      }
      sum = mixed(sum, steps);
    }
  }
  return sum;
}

BENCH_KERNEL(mandelbrot)
