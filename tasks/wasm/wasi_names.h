// The functions that a guest may import, each with its one right signature. Signatures are letters: parameters, a colon, results;
// i is i32, I is i64, F is f64.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace dugnad::tasks::wasm {

struct HostFunction {
  std::string_view name;
  std::string_view signature;
};

inline constexpr std::string_view wasi_module = "wasi_snapshot_preview1";
inline constexpr std::string_view dugnad_module = "dugnad";

/// All of preview 1, in the order of its specification (WebAssembly/WASI, legacy/preview1/docs.md). Pointers and sizes are i32, file sizes,
/// rights and timestamps i64. Most only answer with an error: libc imports them without using them.
inline constexpr std::array wasi_functions{
    HostFunction{"args_get", "ii:i"},
    HostFunction{"args_sizes_get", "ii:i"},
    HostFunction{"environ_get", "ii:i"},
    HostFunction{"environ_sizes_get", "ii:i"},
    HostFunction{"clock_res_get", "ii:i"},
    HostFunction{"clock_time_get", "iIi:i"},
    HostFunction{"fd_advise", "iIIi:i"},
    HostFunction{"fd_allocate", "iII:i"},
    HostFunction{"fd_close", "i:i"},
    HostFunction{"fd_datasync", "i:i"},
    HostFunction{"fd_fdstat_get", "ii:i"},
    HostFunction{"fd_fdstat_set_flags", "ii:i"},
    HostFunction{"fd_fdstat_set_rights", "iII:i"},
    HostFunction{"fd_filestat_get", "ii:i"},
    HostFunction{"fd_filestat_set_size", "iI:i"},
    HostFunction{"fd_filestat_set_times", "iIIi:i"},
    HostFunction{"fd_pread", "iiiIi:i"},
    HostFunction{"fd_prestat_get", "ii:i"},
    HostFunction{"fd_prestat_dir_name", "iii:i"},
    HostFunction{"fd_pwrite", "iiiIi:i"},
    HostFunction{"fd_read", "iiii:i"},
    HostFunction{"fd_readdir", "iiiIi:i"},
    HostFunction{"fd_renumber", "ii:i"},
    HostFunction{"fd_seek", "iIii:i"},
    HostFunction{"fd_sync", "i:i"},
    HostFunction{"fd_tell", "ii:i"},
    HostFunction{"fd_write", "iiii:i"},
    HostFunction{"path_create_directory", "iii:i"},
    HostFunction{"path_filestat_get", "iiiii:i"},
    HostFunction{"path_filestat_set_times", "iiiiIIi:i"},
    HostFunction{"path_link", "iiiiiii:i"},
    HostFunction{"path_open", "iiiiiIIii:i"},
    HostFunction{"path_readlink", "iiiiii:i"},
    HostFunction{"path_remove_directory", "iii:i"},
    HostFunction{"path_rename", "iiiiii:i"},
    HostFunction{"path_symlink", "iiiii:i"},
    HostFunction{"path_unlink_file", "iii:i"},
    HostFunction{"poll_oneoff", "iiii:i"},
    HostFunction{"proc_exit", "i:"},
    HostFunction{"proc_raise", "i:i"},
    HostFunction{"sched_yield", ":i"},
    HostFunction{"random_get", "ii:i"},
    HostFunction{"sock_accept", "iii:i"},
    HostFunction{"sock_recv", "iiiiii:i"},
    HostFunction{"sock_send", "iiiii:i"},
    HostFunction{"sock_shutdown", "ii:i"},
};

/// Ours: log(text, length) and progress(share).
inline constexpr std::array dugnad_functions{
    HostFunction{"log", "ii:"},
    HostFunction{"progress", "F:"},
};

/// The functions of the module of that name; none of any other.
[[nodiscard]] constexpr std::span<const HostFunction> host_functions(std::string_view module) {
  if (module == wasi_module) return wasi_functions;
  if (module == dugnad_module) return dugnad_functions;
  return {};
}

}  // namespace dugnad::tasks::wasm
