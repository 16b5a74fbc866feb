// distance: an ordinary program, which knows nothing of dugnad: for each line of two words, how many letters must be changed, put in or
// taken out to make the one of the other (Levenshtein's distance). Built for wasm32-wasi it is a guest as it stands:
//   clang-19 --target=wasm32-wasi -O2 distance.c -o distance.wasm
//   dugnad submit distance.wasm --lines pairs.txt
#include <stdio.h>
#include <string.h>

enum { letters_max = 255 };

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

static unsigned distance(const char* from, const char* to) {
  unsigned row[letters_max + 1];
  const size_t width = strlen(to);
  for (size_t j = 0; j <= width; ++j) row[j] = (unsigned)j;
  for (size_t i = 1; from[i - 1] != '\0'; ++i) {
    unsigned diagonal = row[0];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= width; ++j) {
      const unsigned above = row[j];
      row[j] = least(least(above, row[j - 1]) + 1, diagonal + (from[i - 1] == to[j - 1] ? 0 : 1));
      diagonal = above;
    }
  }
  return row[width];
}

int main(void) {
  char line[2 * letters_max + 8];
  char from[letters_max + 1];
  char to[letters_max + 1];
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "%255s %255s", from, to) != 2) {
      fprintf(stderr, "distance: not two words: %s", line);
      return 1;
    }
    printf("%s %s %u\n", from, to, distance(from, to));
  }
  return 0;
}
