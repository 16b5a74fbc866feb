#include "sdk/cli/json_report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "sdk/cli/progress_json.h"

namespace dugnad::sdk::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto progress_interval = std::chrono::seconds(1);

void print(const Json& event) {
  // What comes from a peer need not be UTF-8.
  std::printf("%s\n", event.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

}  // namespace

void JsonReport::started(const Started& started) {
  Json event{{"event", "started"},       {"job", started.job},
             {"task", started.task},     {"parameters", started.parameters},
             {"copies", started.confidence ? Json(nullptr) : Json(started.copies)}, {"units_expected", or_null(started.units_expected)}};
  if (started.confidence) {
    event["confidence"] = started.confidence->probability;
    event["per_unit"] = started.confidence->per_unit || !started.has_answer;
    event["assume"] = started.confidence->assume;
    event["final"] = started.confidence->stream ? "stream" : "end";
  }
  if (!started.source.empty()) event["source"] = started.source;
  print(event);
}

void JsonReport::progress(const Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_progress_) return;
  next_progress_ = now + progress_interval;
  Json event{{"event", "progress"}};
  add(event, progress);
  event["units_per_second"] = progress.units_per_second;
  event["unit_seconds"] = progress.unit_seconds;
  print(event);
}

void JsonReport::outvoted(const std::string& peer, std::uint64_t unit) { print({{"event", "outvoted"}, {"peer", peer}, {"unit", unit}}); }
void JsonReport::convicted(const std::string& peer, std::uint64_t unit, bool branded) {
  print({{"event", "convicted"}, {"peer", peer}, {"unit", unit}, {"branded", branded}});
}

void JsonReport::cost_expected(const Cost& cost) {
  Json event{{"event", "cost"}, {"units", cost.units}};
  if (cost.checked) {
    event["checked"] = true;
  } else if (cost.units > 0) {
    event["quiet"] = cost.quiet;
    event["attacked"] = cost.attacked;
    event["own"] = cost.own;
  }
  print(event);
}

void JsonReport::alone() { print({{"event", "alone"}}); }
void JsonReport::donors_back() { print({{"event", "donors_back"}}); }

void JsonReport::stewards(unsigned holding, unsigned wanted) {
  print({{"event", "stewards"}, {"holding", holding}, {"wanted", wanted}});
}

void JsonReport::unreachable(const std::string& address, const std::string& reason) {
  print({{"event", "unreachable"}, {"address", address}, {"reason", reason}});
}

void JsonReport::trouble(const std::string& line) { print({{"event", "trouble"}, {"line", line}}); }

void JsonReport::unit_failed(std::uint64_t unit, const std::string& name, const std::string& reason) {
  Json event{{"event", "unit_failed"}, {"unit", unit}, {"reason", reason}};
  if (!name.empty()) event["name"] = name;
  print(event);
}

namespace {

class AsEvents final : public Outputs {
 public:
  explicit AsEvents(std::string directory, std::unique_ptr<Outputs> files) : directory_(std::move(directory)), files_(std::move(files)) {}

  Result<void> take(UnitResult result) override {
    if (!result.ok) return {};
    Json event{{"event", "output"}, {"unit", result.unit}};
    if (!files_) {
      event["output"] = to_hex(result.output);
    } else {
      event["file"] = output_file(directory_, result.unit);
      if (const auto written = files_->take(std::move(result)); !written) return written;
    }
    print(event);
    return flush_events();
  }

  Result<void> flush() override {
    if (files_) {
      if (const auto flushed = files_->flush(); !flushed) return flushed;
    }
    return flush_events();
  }

 private:
  static Result<void> flush_events() {
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return Error{"cannot write to standard output"};
    return {};
  }

  const std::string directory_;
  const std::unique_ptr<Outputs> files_;
};

}  // namespace

std::unique_ptr<Outputs> outputs_as_events(std::string directory, std::unique_ptr<Outputs> files) {
  return std::make_unique<AsEvents>(std::move(directory), std::move(files));
}

void JsonReport::answer(const std::string& text, const std::string& file) {
  Json event{{"event", "answer"}, {"text", text}};
  if (!file.empty()) event["file"] = file;
  print(event);
}

void JsonReport::ended(const Ending& ending) {
  Json event{{"event", "end"}, {"exit", static_cast<int>(ending.code)}};
  if (!ending.reason.empty()) event["reason"] = ending.reason;
  if (!ending.job.empty()) {
    event["job"] = ending.job;
    add(event, ending.progress);
    event["seconds"] = std::chrono::duration<double>(ending.took).count();
    event["outvoted"] = ending.outvoted;
    event["convicted"] = ending.convicted;
    if (ending.confidence) event["confidence_reached"] = ending.progress.confidence;
  }
  print(event);
}

}  // namespace dugnad::sdk::cli
