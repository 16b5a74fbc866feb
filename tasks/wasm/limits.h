// Every limit on a guest module and its run, each with its reason. All are part of what a module means: raising one later lets modules in
// that older donors refuse, and changing the depth changes results, so either needs a new version of the ABI.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dugnad::tasks::wasm::limits {

// --- Sizes that a stranger declares ---
inline constexpr std::size_t module_bytes_max = 32u << 20;            // of the raw module; contract of the ABI
inline constexpr std::uint64_t memory_bytes_default = 256ull << 20;   // what a guest gets that asks for nothing
inline constexpr std::uint64_t memory_bytes_most = 4096ull << 20;     // all that 32-bit addresses reach
inline constexpr std::uint64_t page_bytes = 65536;
inline constexpr std::uint64_t function_bytes_max = 4u << 20;         // V8 refuses 7.6 MB, and takes seconds long before
inline constexpr std::uint32_t types_max = 10'000;
inline constexpr std::uint32_t params_max = 128;                      // compilers pass structures by address; types are copied per function
inline constexpr std::uint32_t results_max = 16;
inline constexpr std::uint32_t functions_max = 100'000;               // 32 MiB hold fewer of any use
inline constexpr std::uint32_t imports_max = 256;                     // several times what the ABI offers
inline constexpr std::uint32_t exports_max = 10'000;
inline constexpr std::uint32_t globals_max = 10'000;
inline constexpr std::uint32_t tables_max = 16;
inline constexpr std::uint32_t table_elements_max = 100'000;          // of all tables together, grown or not: each costs V8 32 bytes
inline constexpr std::uint32_t elements_max = 200'000;                // in all segments; a byte in the module, 24 in V8
inline constexpr std::uint32_t segments_max = 10'000;                 // of data, and of elements: each is copied into every instance
// Locals are run-length encoded, so ten bytes may declare 2^32 of them.
inline constexpr std::uint64_t locals_max = 10'000;
// Blocks inside blocks. A switch nests one a case, so thousands are honest. Ours and libwabt's readers keep them on the heap.
inline constexpr std::uint32_t nesting_max = 10'000;
// V8 copies the table of locals for each block that it compiles, 8 bytes each, and frees them after the function.
inline constexpr std::uint64_t blocks_times_locals_max = 8u << 20;

// --- The stack ---
// A call costs what its frame may take on V8's stack: so much for itself; so much for each parameter, local and operand, twice as much in
// functions that hold vectors; and two thirds of a byte for each byte of its code. Liftoff gives parameters, locals and operands a slot each.
// TurboFan shares slots, but keeps values over a call that the code computes again after it: each takes at least twelve bytes of code and one
// slot. What code written to defeat this can still keep in more slots, by loops or sheer size, overflows V8's own stack first: the engine has
// to take that for the donor's failure, not for a result.
inline constexpr std::uint32_t frame_bytes = 80;             // return address, frame pointer, marker, instance, alignment, the caller's pushes
inline constexpr std::uint32_t slot_bytes = 8;
inline constexpr std::uint32_t frame_of_code_max = 16u << 10;  // large functions are interpreters and the like, and use few slots for their size
inline constexpr std::uint32_t frame_bytes_max = 256u << 10;   // a larger one is refused: the limit may be overshot by one
inline constexpr std::uint32_t stack_bytes = 6u << 20;         // of frames that a guest may have at once
// What the engine must give V8 (`--stack-size`, in KiB): what it needs itself below and above the guest's frames is the rest of it. Linux
// gives a main thread 8 MiB.
inline constexpr std::uint32_t native_stack_bytes = 7u << 20;

// --- Fuel ---
inline constexpr std::uint64_t bulk_units_per_fuel = 16;  // bytes or elements: what one vector instruction moves otherwise

}  // namespace dugnad::tasks::wasm::limits
