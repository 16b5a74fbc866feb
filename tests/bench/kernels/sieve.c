// Eratosthenes' sieve over single bytes, again and again: loads, stores and branches with hardly any arithmetic.
#include "kernel.h"

enum { numbers = 2000000 };
static uint8_t is_composite[numbers];

static uint64_t sieve(uint32_t rounds) {
  uint64_t sum = 0;
  for (uint32_t round = 0; round < rounds; ++round) {
    memset(is_composite, 0, numbers);
    for (uint32_t i = 2; i * i < numbers; ++i) {
      if (is_composite[i]) continue;
      for (uint32_t j = i * i; j < numbers; j += i) is_composite[j] = 1;
    }
    for (uint32_t i = 2; i < numbers; ++i) {
      if (!is_composite[i]) sum = mixed(sum, i);
    }
  }
  return sum;
}

BENCH_KERNEL(sieve)
