#include "dugnad/swarm.h"

#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "coordinatorless/core/contact.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/store/data_dir.h"
#include "sdk/cages.h"
#include "sdk/job_control.h"
#include "sdk/module_image.h"
#include "sdk/request.h"
#include "sdk/resume.h"
#include "sdk/session.h"
#include "sdk/sought_jobs.h"
#include "worker/control_server.h"
#include "worker/node.h"

namespace dugnad::sdk {
namespace {

const std::string no_root_of_trust = "a confidence wants this program to compute too, since that settles every dispute, and it cannot: ";

/// This machine's worker, where it runs and can be dialled.
std::optional<std::string> local_worker(const std::string& data) {
  const auto dir = store::DataDir::open(data);
  if (!dir) return std::nullopt;
  const auto contact = worker::ask_contact(dir->path());
  if (!contact || !core::Contact::parse(*contact)) return std::nullopt;
  return *contact;
}

/// Whether earlier runs met anybody.
Result<bool> remembers(const worker::Node& node) {
  if (node.store() == nullptr) return false;
  const auto contacts = node.store()->contacts();
  if (!contacts) return contacts.error();
  return !contacts->empty();
}

Bytes as_standard_input(Bytes input) { return tasks::wasm::encode({.arguments = {}, .standard_input = std::move(input)}); }

std::string names_of(const tasks::TaskTable& table) {
  std::string names;
  for (const auto& [name, task] : table.all()) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "none" : names;
}

worker::NodeOptions node_options(const SwarmOptions& options, worker::Launcher* launcher) {
  worker::NodeOptions node;
  node.swarm = options.swarm;
  node.swarm_secret = options.swarm_secret;
  node.listen = options.listen;
  node.advertise = options.advertise;
  node.join = options.join;
  node.upload_per_second = options.upload;
  node.download_per_second = options.download;
  node.cache_bytes = options.cache;
  node.data = options.data;
  node.role = submitter_role;
  node.role_most = swarms_per_data_dir_max;
  node.journal = options.journal;
  node.slots = options.local;
  node.code.modules = launcher != nullptr;
  node.launcher = launcher;
  for (const auto& [name, task] : options.tasks.all()) {
    if (task.run) node.tasks.add(task);
  }
  if (options.log) {
    node.log = [log = options.log](worker::LogLevel level, const std::string& line) {
      if (level == worker::LogLevel::warning || level == worker::LogLevel::error) log(line);
    };
  }
  return node;
}

}  // namespace

class Swarm::Impl {
 public:
  Impl(Cages cages, std::unique_ptr<worker::Node> node, SwarmOptions options)
      : cages_(std::move(cages)), node_(std::move(node)), local_(options.local), table_(std::move(options.tasks)), log_(std::move(options.log)) {
    for (const std::string& text : options.join) {
      if (const auto contact = core::Contact::parse(text)) joined_[contact->peer] = contact->host_port;
    }
    worker::NodeHooks hooks;
    hooks.notice = [this](core::Effect effect) { on_notice(std::move(effect)); };
    hooks.link = [this](const core::Event& event) { on_link(event); };
    node_->start(std::move(hooks));
    open_control();
  }

  ~Impl() {
    control_.reset();
    sought_.give_up();
    const auto sessions = all_sessions();
    for (const auto& session : sessions) session->stop_cutting();
    // What comes in until the end is journalled and still reaches its job.
    node_->leave();
    node_->wait();
    for (const auto& session : sessions) session->leave();
  }

  Result<const tasks::Task*> find(const std::string& name) const {
    const tasks::Task* task = table_.find(name);
    if (task == nullptr) return Error{"there is no task \"" + name + "\"; there are: " + names_of(table_)};
    return task;
  }

  Result<void> computes_modules() const {
    if (cages_.launcher) return {};
    return Error{cages_.none_because.empty() ? "it was told not to" : cages_.none_because};
  }

  Result<Job> begin(const Recipe& recipe, Source source, const JobOptions& options) {
    if (recipe.confidence && local_ == 0) return Error{no_root_of_trust + "`local` is 0"};
    if (const auto able = may_have_stewards(recipe); !able) return able.error();
    auto prepared = prepare(recipe, options);
    if (!prepared) return prepared.error();
    source.checked = checks(recipe);
    source.stored_output = options.stored_output;
    auto known = place(options.known, prepared->job.id, source);
    if (!known) return known.error();
    source.known = *std::move(known);
    return begin_prepared(*std::move(prepared), std::move(source));
  }

  /// Whether this program checks the results of a job: of a task that is not a module.
  [[nodiscard]] bool checks(const Recipe& recipe) const {
    const tasks::Task* task = table_.find(recipe.task);
    return recipe.confidence && local_ > 0 && task != nullptr && task->run && task->check;
  }

  Result<Job> begin(const Module& module, const Recipe& recipe, Source source, const JobOptions& options) {
    if (const auto able = computes_modules(); recipe.confidence && !able) return Error{no_root_of_trust + able.error().message};
    if (const auto able = may_have_stewards(recipe); !able) return able.error();
    auto id = node_->keep(module.image().packed);
    if (!id) return id.error();
    KeptBlob kept(*node_, *id);
    auto prepared = prepare(recipe, options);
    if (!prepared) return prepared.error();
    prepared->module = std::move(kept);
    if (!cages_.none_because.empty() && log_) {
      log_("modules are computed by others alone, not by this program: " + std::exchange(cages_.none_because, {}));
    }
    source.commands = module.kind() == Module::Kind::command;
    source.checked = recipe.confidence && module.image().has_check;
    source.stored_output = options.stored_output;
    std::vector<KnownAnswer> answers = options.known;
    if (source.commands) {
      for (KnownAnswer& answer : answers) answer.input = as_standard_input(std::move(answer.input));
    }
    auto known = place(std::move(answers), prepared->job.id, source);
    if (!known) return known.error();
    source.known = *std::move(known);
    return begin_prepared(*std::move(prepared), std::move(source));
  }

  /// Where the known answers of a job stand.
  Result<KnownUnits> place(std::vector<KnownAnswer> known, const JobId& job, const Source& source) const {
    if (known.empty()) return KnownUnits();
    const auto keys = node_->owner_keys();
    if (!keys) return keys.error();
    const Hash secret = Hasher().add(view_of("dugnad/known-answers")).add(keys->sign_seed).add(job.view()).finish();
    return KnownUnits(std::move(known), secret, source.plan ? source.plan->units_expected() : std::nullopt);
  }

  Result<Job> begin_prepared(Prepared prepared, Source source) {
    auto session = std::make_shared<Session>(*node_, std::move(prepared), std::move(source));
    let_go_of_ended();
    std::vector<Notice> earlier;
    {
      const std::lock_guard lock(mutex_);
      sessions_[session->id()] = session;
      for (const auto& [peer, notice] : unreachable_) earlier.push_back(notice);
    }
    for (Notice& notice : earlier) session->mailbox().say(std::move(notice));
    session->start();
    return Job(std::move(session));
  }

  Result<void> fetch(const JobId& job, std::chrono::milliseconds patience) { return sought_.fetch(*node_, job, patience); }

  worker::Node& node() { return *node_; }

 private:
  void open_control() {
    if (node_->name().empty()) return;
    auto control = worker::ControlServer::open(node_->data_dir() + "/" + control_name_of(node_->name()),
                                               [this](const worker::ControlRequest& asked) { return answer(asked); });
    if (control) {
      control_ = *std::move(control);
    } else if (log_) {
      log_(control.error().message + "; other programs can neither ask how this one's jobs stand nor cancel them");
    }
  }

  [[nodiscard]] Result<void> may_have_stewards(const Recipe& recipe) const {
    if (recipe.stewards == 0 || node_->store() != nullptr) return {};
    return Error{"stewards want a journal, whose owner's key they know the job's owner by"};
  }

  /// On the control socket's thread.
  worker::ControlAnswer answer(const worker::ControlRequest& asked) {
    const auto job = JobId::from_hex(asked.argument);
    const auto session = job ? session_of(*job) : nullptr;
    return answer_for(session.get(), asked);
  }

  /// The unfinished job of that recipe, or a new one.
  Result<Prepared> prepare(const Recipe& recipe, const JobOptions& options) {
    if (options.resume || !options.resume_only.empty()) {
      auto unfinished = find_unfinished(*node_, recipe, options.resume_only);
      if (!unfinished) return unfinished.error();
      if (*unfinished) return **std::move(unfinished);
    }
    if (!options.resume_only.empty()) {
      return Error{"cannot resume job " + options.resume_only +
                   ": its program, its inputs' beginning or its options are others now, it has ended, or a running program works on it"};
    }
    return prepare_new(*node_, recipe);
  }

  std::vector<std::shared_ptr<Session>> all_sessions() {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Session>> sessions;
    for (const auto& [id, session] : sessions_) sessions.push_back(session);
    return sessions;
  }

  std::shared_ptr<Session> session_of(const JobId& job) {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(job);
    return found == sessions_.end() ? nullptr : found->second;
  }

  /// Their users keep them as long as they like.
  void let_go_of_ended() {
    std::vector<std::shared_ptr<Session>> ended;
    {
      const std::lock_guard lock(mutex_);
      for (auto at = sessions_.begin(); at != sessions_.end();) {
        if (at->second->over()) {
          ended.push_back(std::move(at->second));
          at = sessions_.erase(at);
        } else {
          ++at;
        }
      }
    }
    // Without the lock: this waits for whoever asks for progress just now, and they wait for the protocol's thread.
    for (const auto& session : ended) session->leave();
  }

  // --- The protocol's thread ---

  void on_notice(core::Effect effect) {
    if (auto* results = std::get_if<core::DeliverResults>(&effect)) {
      if (const auto session = session_of(results->job)) session->accepted(std::move(results->units));
    } else if (const auto* ended = std::get_if<core::JobEnded>(&effect)) {
      if (const auto session = session_of(ended->job)) session->ended(ended->state);
    } else if (const auto* outvoted = std::get_if<core::DonorOutvoted>(&effect)) {
      say_of_unit(outvoted->job, {.kind = Notice::Kind::outvoted, .peer = outvoted->donor.hex(), .unit = 0, .reason = {}}, outvoted->unit);
    } else if (const auto* convicted = std::get_if<core::DonorConvicted>(&effect)) {
      Notice notice{.kind = Notice::Kind::convicted, .peer = convicted->donor.hex(), .unit = 0, .reason = {}};
      notice.branded = convicted->branded;
      say_of_unit(convicted->job, std::move(notice), convicted->unit);
    } else if (const auto* wrong = std::get_if<core::KnownAnswerWrong>(&effect)) {
      say_of_unit(wrong->job, {.kind = Notice::Kind::known_answer_wrong, .peer = {}, .unit = 0, .reason = {}}, wrong->unit);
    } else if (const auto* cost = std::get_if<core::CostExpected>(&effect)) {
      Notice notice{.kind = Notice::Kind::cost_expected, .peer = {}, .unit = 0, .reason = {}};
      notice.cost = {cost->units, cost->quiet, cost->attacked, cost->own, cost->checked};
      say(cost->job, std::move(notice));
    } else if (const auto* held = std::get_if<core::UnitsHeld>(&effect)) {
      if (const auto session = session_of(held->job)) session->held(held->units);
    } else if (const auto* nobody = std::get_if<core::NobodyToCompute>(&effect)) {
      say(nobody->job, {.kind = Notice::Kind::nobody_to_compute, .peer = {}, .unit = 0, .reason = {}});
    } else if (const auto* back = std::get_if<core::DonorsBack>(&effect)) {
      say(back->job, {.kind = Notice::Kind::donors_back, .peer = {}, .unit = 0, .reason = {}});
    } else if (const auto* hold = std::get_if<core::StewardsHold>(&effect)) {
      Notice notice{.kind = Notice::Kind::stewards, .peer = {}, .unit = 0, .reason = {}};
      notice.stewards = hold->stewards;
      notice.stewards_wanted = hold->wanted;
      say(hold->job, std::move(notice));
    } else if (auto* found = std::get_if<core::JobFound>(&effect)) {
      sought_.found(std::move(*found));
    }
  }

  void say(const JobId& job, Notice notice) {
    if (const auto session = session_of(job)) session->mailbox().say(std::move(notice));
  }

  void say_of_unit(const JobId& job, Notice notice, UnitIndex unit) {
    const auto session = session_of(job);
    if (!session) return;
    session->name_unit(notice, unit);
    session->mailbox().say(std::move(notice));
  }

  void on_link(const core::Event& event) {
    if (const auto* up = std::get_if<core::PeerConnected>(&event)) {
      linked_.insert(up->peer);
      const std::lock_guard lock(mutex_);
      unreachable_.erase(up->peer);
    } else if (const auto* down = std::get_if<core::PeerLost>(&event)) {
      linked_.erase(down->peer);
    } else if (const auto* failed = std::get_if<core::DialFailed>(&event)) {
      on_unreachable(*failed);
    }
  }

  /// Said once for each contact that was given, and only where nobody else stands in for it.
  void on_unreachable(const core::DialFailed& failed) {
    const auto joined = joined_.find(failed.peer);
    if (joined == joined_.end() || !linked_.empty()) return;
    const Notice notice{.kind = Notice::Kind::unreachable, .peer = joined->second, .unit = 0, .reason = failed.reason};
    {
      const std::lock_guard lock(mutex_);
      if (!unreachable_.try_emplace(failed.peer, notice).second) return;
    }
    for (const auto& session : all_sessions()) session->mailbox().say(notice);
  }

  // Constant after construction.
  Cages cages_;  // outlives the node
  const std::unique_ptr<worker::Node> node_;
  const unsigned local_;
  const tasks::TaskTable table_;
  const std::function<void(const std::string&)> log_;
  std::map<PeerId, std::string> joined_;  // HOST:PORT as given

  // The protocol's thread.
  std::set<PeerId> linked_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::map<JobId, std::shared_ptr<Session>> sessions_;
  std::map<PeerId, Notice> unreachable_;

  SoughtJobs sought_;

  std::unique_ptr<worker::ControlServer> control_;  // the first to go, since its thread calls this object
};

Result<Swarm> Swarm::join(SwarmOptions options) {
  if (options.local > core::limits::slots_max) {
    return Error{"local is " + std::to_string(options.local) + ", and may be 0 to " + std::to_string(core::limits::slots_max)};
  }
  if (options.cache != 0 && options.cache < core::limits::blob_bytes_max) return Error{"cache is at least 64 MiB, since one output may have as much"};
  const bool asked = !options.join.empty() || options.alone;
  if (!asked) {
    if (auto contact = local_worker(options.data)) options.join.push_back(*std::move(contact));
  }
  Cages cages = options.local > 0 && options.modules ? find_cages() : Cages{};
  auto node = worker::Node::open(node_options(options, cages.launcher.get()));
  if (!node) return node.error();
  if (!asked && options.join.empty()) {
    const auto remembered = remembers(**node);
    if (!remembered) return remembered.error();
    if (!*remembered) {
      return Error{
          "no swarm is known here: join one with --join CONTACT, which a worker prints behind `ready`, or start dugnad-worker on this "
          "machine"};
    }
  }
  return Swarm(std::make_unique<Impl>(std::move(cages), *std::move(node), std::move(options)));
}

Result<Job> Swarm::map(const std::string& task, std::vector<Bytes> inputs, JobOptions options) {
  const auto found = impl_->find(task);
  if (!found) return found.error();
  auto recipe = recipe_of(Recipe::Kind::map, **found, options);
  if (!recipe) return recipe.error();
  auto source = known_inputs(std::move(inputs), *recipe);
  if (!source) return source.error();
  return impl_->begin(*recipe, *std::move(source), options);
}

Result<Job> Swarm::map(const std::string& task, Inputs<Bytes> next, JobOptions options) {
  const auto found = impl_->find(task);
  if (!found) return found.error();
  auto recipe = recipe_of(Recipe::Kind::stream, **found, options);
  if (!recipe) return recipe.error();
  auto source = coming_inputs(std::move(next), options, *recipe);
  if (!source) return source.error();
  return impl_->begin(*recipe, *std::move(source), options);
}

Result<Job> Swarm::map(const Module& module, std::vector<Bytes> inputs, JobOptions options) {
  auto recipe = recipe_of(Recipe::Kind::map, module, options);
  if (!recipe) return recipe.error();
  if (module.kind() == Module::Kind::command) {
    for (Bytes& input : inputs) input = as_standard_input(std::move(input));
  }
  auto source = known_inputs(std::move(inputs), *recipe);
  if (!source) return source.error();
  return impl_->begin(module, *recipe, *std::move(source), options);
}

Result<Job> Swarm::map(const Module& module, Inputs<Bytes> next, JobOptions options) {
  if (module.kind() == Module::Kind::command) {
    return map_commands(
        module,
        [next = std::move(next)]() -> Result<std::optional<CommandUnit>> {
          auto input = next();
          if (!input) return input.error();
          if (!*input) return std::optional<CommandUnit>();
          return std::optional(CommandUnit{.arguments = {}, .standard_input = **std::move(input)});
        },
        std::move(options));
  }
  auto recipe = recipe_of(Recipe::Kind::stream, module, options);
  if (!recipe) return recipe.error();
  auto source = coming_inputs(std::move(next), options, *recipe);
  if (!source) return source.error();
  return impl_->begin(module, *recipe, *std::move(source), options);
}

Result<Job> Swarm::map_commands(const Module& module, Inputs<CommandUnit> next, JobOptions options) {
  if (module.kind() != Module::Kind::command) return Error{module.name() + " is a reactor, whose units have no arguments"};
  auto recipe = recipe_of(Recipe::Kind::stream, module, options);
  if (!recipe) return recipe.error();
  auto encoded = [next = std::move(next)]() -> Result<std::optional<Bytes>> {
    auto unit = next();
    if (!unit) return unit.error();
    if (!*unit) return std::optional<Bytes>();
    return std::optional(tasks::wasm::encode(**unit));
  };
  auto source = coming_inputs(std::move(encoded), options, *recipe);
  if (!source) return source.error();
  return impl_->begin(module, *recipe, *std::move(source), options);
}

Result<Job> Swarm::run(const std::string& task, const tasks::Parameters& parameters, JobOptions options) {
  const auto found = impl_->find(task);
  if (!found) return found.error();
  if (!(*found)->plan) return Error{task + " does not split itself; it is mapped over inputs"};
  auto recipe = recipe_of(Recipe::Kind::run, **found, options);
  if (!recipe) return recipe.error();
  auto checked = check_parameters(**found, parameters);
  if (!checked) return checked.error();
  recipe->parameters = *checked;
  return impl_->begin(*recipe, {.plan = (*found)->plan(*checked), .combines = true}, options);
}

Result<Job> Swarm::open(const std::string& task, JobOptions options) {
  const auto found = impl_->find(task);
  if (!found) return found.error();
  const auto recipe = recipe_of(Recipe::Kind::open, **found, options);
  if (!recipe) return recipe.error();
  return impl_->begin(*recipe, {}, options);
}

Result<Job> Swarm::open(const Module& module, JobOptions options) {
  const auto recipe = recipe_of(Recipe::Kind::open, module, options);
  if (!recipe) return recipe.error();
  return impl_->begin(module, *recipe, {}, options);
}

Result<void> Swarm::fetch(const std::string& job, std::chrono::milliseconds patience) {
  const auto id = JobId::from_hex(job);
  if (!id) return Error{"cannot fetch job " + job + ": an id is 64 lower-case hex digits"};
  return impl_->fetch(*id, patience);
}

Result<Job> Swarm::resume(const std::string& job) {
  auto named = take_up_named(impl_->node(), job);
  if (!named) return named.error();
  const Recipe& recipe = named->recipe;
  const auto found = impl_->find(recipe.task);
  if (!found) return found.error();
  const tasks::Task& task = **found;
  if (task.version != recipe.task_version || !task.plan) {
    return Error{"cannot resume job " + job + ": it was begun with version " + std::to_string(recipe.task_version) + " of " + task.name};
  }
  const auto checked = check_parameters(task, recipe.parameters);
  if (!checked) return checked.error();
  const bool checks = impl_->checks(recipe);
  return impl_->begin_prepared(std::move(named->prepared), {.plan = task.plan(*checked), .combines = true, .checked = checks});
}

Result<void> Swarm::computes_modules() const { return impl_->computes_modules(); }

std::vector<Peer> Swarm::peers() const {
  std::vector<Peer> peers;
  for (const core::PeerInfo& info : impl_->node().peers()) {
    peers.push_back({info.peer.hex(), info.endpoint ? info.endpoint->text() : "", info.connected, info.donates});
  }
  return peers;
}

std::string Swarm::contact() const { return impl_->node().contact(); }

Swarm::Swarm(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Swarm::~Swarm() = default;
Swarm::Swarm(Swarm&&) noexcept = default;
Swarm& Swarm::operator=(Swarm&&) noexcept = default;

}  // namespace dugnad::sdk
