// WasiAnswers: the calls of preview 1 that do more than answer with a fixed error. Private to wasi.
#pragma once

#include "worker/cage/wasi.h"

namespace dugnad::worker::cage {

struct WasiAnswers {
  static Errno args_get(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno args_sizes_get(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno environ_sizes_get(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno clock_res_get(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno clock_time_get(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno fd_close(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno fd_fdstat_get(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno fd_filestat_get(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno fd_read(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno fd_write(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno poll_oneoff(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno proc_exit(Wasi&, const GuestMemory&, const Wasi::Arguments&);
  static Errno random_get(Wasi&, const GuestMemory&, const Wasi::Arguments&);

  /// `on_open` where the descriptor, argument number `place`, is open; else that it is not.
  template <Errno on_open, std::size_t place = 0>
  static Errno on_stream(Wasi& wasi, const GuestMemory&, const Wasi::Arguments& a) {
    return wasi.is_open(a[place]) ? on_open : Errno::badf;
  }
};

}  // namespace dugnad::worker::cage
