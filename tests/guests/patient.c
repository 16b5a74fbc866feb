// A command that takes as long as it is told to: so many million steps, each of which needs the one before; and says where they led.
#include <stdint.h>
#include <stdio.h>

int main(void) {
  unsigned long long millions = 0;
  if (scanf("%llu", &millions) != 1) return 1;
  uint64_t state = 1;
  for (uint64_t left = millions * 1000000; left > 0; --left) state = state * 6364136223846793005u + 1442695040888963407u;
  printf("%llx\n", (unsigned long long)state);
  return 0;
}
