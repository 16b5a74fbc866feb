// What a sanitizer's look for leaks at the end of test_worker leaves out; in other builds nobody calls it.
extern "C" const char* __lsan_default_suppressions();

/// oneTBB frees what it knows of an observer that is gone once the last thread of its pool has heard of that, and its pool outlives our executors: a
/// process that ends before leaves forty bytes. Only that: what attempts leave on the pool's threads is ours.
extern "C" const char* __lsan_default_suppressions() { return "leak:tbb::detail::r1::observe\n"; }
