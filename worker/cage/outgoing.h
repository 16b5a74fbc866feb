// Outgoing: a cage's frames on their way to its worker. Results of short units are gathered, so that a wake-up of the worker serves many; a timer
// lets none wait longer than a millisecond, however long the next unit takes: by what it has got the worker knows which unit runs.
#pragma once

#include "worker/cage/wire.h"

namespace dugnad::worker::cage {

/// One a process, since the timer is. Any failure to write ends the process: nobody is there to hear of it.
class Outgoing {
 public:
  explicit Outgoing(int socket);
  ~Outgoing() = delete;  // for the life of the process: the timer's signal may come at any time

  void add(Kind kind, ByteView head, ByteView tail = {});
  void flush();

 private:
  static void on_timer(int);

  const int socket_;
  Bytes gathered_;
};

}  // namespace dugnad::worker::cage
