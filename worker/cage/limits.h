// What a guest can make the caged process hold or say, each limit with its reason.
#pragma once

#include <cstddef>

namespace dugnad::worker::cage {

inline constexpr std::size_t log_max = 16u << 10;   // of dugnad.log for one unit; what comes later is dropped
inline constexpr std::size_t error_tail_max = 700;  // of standard error or the log in a reason, which is at most 1 KiB in all
// A fresh instance each unit leaves garbage that V8 does not see: 10 GiB of address space for a memory with its guards, of which it allows 1 TiB.
inline constexpr std::size_t units_between_collections = 64;
inline constexpr std::size_t bytes_between_collections =
    64u << 20;  // of instances' memories: they count against the process's limit until then
// What V8, the output and we may need beside a guest's memory while it runs.
inline constexpr std::size_t memory_headroom = 16u << 20;

}  // namespace dugnad::worker::cage
