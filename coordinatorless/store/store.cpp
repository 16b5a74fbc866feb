#include "coordinatorless/store/store.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "coordinatorless/base/panic.h"
#include "coordinatorless/store/check.h"
#include "coordinatorless/store/journal.h"

namespace dugnad::store {
namespace {

constexpr std::chrono::seconds retry_after{1};
// A checkpoint copies pages and flushes twice, so it waits for a quiet moment; yet the log is bounded. Few pages at a time: the log's blocks
// are used again and again, which makes commits fast, and a commit that finds a checkpoint under way waits for some milliseconds at most.
constexpr int checkpoint_when_quiet_pages = 250;
constexpr int checkpoint_now_pages = 2000;
constexpr std::chrono::milliseconds quiet{20};

}  // namespace

class Store::Impl {
 public:
  Impl(std::string path, std::unique_ptr<Journal> journal) : path_(std::move(path)), journal_(std::move(journal)) {}

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  /// After construction, so that the thread finds every member in place.
  void start() {
    thread_ = std::thread([this] { run(); });
  }

  void write(QueuedRows rows) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(rows));
      ++queued_count_;
    }
    changed_.notify_one();
  }

  void flush() {
    std::unique_lock lock(mutex_);
    tried_.wait(lock, [this, until = queued_count_] { return tried_count_ >= until; });
  }

  /// A connection of its own for each question: questions are few, and the store's thread keeps its connection to itself.
  template <class Ask>
  auto read(Ask ask) const -> decltype(ask(std::declval<Journal&>())) {
    const Result<std::unique_ptr<Journal>> journal = Journal::open_for_reading(path_);
    if (!journal) return journal.error();
    return ask(**journal);
  }

  std::function<void(PersistSeq)> on_committed;
  std::function<void(const std::string&)> on_trouble;
  [[nodiscard]] bool writes() const { return journal_ != nullptr; }

 private:
  void run() {
    std::vector<QueuedRows> pending;  // taken from the queue and not on disk
    std::string trouble;              // why the last commit failed; empty after one that went well
    bool closing = false;
    while (!closing) {
      std::uint64_t taken_until = 0;
      {
        std::unique_lock lock(mutex_);
        wait(lock, !trouble.empty());
        closing = closing_;
        if (pending.empty()) {
          pending.swap(queue_);
        } else {
          pending.insert(pending.end(), std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
          queue_.clear();
        }
        taken_until = queued_count_;
      }
      if (!pending.empty()) commit(pending, trouble);
      {
        const std::lock_guard lock(mutex_);
        tried_count_ = taken_until;
      }
      tried_.notify_all();
    }
  }

  /// Returns when there is something to do: rows, the end, or after trouble the next try.
  void wait(std::unique_lock<std::mutex>& lock, bool troubled) {
    const auto something = [this] { return !queue_.empty() || closing_; };
    if (troubled) {
      changed_.wait_for(lock, retry_after, [this] { return closing_; });
      return;
    }
    const int pages = journal_->pages_waiting();
    if (pages >= checkpoint_now_pages || (pages >= checkpoint_when_quiet_pages && !changed_.wait_for(lock, quiet, something))) {
      lock.unlock();
      journal_->checkpoint();
      lock.lock();
    }
    changed_.wait(lock, something);
  }

  void commit(std::vector<QueuedRows>& pending, std::string& trouble) {
    const Result<void> written = journal_->write(pending);
    if (!written) {
      const bool news = written.error().message != trouble;
      trouble = written.error().message;
      if (news && on_trouble) on_trouble(trouble);
      return;
    }
    trouble.clear();
    const PersistSeq last = pending.back().seq;
    if (on_committed) on_committed(last);
    pending.clear();
  }

  const std::string path_;

  // The store's thread.
  const std::unique_ptr<Journal> journal_;  // null where the store is for reading alone

  // Guarded by the mutex.
  std::mutex mutex_;
  std::condition_variable changed_;  // queue_ or closing_
  std::condition_variable tried_;    // tried_count_
  std::vector<QueuedRows> queue_;
  std::uint64_t queued_count_ = 0;  // calls of write()
  std::uint64_t tried_count_ = 0;   // of these, how many were committed or failed at least once
  bool closing_ = false;

  std::thread thread_;
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::string& path) {
  Result<std::unique_ptr<Journal>> journal = Journal::open_for_writing(path);
  if (!journal) return journal.error();
  std::unique_ptr<Store> store(new Store(std::make_unique<Impl>(path, *std::move(journal))));
  store->impl_->start();
  return store;
}

Result<std::unique_ptr<Store>> Store::open_for_reading(const std::string& path) {
  const Result<std::unique_ptr<Journal>> journal = Journal::open_for_reading(path);
  if (!journal) return journal.error();
  if (const Result<void> well = check(path); !well) return well.error();
  return std::unique_ptr<Store>(new Store(std::make_unique<Impl>(path, nullptr)));
}

void Store::on_committed(std::function<void(PersistSeq)> committed) { impl_->on_committed = std::move(committed); }
void Store::on_trouble(std::function<void(const std::string&)> trouble) { impl_->on_trouble = std::move(trouble); }

void Store::write(PersistSeq seq, std::vector<Row> rows) {
  DUGNAD_ASSERT(impl_->writes(), "this store was opened for reading");
  impl_->write(queued(seq, std::move(rows)));
}

void Store::flush() { impl_->flush(); }

Result<std::vector<StoredJob>> Store::jobs() const {
  return impl_->read([](Journal& journal) { return journal.jobs(); });
}
Result<std::vector<AcceptedUnit>> Store::accepted(const JobId& job) const {
  std::vector<AcceptedUnit> all;
  const Result<void> read =
      for_each_accepted(job, [&all](const std::vector<AcceptedUnit>& units) { all.insert(all.end(), units.begin(), units.end()); });
  if (!read) return read.error();
  return all;
}
Result<void> Store::for_each_accepted(const JobId& job, const std::function<void(const std::vector<AcceptedUnit>&)>& visit) const {
  return impl_->read([&](Journal& journal) { return journal.for_each_accepted(job, visit); });
}
Result<std::optional<PapersRow>> Store::papers(const JobId& job) const {
  return impl_->read([&job](Journal& journal) { return journal.papers(job); });
}
Result<std::vector<Bytes>> Store::evidence(const JobId& job) const {
  return impl_->read([&job](Journal& journal) { return journal.evidence(job); });
}
Result<std::vector<HeldRow>> Store::held(const JobId& job) const {
  return impl_->read([&job](Journal& journal) { return journal.held(job); });
}

Result<std::optional<Bytes>> Store::summary(const JobId& job) const {
  return impl_->read([&job](Journal& journal) { return journal.summary(job); });
}
Result<std::vector<ContactRow>> Store::contacts() const {
  return impl_->read([](Journal& journal) { return journal.contacts(); });
}
Result<std::vector<ReceiptRow>> Store::receipts() const {
  return impl_->read([](Journal& journal) { return journal.receipts(); });
}
Result<std::vector<FavourRow>> Store::favours(const SwarmId& swarm) const {
  return impl_->read([&swarm](Journal& journal) { return journal.favours(swarm); });
}
Result<std::vector<ReputationRow>> Store::reputations(const SwarmId& swarm) const {
  return impl_->read([&swarm](Journal& journal) { return journal.reputations(swarm); });
}
Result<std::vector<NoteRow>> Store::notes(NoteKind kind) const {
  return impl_->read([kind](Journal& journal) { return journal.notes(kind); });
}

}  // namespace dugnad::store
