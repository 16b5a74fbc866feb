// A command that shows what it was given: its arguments on a line, then standard input.
#include <stdio.h>

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) printf("[%s]", arguments[i]);
  printf("\n");
  for (int c = getchar(); c != EOF; c = getchar()) putchar(c);
  return 0;
}
