// Somebody else's command: what it reads.
#include <stdio.h>

int main(void) {
  for (int letter = getchar(); letter != EOF; letter = getchar()) putchar(letter);
  return 0;
}
