// The main of tests that run V8, which catches out-of-bounds accesses by signals of its own: doctest must not put its handlers above them.
#define DOCTEST_CONFIG_NO_POSIX_SIGNALS
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
