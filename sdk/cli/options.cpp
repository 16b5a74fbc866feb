#include "sdk/cli/options.h"

#include <memory>

#include "coordinatorless/core/contact.h"
#include "coordinatorless/core/limits.h"
#include "coordinatorless/core/swarm_name.h"
#include "coordinatorless/zmq/resolve.h"
#include "worker/run_worker_sizes.h"

namespace dugnad::sdk::cli {
namespace {

constexpr std::size_t names_width = 30;
constexpr std::size_t text_width = 90;

/// CLI11's help, its explanations broken into lines.
class HelpFormat final : public CLI::Formatter {
 public:
  HelpFormat() { column_width(names_width); }

 private:
  std::string make_option_desc(const CLI::Option* option) const override {
    std::string text = option->get_description();
    std::size_t line = 0;
    for (std::size_t blank = text.find(' '); blank != text.npos; blank = text.find(' ', blank + 1)) {
      const std::size_t word_end = std::min(text.find(' ', blank + 1), text.size());
      if (word_end - line <= text_width) continue;
      text[blank] = '\n';
      line = blank + 1;
    }
    return text;
  }
};

}  // namespace

std::optional<ExitCode> parse(CLI::App& app, Arguments arguments) {
  app.formatter(std::make_shared<HelpFormat>());
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::Success& asked) {
    return static_cast<ExitCode>(app.exit(asked));
  } catch (const CLI::ParseError& wrong) {
    return fail(ExitCode::bad_usage, std::string(wrong.what()) + " (" + app.get_name() + " --help lists the options)");
  }
  return std::nullopt;
}

void add_swarm_options(CLI::App& app, SwarmOptions& options) {
  const std::string group = "Swarm";
  app.add_option(
         "--join", options.join,
         "A peer of the swarm, as its 'ready' line says: tcp://HOST:PORT/PEERID/CURVE. May be given several times; one that is reached is "
         "enough. Without it: this machine's worker, then whoever is remembered from earlier runs.")
      ->type_name("CONTACT")
      ->expected(1)
      ->take_all()
      ->group(group);
  app.add_option(
         "--swarm", options.swarm,
         "Which swarm to take part in. Peers of different swarms never talk. Default: public. NAME:BITS where the swarm asks for more or "
         "less work than usual of whoever submits jobs to it; 0: none.")
      ->type_name("NAME[:BITS]")
      ->group(group);
  app.add_option(
         "--swarm-secret", options.swarm_secret,
         "A private swarm: only those with the same secret take part, and nobody needs to prove work. FILE holds it, 16 bytes or more, "
         "readable by you alone.")
      ->type_name("FILE")
      ->group(group);
  app.add_option(
         "--listen", options.listen,
         "Where others may dial this program: tcp://HOST:PORT, port 0 for any, HOST * for all addresses. 'none': not at all; it works "
         "through the connections that it dials.")
      ->type_name("tcp://HOST:PORT|none")
      ->group(group);
  app.add_option("--advertise", options.advertise, "The address under which others reach --listen, where a router forwards a port.")
      ->type_name("tcp://HOST:PORT")
      ->group(group);
}

void add_rate_options(CLI::App& app, SwarmOptions& options) {
  const auto rate = [&app](const char* name, std::uint64_t& bytes, const char* what) {
    app.add_option(name, bytes, what)->type_name("RATE")->transform(worker::size_value())->group("Swarm");
  };
  rate("--upload", options.upload,
       "How much programs and large data may take of the line on their way to others, in bytes a second, as in 500K or 2MiB. Default: no limit.");
  rate("--download", options.download, "The same, of what comes from others.");
}

void add_cache_option(CLI::App& app, SwarmOptions& options) {
  app.add_option("--cache", options.cache, "How much of the disk programs and large data may take in --data, from 64M. Default: 1 GiB.")
      ->type_name("SIZE")
      ->transform(worker::size_value());
}

void add_data_option(CLI::App& app, std::string& data) {
  app.add_option("--data", data, "Where keys and the journal are kept. Default: $XDG_DATA_HOME/dugnad, else ~/.local/share/dugnad.")
      ->type_name("DIR");
}

Result<void> check_swarm_options(const SwarmOptions& options) {
  if (options.swarm.empty()) return Error{"--swarm wants a name"};
  if (options.cache != 0 && options.cache < core::limits::blob_bytes_max) return Error{"--cache is at least 64M, since one output may have as much"};
  if (const auto swarm = core::SwarmName::parse(options.swarm); !swarm) return Error{"--swarm: " + swarm.error().message};
  if (!options.listen.empty()) {
    if (const auto listen = zmq::parse_listen(options.listen); !listen) return listen.error();
  }
  if (!options.advertise.empty()) {
    if (options.listen == "none")
      return Error{"--advertise says where others reach this program, and --listen none that nobody does; drop one"};
    if (const auto advertise = zmq::parse_advertise(options.advertise); !advertise) return advertise.error();
  }
  for (const std::string& contact : options.join) {
    if (const auto parsed = core::Contact::parse(contact); !parsed) return Error{"--join: " + parsed.error().message};
  }
  return {};
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

}  // namespace dugnad::sdk::cli
