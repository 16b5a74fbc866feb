// Somebody else's guest in C: text in capital letters.
#include <dugnad_guest.h>

static dugnad_bytes shout(dugnad_bytes input) {
  uint8_t* const loud = dugnad_memory(input.size);
  for (uint32_t i = 0; i < input.size; ++i) {
    const uint8_t letter = input.data[i];
    loud[i] = letter >= 'a' && letter <= 'z' ? (uint8_t)(letter - 'a' + 'A') : letter;
  }
  return (dugnad_bytes){loud, input.size};
}

DUGNAD_GUEST(shout)
