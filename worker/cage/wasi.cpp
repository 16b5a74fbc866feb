#include "worker/cage/wasi.h"

#include <algorithm>

#include "coordinatorless/base/hash.h"
#include "worker/cage/limits.h"
#include "worker/cage/wasi_answers.h"
#include "worker/run_attempt.h"

namespace dugnad::worker::cage {
namespace {

using Arguments = Wasi::Arguments;

struct Row {
  std::string_view name;
  Wasi::Answer answer;
};

}  // namespace

Errno Wasi::write_out(ByteView bytes, std::uint64_t descriptor) {
  if (descriptor == 1) {
    if (bytes.size() > output_max - output_.size()) {
      output_too_large_ = true;
      return Errno::success;  // never seen: the guest is unwound
    }
    output_.insert(output_.end(), bytes.begin(), bytes.end());
    return Errno::success;
  }
  const ByteView last = bytes.last(std::min(bytes.size(), error_tail_max));
  error_tail_.append(last.begin(), last.end());
  if (error_tail_.size() > error_tail_max) error_tail_.erase(0, error_tail_.size() - error_tail_max);
  return Errno::success;
}

std::uint64_t Wasi::read_clock() {
  constexpr std::uint64_t step_ns = 1'000'000;
  const std::uint64_t now = clock_ns_;
  clock_ns_ += std::min(step_ns, ~clock_ns_);  // poll_oneoff may have set it to the last moment there is
  return now;
}

Wasi::Answer Wasi::answer_of(std::string_view name) {
  using A = WasiAnswers;
  // Where the answer is an error whatever the arguments, it is what a system with three pipes and nothing else says.
  static constexpr std::array rows{
      Row{"args_get", A::args_get},
      Row{"args_sizes_get", A::args_sizes_get},
      Row{"environ_get", [](Wasi&, const GuestMemory&, const Arguments&) { return Errno::success; }},
      Row{"environ_sizes_get", A::environ_sizes_get},
      Row{"clock_res_get", A::clock_res_get},
      Row{"clock_time_get", A::clock_time_get},
      Row{"fd_close", A::fd_close},
      Row{"fd_fdstat_get", A::fd_fdstat_get},
      Row{"fd_filestat_get", A::fd_filestat_get},
      Row{"fd_read", A::fd_read},
      Row{"fd_write", A::fd_write},
      Row{"poll_oneoff", A::poll_oneoff},
      Row{"proc_exit", A::proc_exit},
      Row{"random_get", A::random_get},
      Row{"sched_yield", [](Wasi&, const GuestMemory&, const Arguments&) { return Errno::success; }},
      Row{"proc_raise", [](Wasi&, const GuestMemory&, const Arguments&) { return Errno::nosys; }},
      // No directory was opened before the program started.
      Row{"fd_prestat_get", [](Wasi&, const GuestMemory&, const Arguments&) { return Errno::badf; }},
      Row{"fd_prestat_dir_name", [](Wasi&, const GuestMemory&, const Arguments&) { return Errno::badf; }},
      Row{"fd_sync", A::on_stream<Errno::success>},
      Row{"fd_datasync", A::on_stream<Errno::success>},
      Row{"fd_seek", A::on_stream<Errno::spipe>},
      Row{"fd_tell", A::on_stream<Errno::spipe>},
      Row{"fd_pread", A::on_stream<Errno::spipe>},
      Row{"fd_pwrite", A::on_stream<Errno::spipe>},
      Row{"fd_advise", A::on_stream<Errno::spipe>},
      Row{"fd_allocate", A::on_stream<Errno::spipe>},
      Row{"fd_filestat_set_size", A::on_stream<Errno::inval>},
      Row{"fd_filestat_set_times", A::on_stream<Errno::notsup>},
      Row{"fd_fdstat_set_flags", A::on_stream<Errno::notsup>},
      Row{"fd_fdstat_set_rights", A::on_stream<Errno::notsup>},
      Row{"fd_renumber", A::on_stream<Errno::notsup>},
      Row{"fd_readdir", A::on_stream<Errno::notdir>},
      Row{"path_create_directory", A::on_stream<Errno::notdir>},
      Row{"path_filestat_get", A::on_stream<Errno::notdir>},
      Row{"path_filestat_set_times", A::on_stream<Errno::notdir>},
      Row{"path_link", A::on_stream<Errno::notdir>},
      Row{"path_open", A::on_stream<Errno::notdir>},
      Row{"path_readlink", A::on_stream<Errno::notdir>},
      Row{"path_remove_directory", A::on_stream<Errno::notdir>},
      Row{"path_rename", A::on_stream<Errno::notdir>},
      Row{"path_symlink", A::on_stream<Errno::notdir, 2>},
      Row{"path_unlink_file", A::on_stream<Errno::notdir>},
      Row{"sock_accept", A::on_stream<Errno::notsock>},
      Row{"sock_recv", A::on_stream<Errno::notsock>},
      Row{"sock_send", A::on_stream<Errno::notsock>},
      Row{"sock_shutdown", A::on_stream<Errno::notsock>},
  };
  const auto* row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == name; });
  DUGNAD_ASSERT(row != rows.end(), "no answer to " + std::string(name));
  return row->answer;
}

}  // namespace dugnad::worker::cage
