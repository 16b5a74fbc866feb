#include "worker/allow.h"

namespace dugnad::worker {

Result<Allow> parse_allow(const std::vector<std::string>& words) {
  Allow allow;
  bool builtin = false;
  for (const std::string& word : words) {
    allow.given = true;
    if (word == "builtin") {
      builtin = true;
    } else if (word == "any") {
      allow.any = true;
    } else if (const auto owner = PublicKey::from_hex(word)) {
      allow.owners.push_back(*owner);
    } else {
      return Error{"--allow wants builtin, any, or an owner's key (64 lower-case hex digits, as `dugnad id` prints it), and '" + word +
                   "' is none of these"};
    }
  }
  if (builtin && allow.modules()) return Error{"--allow builtin means that nobody's modules run; leave it out beside the others"};
  return allow;
}

}  // namespace dugnad::worker
