// The rules of tests/house/rules.h, held against the tree as it stands.
#include <doctest/doctest.h>

#include "tests/house/rules.h"

using namespace dugnad::house;

namespace {

const std::filesystem::path root = DUGNAD_SOURCE_DIR;

const std::vector<Source>& tree() {
  static const std::vector<Source> sources = read_tree(root);
  return sources;
}

void report(const Violations& violations) {
  for (const Violation& violation : violations) {
    ADD_FAIL_CHECK_AT(violation.path.c_str(), static_cast<int>(violation.line), violation.rule << "\n  instead: " << violation.instead);
  }
}

void hold(Violations (*rule)(const Source&)) {
  REQUIRE(tree().size() > 50);  // else this looked at the wrong place, and all would seem well
  for (const Source& source : tree()) report(rule(source));
}

}  // namespace

TEST_CASE("folders include only the layers below them") { hold(check_layers); }

TEST_CASE("each third-party library is touched in one place") { hold(check_libraries); }

TEST_CASE("what is replayed from a seed reads no clock, draws nothing of the machine's and starts no thread") { hold(check_determinism); }

TEST_CASE("files look alike, and each header says what it is for") { hold(check_layout); }

TEST_CASE("no test waits by sleeping") { hold(check_tests_do_not_sleep); }

TEST_CASE("what README.md tells the reader to run exists") {
  const auto exists = [](const std::string& path) { return std::filesystem::exists(root / path); };
  for (const Source& source : tree()) {
    if (source.path == "README.md") report(check_readme_commands(source, exists));
  }
}
