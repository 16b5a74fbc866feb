#include "worker/run_worker_options.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <utility>

#include "coordinatorless/core/contact.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/swarm_name.h"
#include "coordinatorless/zmq/resolve.h"
#include "worker/run_worker_sizes.h"

namespace dugnad::worker {
namespace {

constexpr int bad_usage = 2;

/// What contract.md promises and this version does not do yet. Accepted as names, so that the answer says so.
struct Later {
  std::string http;
};

/// What needs more than CLI11 to be understood.
struct Typed {
  unsigned cores = 0;
  unsigned percent = 0;
  std::uint64_t memory = 0;
  std::vector<std::string> allow;
};

/// CLI11 indents the lines of a description and leaves breaking them to us.
std::string wrapped(std::string text, std::size_t width = 76) {
  std::size_t start = 0;
  while (text.size() - start > width) {
    const auto space = text.rfind(' ', start + width);
    if (space == text.npos || space <= start) break;
    text[space] = '\n';
    start = space + 1;
  }
  return text;
}

std::string names_of(const tasks::TaskTable& tasks) {
  std::string names;
  for (const auto& [name, task] : tasks.all()) names += (names.empty() ? "" : ", ") + name;
  return names;
}

void describe(CLI::App& app, WorkerOptions& options, Typed& typed, Later& later) {
  const std::string swarm = "Swarm";
  app.add_option("--swarm", options.swarm,
                 wrapped("Which swarm to take part in. Peers of different swarms never talk. NAME:BITS where the swarm asks for more or less "
                         "work than usual of whoever submits jobs to it; 0: none."))
      ->type_name("NAME[:BITS]")
      ->capture_default_str()
      ->group(swarm);
  app.add_option("--swarm-secret", options.swarm_secret,
                 wrapped("A private swarm: only those with the same secret take part, and nobody needs to prove work. FILE holds it, 16 bytes "
                         "or more, readable by you alone."))
      ->type_name("FILE")
      ->group(swarm);
  app.add_option(
         "--join", options.join,
         wrapped("A peer of the swarm, as its 'ready' line says: tcp://HOST:PORT/PEERID/CURVE. May be given several times; one that is "
                 "reached is enough. Without it: whoever is remembered from earlier runs."))
      ->type_name("CONTACT")
      ->expected(1)
      ->take_all()
      ->group(swarm);

  const std::string network = "Network";
  app.add_option(
         "--listen", options.listen,
         wrapped("Where others may dial this worker: tcp://HOST:PORT, port 0 for any, HOST * for all addresses. 'none': not at all; it "
                 "donates through the connections that it dials, and its contact then reads tcp://0.0.0.0:0/..., which nobody can join "
                 "through. Default: last time's port, else 4210, else any."))
      ->type_name("tcp://HOST:PORT|none")
      ->group(network);
  app.add_option("--advertise", options.advertise,
                 wrapped("The address under which others reach --listen, where a router forwards a port. Default: this machine's own."))
      ->type_name("tcp://HOST:PORT")
      ->group(network);
  const auto rate = [&app, &network](const char* name, std::uint64_t& bytes, const char* what) {
    app.add_option(name, bytes, wrapped(what))
        ->type_name("RATE")
        ->transform(size_value())
        ->group(network);
  };
  rate("--upload", options.upload,
       "How much programs and large data may take of the line on their way to others, in bytes a second, as in 500K or 2MiB. Default: no limit.");
  rate("--download", options.download, "The same, of what comes from others.");
  app.add_option("--http", later.http, wrapped("Metrics and a page to look at. Not in this version."))
      ->type_name("HOST:PORT")
      ->group(network);

  const std::string share = "What to donate";
  app.add_option("--cores", typed.cores, wrapped("How many units to compute at once; 0: as many as there are processors."))
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str()
      ->group(share);
  app.add_option("--cpu", typed.percent,
                 wrapped("The share of these that may run, in percent. Units always yield to whatever else the machine does."))
      ->type_name("PERCENT")
      ->check(whole_number())
      ->capture_default_str()
      ->group(share);
  app.add_option("--memory", typed.memory,
                 wrapped("What strangers' units together may take of memory, as in 512M or 2GiB, in equal shares; programs that want more for "
                         "a unit are left alone. Default: half of the machine's."))
      ->type_name("SIZE")
      ->transform(size_value())
      ->group(share);
  app.add_option("--allow", typed.allow,
                 wrapped("Whose programs to run besides the tasks that this worker brings along: 'any', everybody's, each in a cage without "
                         "network, files or privileges; 'builtin', nobody's; KEY, those of one owner (64 hex digits, as `dugnad id` prints "
                         "it; may be given several times). Default: any where every layer of the cage works, else builtin."))
      ->type_name("builtin|any|KEY")
      ->expected(1)
      ->take_all()
      ->group(share);

  app.add_option("--steward", options.steward,
                 wrapped("Hold jobs of others while their submitters are away, and lease their units out, within so many bytes of memory, as in "
                         "64M. What stewards hold is believed by nobody who has not checked it. Default: 0, none."))
      ->type_name("SIZE")
      ->transform(size_value())
      ->group(share);

  const std::string keeping = "Files and log";
  app.add_option("--data", options.data,
                 wrapped("Where keys and what is remembered are kept. Default: $XDG_DATA_HOME/dugnad, else ~/.local/share/dugnad."))
      ->type_name("DIR")
      ->group(keeping);
  app.add_option("--cache", options.cache, wrapped("How much of the disk programs and large data may take there, from 64M. Default: 1 GiB."))
      ->type_name("SIZE")
      ->transform(size_value())
      ->group(keeping);
  app.set_config("--config", "", "Read options from FILE (TOML: one `name = value` a line). The command line wins.")
      ->type_name("FILE")
      ->group(keeping);
  app.add_flag("--log-json", options.log_json, wrapped("Log one JSON object a line instead of text. The log goes to stderr either way."))
      ->group(keeping);
}

Result<void> check_later(const Later& later) {
  if (!later.http.empty()) return Error{"--http is not in this version"};
  return {};
}

Result<void> check(WorkerOptions& options, const Typed& typed, const Later& later) {
  if (auto here = check_later(later); !here) return here;
  if (options.swarm.empty()) return Error{"--swarm wants a name"};
  if (const auto swarm = core::SwarmName::parse(options.swarm); !swarm) return Error{"--swarm: " + swarm.error().message};
  if (!options.listen.empty()) {
    if (const auto listen = zmq::parse_listen(options.listen); !listen) return listen.error();
  }
  if (!options.advertise.empty()) {
    if (options.listen == "none")
      return Error{"--advertise says where others reach this worker, and --listen none that nobody does; drop one"};
    if (const auto advertise = zmq::parse_advertise(options.advertise); !advertise) return advertise.error();
  }
  for (const std::string& contact : options.join) {
    if (const auto parsed = core::Contact::parse(contact); !parsed) return Error{"--join: " + parsed.error().message};
  }
  if (options.cache != 0 && options.cache < core::limits::blob_bytes_max) return Error{"--cache is at least 64M, since one output may have as much"};
  const auto preferences = check_preferences(typed.cores, typed.percent, typed.memory);
  if (!preferences) return preferences.error();
  options.preferences = *preferences;
  auto allow = parse_allow(typed.allow);
  if (!allow) return allow.error();
  options.allow = *std::move(allow);
  return {};
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

ExitNow refuse(const std::string& reason) {
  std::cerr << "dugnad-worker: " << one_line(reason) << " (dugnad-worker --help lists the options)\n";
  return {bad_usage};
}

}  // namespace

std::variant<WorkerOptions, ExitNow> parse_worker_options(int argc, char** argv, const tasks::TaskTable& tasks) {
  WorkerOptions options;
  Later later;
  Typed typed{.cores = options.preferences.cores, .percent = options.preferences.cpu_percent, .memory = 0, .allow = {}};
  CLI::App app(
      "dugnad-worker donates CPU time that nobody else on this machine wants to a swarm of volunteers without a server.\n"
      "No option is needed. When it is ready it prints one line on stdout, 'ready CONTACT', which others pass to --join.\n"
      "SIGTERM or SIGINT: it finishes or returns what it is computing, within 5 s; a second signal stops it at once.\n"
      "Exit codes: 0 stopped, 1 the environment refuses, 2 bad usage.");
  app.name("dugnad-worker");
  app.set_version_flag("--version", "dugnad-worker " DUGNAD_VERSION);
  app.footer("Tasks that this worker knows: " + names_of(tasks) + ".");
  app.allow_config_extras(CLI::config_extras_mode::error);
  describe(app, options, typed, later);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help and --version
    return ExitNow{app.exit(asked)};
  } catch (const CLI::FileError& wrong) {
    return refuse(std::string("--config: ") + wrong.what());
  } catch (const CLI::ConfigError& wrong) {
    return refuse(std::string("--config: the file names an option that there is not, or is no TOML: ") + wrong.what());
  } catch (const CLI::ParseError& wrong) {
    return refuse(wrong.what());
  }
  if (const auto checked = check(options, typed, later); !checked) return refuse(checked.error().message);
  return options;
}

}  // namespace dugnad::worker
