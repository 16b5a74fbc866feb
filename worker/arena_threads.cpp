#include "worker/arena_threads.h"

#include <sched.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace dugnad::worker {
namespace {

/// Room for this many more threads in TBB, as long as it lives. TBB's limit is one for the whole process, and the least of all that were set;
/// since the bodies never give their threads back, two executors under the limit of one would leave the second without threads. So the
/// limits are added up here.
class ThreadRoom {
 public:
  explicit ThreadRoom(unsigned count) : count_(count) { change(count_, 0); }
  ~ThreadRoom() { change(0, count_); }
  ThreadRoom(const ThreadRoom&) = delete;
  ThreadRoom& operator=(const ThreadRoom&) = delete;

 private:
  struct Sum {
    std::mutex mutex;
    unsigned threads = 0;
    std::unique_ptr<tbb::global_control> limit;
  };

  static void change(unsigned more, unsigned less) {
    static Sum sum;
    const std::lock_guard lock(sum.mutex);
    sum.threads = sum.threads + more - less;
    // One more than there are workers: TBB counts the thread that enqueues, which never works here. The new limit stands before the old one goes,
    // so that there is never none.
    auto limit = sum.threads == 0 ? nullptr
                                  : std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, sum.threads + 1);
    sum.limit = std::move(limit);
  }

  const unsigned count_;
};

/// Whoever enters the arena works for others, so only when nobody else wants the processor.
class IdleClass final : public tbb::task_scheduler_observer {
 public:
  explicit IdleClass(tbb::task_arena& arena) : tbb::task_scheduler_observer(arena) { observe(true); }
  ~IdleClass() override { observe(false); }

  void on_scheduler_entry(bool) override { become(SCHED_IDLE); }
  // Leaving SCHED_IDLE takes a privilege on most systems; a thread that may not stays modest in the program's own arenas.
  void on_scheduler_exit(bool) override { become(SCHED_OTHER); }

 private:
  static void become(int policy) {
    const sched_param none{};
    (void)sched_setscheduler(0, policy, &none);  // 0: the calling thread
  }
};

/// TBB publishes a task with fences of its own, which a race detector cannot see in a TBB that was built without it. These say the same where it
/// looks: what stood before publish() is there after the receiver's receive(). Constant-initialised, so that no construction of it needs publishing.
/// Only the task object itself is read before receive(), by Enter, where the detector therefore does not look.
std::atomic<unsigned> published{0};
void publish() { published.fetch_add(1, std::memory_order_release); }
void receive() { (void)published.fetch_add(0, std::memory_order_acquire); }

}  // namespace

class ArenaThreads::Impl {
 public:
  Impl(unsigned count, std::function<void(unsigned)> body)
      : body_(std::move(body)), room_(count), arena_(static_cast<int>(count), 0), idle_class_(arena_), running_(count) {
    publish();
    for (unsigned i = 0; i < count; ++i) arena_.enqueue(Enter{this, i});
  }

  ~Impl() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  struct Enter {
    Impl* impl;
    unsigned i;
    __attribute__((no_sanitize("thread"))) void operator()() const { impl->run(i); }
  };

  void run(unsigned i) {
    receive();
    body_(i);
    const std::lock_guard lock(mutex_);  // held while notifying: the waiter destroys both
    --running_;
    ended_.notify_all();
  }

  const std::function<void(unsigned)> body_;
  ThreadRoom room_;
  tbb::task_arena arena_;  // no reserved slots: no thread but its workers ever enters
  IdleClass idle_class_;

  std::mutex mutex_;
  std::condition_variable ended_;
  unsigned running_;  // guarded by mutex_
};

ArenaThreads::ArenaThreads(unsigned count, std::function<void(unsigned)> body) : impl_(std::make_unique<Impl>(count, std::move(body))) {}
ArenaThreads::~ArenaThreads() = default;

}  // namespace dugnad::worker
