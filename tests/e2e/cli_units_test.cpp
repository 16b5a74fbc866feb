// Units of one's own programs on the command line, and where their outputs go.
#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sdk/cli/file_list.h"
#include "sdk/cli/outputs.h"
#include "sdk/cli/submit_options.h"
#include "sdk/cli/unit_source.h"
#include "sdk/cli/words.h"
#include "tests/scratch.h"

namespace dugnad::sdk::cli {
namespace {

using Kind = UnitSource::Kind;
using Strings = std::vector<std::string>;

std::string file_with(const Scratch& scratch, const std::string& name, const std::string& text) {
  const std::string path = scratch.path() + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<std::vector<CommandUnit>> units_of(const UnitSource& source, Module::Kind kind) {
  const Stop stop;
  auto reader = UnitReader::open(source, kind, stop);
  if (!reader) return reader.error();
  std::vector<CommandUnit> units;
  for (;;) {
    auto unit = (*reader)->next();
    if (!unit) return unit.error();
    if (!*unit) return units;
    units.push_back(**std::move(unit));
  }
}

Strings inputs_of(const UnitSource& source, Module::Kind kind) {
  const auto units = units_of(source, kind);
  REQUIRE_MESSAGE(units, (units ? "" : units.error().message));
  Strings texts;
  for (const CommandUnit& unit : *units) {
    CHECK(unit.arguments.empty());
    texts.push_back(to_text(unit.standard_input));
  }
  return texts;
}

/// What is written to standard output while `work` runs.
template <class Work>
std::string written_by(const Scratch& scratch, const Work& work) {
  const std::string path = scratch.path() + "/stdout";
  std::fflush(stdout);
  const int kept = ::dup(STDOUT_FILENO);
  REQUIRE(std::freopen(path.c_str(), "w", stdout) != nullptr);
  work();
  std::fflush(stdout);
  ::dup2(kept, STDOUT_FILENO);
  ::close(kept);
  return text_of(path);
}

UnitResult output(std::uint64_t unit, const std::string& text) {
  return {.unit = unit, .ok = true, .output = to_bytes(text), .reason = {}};
}

}  // namespace

TEST_CASE("a line is split into words as xargs does") {
  CHECK(*split_words("") == Strings{});
  CHECK(*split_words("  a\tb  c ") == Strings{"a", "b", "c"});
  CHECK(*split_words("'a b' \"c 'd'\" e'f'g") == Strings{"a b", "c 'd'", "efg"});
  CHECK(*split_words("'' \"\"") == Strings{"", ""});
  CHECK(*split_words("a\\ b \\\\ \\'") == Strings{"a b", "\\", "'"});
  CHECK(*split_words("'a\\b'") == Strings{"a\\b"});
  CHECK(split_words("'a").error().message == "its quote ' is not closed");
  CHECK(split_words("a\\").error().message == "nothing follows its last backslash");
}

TEST_CASE("a quoted word is split into itself") {
  for (const std::string word : {"", "plain", "two words", "it's", "a\\b", "\"", "*.txt", "\n", "\xc3\xa6"}) {
    CAPTURE(word);
    CHECK(*split_words(quoted(word) + " next") == Strings{word, "next"});
  }
  CHECK(quoted("/home/ada/units.txt") == "/home/ada/units.txt");
}

TEST_CASE("a command's line ends with its break, a reactor's does not, and the last line needs none") {
  const Scratch scratch;
  for (const std::string text : {"one\n\nthree\r\n", "one\n\nthree\r"}) {
    const UnitSource lines{Kind::lines, file_with(scratch, "lines", text)};
    CHECK(inputs_of(lines, Module::Kind::command) == Strings{"one\n", "\n", "three\r\n"});
    CHECK(inputs_of(lines, Module::Kind::reactor) == Strings{"one", "", "three\r"});
    const Stop stop;
    CHECK((*UnitReader::open(lines, Module::Kind::reactor, stop))->expected() == 3);
  }
  CHECK(inputs_of({Kind::lines, file_with(scratch, "empty", "")}, Module::Kind::command).empty());
  const std::string longer(1 << 20, 'x');  // than any buffer
  CHECK(inputs_of({Kind::lines, file_with(scratch, "long", longer + "\ny\n")}, Module::Kind::reactor) == Strings{longer, "y"});
}

TEST_CASE("argument lists are one a line, and a wrong one is named by its line") {
  const Scratch scratch;
  const auto units = units_of({Kind::arguments, file_with(scratch, "args", "a 'b c'\n\nd\n")}, Module::Kind::command);
  REQUIRE(units);
  REQUIRE(units->size() == 3);
  CHECK((*units)[0].arguments == Strings{"a", "b c"});
  CHECK((*units)[1].arguments.empty());
  CHECK((*units)[2].standard_input.empty());
  const std::string bad = file_with(scratch, "bad", "a\n'b\n");
  CHECK(units_of({Kind::arguments, bad}, Module::Kind::command).error().message == bad + ", line 2: its quote ' is not closed");
  CHECK_FALSE(units_of({Kind::arguments, bad}, Module::Kind::reactor));
}

TEST_CASE("files come in the order of their names, whatever they hold") {
  const Scratch scratch;
  file_with(scratch, "b.in", "two\nlines");
  file_with(scratch, "a.in", "");
  std::filesystem::create_directory(scratch.path() + "/c.in");
  const UnitSource files{Kind::files, scratch.path() + "/*.in"};
  CHECK(inputs_of(files, Module::Kind::command) == Strings{"", "two\nlines"});
  const Stop stop;
  const auto reader = UnitReader::open(files, Module::Kind::reactor, stop);
  REQUIRE(reader);
  CHECK((*reader)->expected() == 2);
  CHECK((*reader)->name_of(1) == scratch.path() + "/b.in");
  CHECK((*reader)->name_of(2).empty());
  (void)(*reader)->next();
  std::filesystem::remove(scratch.path() + "/b.in");
  CHECK_FALSE((*reader)->next());
  CHECK_FALSE(units_of({Kind::files, scratch.path() + "/*.none"}, Module::Kind::command));
}

TEST_CASE("listed files are those that were listed, and what has changed since is said in one line") {
  const Scratch scratch;
  const std::string first = file_with(scratch, "an input", "1"), second = file_with(scratch, "it's two", "2");
  const std::string copy = file_with(scratch, "copy", "3");
  const auto listed = [](const std::string& text, const std::string& name, const std::string& path) {
    return ListedFile{hash_of(to_bytes(text)), name, path};
  };
  const std::string list =
      file_with(scratch, "list", cli::text_of({listed("1", first, first), listed("2", second, second), listed("3", "/gone", copy)}));
  const UnitSource source{Kind::listed, list};
  const auto order = ModuleOrder::read(ModuleOrder{"/prog.wasm", source}.text());
  REQUIRE(order);
  CHECK(order->units.kind == Kind::listed);
  CHECK(inputs_of(order->units, Module::Kind::command) == Strings{"1", "2", "3"});
  const Stop stop;
  const auto reader = UnitReader::open(source, Module::Kind::command, stop);
  REQUIRE(reader);
  CHECK((*reader)->expected() == 3);
  CHECK((*reader)->name_of(2) == "/gone");

  file_with(scratch, "it's two", "22");
  CHECK(units_of(source, Module::Kind::command).error().message ==
        second + " has changed since its job was submitted; put back what it held, or end the job with dugnad cancel");
  std::filesystem::remove(first);
  CHECK(units_of(source, Module::Kind::command).error().message == "cannot read " + first + ": no such file or directory");
  file_with(scratch, "list", "01 a b c d\n");
  CHECK(units_of(source, Module::Kind::command).error().message.starts_with(list + " is damaged"));
}

TEST_CASE("a reader that is stopped does not wait for its input") {
  const Scratch scratch;
  const std::string lines = file_with(scratch, "lines", "one\n");
  const Stop stop;
  const auto reader = UnitReader::open({Kind::lines, lines}, Module::Kind::command, stop);
  REQUIRE(reader);
  stop.stop();
  const auto unit = (*reader)->next();
  REQUIRE_FALSE(unit);
  CHECK(unit.error().message == "interrupted");
}

TEST_CASE("outputs reach stdout in unit order, what waits in a file included") {
  const Scratch scratch;
  for (const std::size_t memory : {std::size_t{0}, std::size_t{7}, std::size_t{1000}}) {
    const auto outputs = outputs_in_order(memory);
    CHECK(written_by(scratch, [&] { REQUIRE(outputs->take(output(2, "third "))); }).empty());
    CHECK(written_by(scratch, [&] { REQUIRE(outputs->take(output(1, "second "))); }).empty());
    CHECK(written_by(scratch, [&] { REQUIRE(outputs->take(output(4, ""))); }).empty());
    CHECK(written_by(scratch, [&] { REQUIRE(outputs->take(output(0, "first "))); }) == "first second third ");
    CHECK(written_by(scratch, [&] { REQUIRE(outputs->take({.unit = 3, .ok = false, .output = {}, .reason = "bad luck"})); }).empty());
    CHECK(written_by(scratch, [&] { REQUIRE(outputs->take(output(6, "last"))); }).empty());
    CHECK(written_by(scratch, [&] { REQUIRE(outputs->take(output(5, "sixth "))); }) == "sixth last");
  }
}

TEST_CASE("outputs in a directory are files that are whole, and a failed unit has none") {
  const Scratch scratch;
  const std::string directory = scratch.path() + "/deep/results";
  const auto outputs = outputs_in(directory);
  REQUIRE(outputs);
  CHECK((*outputs)->take(output(1234567, "seven digits")));
  CHECK((*outputs)->take(output(3, "three")));
  CHECK((*outputs)->take({.unit = 4, .ok = false, .output = {}, .reason = "bad luck"}));
  CHECK(text_of(directory + "/000003.out") == "three");
  CHECK(text_of(directory + "/1234567.out") == "seven digits");
  CHECK(std::distance(std::filesystem::directory_iterator(directory), {}) == 2);
  CHECK_FALSE(outputs_in(file_with(scratch, "file", "") + "/results"));
}

TEST_CASE("what a module was submitted with is read back from the journal's words") {
  const ModuleOrder typed{"/home/ada/my prog.wasm", {Kind::files, "/data/*.txt"}};
  const auto read = ModuleOrder::read(typed.text());
  REQUIRE(read);
  CHECK(read->path == typed.path);
  CHECK(read->units.kind == Kind::files);
  CHECK(read->units.what == typed.units.what);
  CHECK(ModuleOrder::read("/p.wasm -")->units.kind == Kind::standard_input);
  for (const char* other : {"", "/p.wasm", "/p.wasm --lines", "/p.wasm --other x", "nqueens --n 3", "/p.wasm --lines a b", "'"}) {
    CAPTURE(other);
    CHECK_FALSE(ModuleOrder::read(other));
  }
}

}  // namespace dugnad::sdk::cli
