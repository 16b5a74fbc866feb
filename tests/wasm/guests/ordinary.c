// An ordinary C program, as people have them: arguments, lines of standard input, time, random numbers, memory, files that are not there.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "exit") == 0) {
    fprintf(stderr, "cannot go on\n");
    return 7;
  }
  if (argc > 1 && strcmp(argv[1], "abort") == 0) abort();
  printf("%d arguments, the last is %s\n", argc, argv[argc - 1]);
  char line[256];
  size_t lines = 0, letters = 0;
  while (fgets(line, sizeof line, stdin)) ++lines, letters += strlen(line);
  printf("%zu lines, %zu letters\n", lines, letters);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const long first = now.tv_nsec;
  nanosleep(&(struct timespec){3, 0}, NULL);
  clock_gettime(CLOCK_MONOTONIC, &now);
  printf("%ld ns, then %ld.%09ld s\n", first, (long)now.tv_sec, now.tv_nsec);
  FILE* const file = fopen("/etc/passwd", "r");
  printf("file: %s, terminal: %d, home: %s\n", file ? "there" : strerror(errno), isatty(1), getenv("HOME") ? "there" : "none");
  unsigned char drawn[4] = {0};
  printf("random: %d\n", getentropy(drawn, sizeof drawn));
  char* const large = malloc(100u << 20);
  if (large) memset(large, 1, 100u << 20);
  printf("100 MiB: %s\n", large && large[99 << 20] == 1 ? "given" : "none");
  printf("%.17g\n", 0.1 + 0.2);
  return 0;
}
