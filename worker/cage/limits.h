// What a guest can make the caged process hold or say, and what its worker takes from it, each limit with its reason. Whatever comes out of a
// cage may come from a stranger's code that has taken it over.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace dugnad::worker::cage {

inline constexpr std::size_t log_max = 16u << 10;   // of dugnad.log for one unit; what comes later is dropped
inline constexpr std::size_t error_tail_max = 700;  // of standard error or the log in a reason, which is at most 1 KiB in all
// A fresh instance each unit leaves garbage that V8 does not see: 10 GiB of address space for a memory with its guards, of which it allows 1 TiB.
inline constexpr std::size_t units_between_collections = 64;
// Of instances' memories: they count against the process's limit until then.
inline constexpr std::size_t bytes_between_collections = 64u << 20;
// What V8, the output and we may need beside a guest's memory while it runs.
inline constexpr std::size_t memory_headroom = 16u << 20;

namespace limits {

inline constexpr std::size_t module_packed_max = 32u << 20;  // compressed, as it travels
inline constexpr std::size_t module_raw_max = 32u << 20;     // unpacked: compiling so much takes 20 s already
inline constexpr std::size_t unit_bytes_max = 64u << 20;     // an input, and an output: what the ABI allows
inline constexpr std::size_t text_bytes_max = 1024;          // a reason, or what a cage says of itself
inline constexpr std::size_t header_bytes = 5;               // of a frame: length and kind
// What a cage may hold beside the guest's memory: V8, and the module while it is read and compiled, some ten times its size.
inline constexpr std::uint64_t headroom_bytes = 512u << 20;
inline constexpr std::uint64_t memory_default = 256u << 20;  // of a guest whose job asks for none in particular
inline constexpr std::chrono::seconds start_time{10};        // V8 takes 15 ms, on a machine that is not swapping
inline constexpr std::chrono::seconds load_time{120};        // six times what 32 MiB of plain code take: slower machines, and busy ones
// Results wait for others so long at most, and up to so many bytes: about what a socket's buffer holds.
inline constexpr std::chrono::microseconds gather_time{1000};
inline constexpr std::size_t gathered_bytes_max = 64u << 10;
// Of a guest whose cage is kept beside another's: its last unit's memory may still be held there, and a donor grants so much for each slot once.
inline constexpr std::uint64_t kept_memory_max = memory_default;
inline constexpr std::chrono::seconds kept_time{10};         // of a slot's second cage, some 10 MB, without work
inline constexpr unsigned starts_max = 3;                    // in a row that came to nothing, before the units are given up

}  // namespace limits

}  // namespace dugnad::worker::cage
