// Directories over real memberships: questions and answers are carried by the test, through the codec.
#include "coordinatorless/core/blob_directory.h"

#include <doctest/doctest.h>

#include "tests/core/small_swarm.h"

namespace dugnad::core::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const BlobId blob{5 * chunk_bytes, Hash{{9}}};

/// Members in a row, each linked with the next alone, or all with all.
struct Neighbourhood {
  explicit Neighbourhood(unsigned count, bool row) {
    if (row) swarm.reachable = [](const auto& a, const auto& b) { return a.number + 1 == b.number || b.number + 1 == a.number; };
    for (unsigned i = 0; i < count; ++i) {
      auto& member = swarm.add(loopback(4000 + i));
      if (i > 0) swarm.join(member, *swarm.members[row ? i - 1 : 0]);
    }
    swarm.run(seconds(60));
    for (const auto& member : swarm.members) {
      directories.push_back(std::make_unique<BlobDirectory>(member->identity.self, member->links, member->membership));
      index[member->id()] = directories.size() - 1;
    }
    own.resize(count);
    wants.resize(count);
  }
  PeerId id(std::size_t who) const { return swarm.members[who]->id(); }

  void ask(std::size_t who, std::size_t whom, std::uint8_t hops) {
    Output out;
    out.send(id(whom), Seek{blob, hops});
    carry(who, std::move(out));
  }
  void seek(std::size_t who) {
    Output out;
    directories[who]->seek(blob, swarm.now, out);
    carry(who, std::move(out));
  }
  void carry(std::size_t from, Output out) {
    for (Addressed& addressed : out.messages) {
      const auto message = decode(encode(addressed.message));
      REQUIRE(message);
      const std::size_t to = index.at(addressed.to);
      Output answer;
      if (const auto* question = std::get_if<Seek>(&*message)) {
        ++questions;
        if (const auto charge = directories[to]->on(id(from), *question, own[to], swarm.now, answer)) charged += charge->score;
      } else if (const auto* found = std::get_if<Found>(&*message)) {
        ++answers;
        const auto holders = directories[to]->on(id(from), *found, wants[to], swarm.now, answer);
        charged += holders.charge.score;
        for (const ContactRecord& record : holders.records) told[to].insert(record.peer());
      }
      carry(to, std::move(answer));
    }
  }

  SmallSwarm swarm;
  std::vector<std::unique_ptr<BlobDirectory>> directories;
  std::map<PeerId, std::size_t> index;
  std::vector<BlobDirectory::Own> own;
  std::vector<bool> wants;
  std::map<std::size_t, std::set<PeerId>> told;
  std::size_t questions = 0, answers = 0;
  double charged = 0;
};

using Peers = std::set<PeerId>;

}  // namespace

TEST_CASE("a submitter tells each donor of those that asked before, and forgets those that have gone") {
  Neighbourhood all(6, false);
  all.own[0] = {true, true, false};
  all.wants.assign(6, true);
  for (const std::size_t donor : {1, 2, 3}) all.ask(donor, 0, 0);
  CHECK(all.told[1].empty());
  CHECK(all.told[2] == Peers{all.id(1)});
  CHECK(all.told[3] == Peers{all.id(1), all.id(2)});
  all.directories[0]->lost(all.id(1));
  all.ask(4, 0, 0);
  CHECK(all.told[4] == Peers{all.id(2), all.id(3)});
  all.ask(4, 0, 0);  // again: it is not told of itself
  CHECK_FALSE(all.told[4].contains(all.id(4)));
}

TEST_CASE("a question finds a holder three hops away, and the answer comes back the way that it went") {
  Neighbourhood row(6, true);
  row.wants[0] = true;
  row.own[3] = {false, false, true};
  row.seek(0);
  CHECK(row.told[0] == Peers{row.id(3)});
  CHECK(row.answers == 3);
  CHECK(row.charged == 0);
}

TEST_CASE("a question goes no further than it may, and through nobody twice") {
  Neighbourhood row(7, true);
  row.wants[0] = true;
  row.own[4] = {false, false, true};
  row.seek(0);
  CHECK(row.told[0].empty());
  Neighbourhood all(12, false);
  all.wants[0] = true;
  all.seek(0);
  all.seek(0);
  CHECK(all.questions <= 2 * limits::seek_fanout * (1 + limits::seek_fanout + limits::seek_fanout * limits::seek_fanout));
  CHECK(all.answers == 0);
}

TEST_CASE("an answer to no question is ignored, one with a forged record is charged, and nothing of it is passed on") {
  Neighbourhood row(4, true);
  Signed record = row.swarm.members[3]->membership.own_record(row.swarm.now);
  Output out;
  CHECK(row.directories[1]->on(row.id(2), Found{blob, {record}}, false, row.swarm.now, out).records.empty());
  CHECK(out.messages.empty());
  row.wants[0] = true;
  row.seek(0);
  const auto& liar = row.swarm.members[3]->identity;
  record = liar.sign(liar.record(std::uint64_t{1} << 60, row.swarm.now.wall));
  record.signature[3] ^= 1;
  const auto holders = row.directories[1]->on(row.id(2), Found{blob, {record}}, false, row.swarm.now, out);
  CHECK(holders.charge.score > 0);
  CHECK(out.messages.empty());
}

TEST_CASE("of one question only a few answers are passed on, and after a while none") {
  Neighbourhood row(4, true);
  row.wants[0] = true;
  row.seek(0);
  const Signed record = row.swarm.members[3]->membership.own_record(row.swarm.now);
  Output out;
  for (int i = 0; i < 20; ++i) (void)row.directories[1]->on(row.id(2), Found{blob, {record}}, false, row.swarm.now, out);
  CHECK(out.messages.size() == 3);
  row.swarm.now.boot += limits::seek_memory + milliseconds(1);
  (void)row.directories[1]->on(row.id(2), Found{blob, {record}}, false, row.swarm.now, out);
  CHECK(out.messages.size() == 3);
}

TEST_CASE("who asks without end is charged, and gets no more answers") {
  Neighbourhood all(3, false);
  all.own[0] = {false, false, true};
  for (int i = 0; i < 1000; ++i) all.ask(1, 0, 1);
  CHECK(all.charged > 0);
  CHECK(all.answers <= limits::seeks_burst);
}

TEST_CASE("who is close, as a fellow steward is, may ask as often as a job's donors may, and no oftener") {
  Neighbourhood all(3, false);
  all.own[0] = {.job = false, .named = false, .here = true, .close = true};
  const auto most = static_cast<int>(limits::job_seeks_burst);
  for (int i = 0; i < most; ++i) all.ask(1, 0, 1);
  CHECK(all.charged == 0);
  CHECK(all.answers == limits::job_seeks_burst);
  all.ask(1, 0, 1);
  CHECK(all.charged == charges::hasty.score);
  CHECK(all.answers == limits::job_seeks_burst);
}

TEST_CASE("a holder is linked with while something may come of it") {
  Neighbourhood all(3, false);
  const auto record = all.swarm.members[2]->membership.record_of(all.id(1));
  REQUIRE(record);
  Links& links = all.swarm.members[2]->links;
  Output out;
  all.directories[2]->link(*record, all.id(0), all.swarm.now, out);
  CHECK(links.purposes_of(all.id(1)).has(Purpose::blob));
  CHECK(all.directories[2]->next_deadline() < never);
  all.directories[2]->tidy([](const PeerId&) { return true; }, all.swarm.now);
  CHECK(links.purposes_of(all.id(1)).has(Purpose::blob));
  all.directories[2]->tidy([](const PeerId&) { return false; }, all.swarm.now);
  CHECK_FALSE(links.purposes_of(all.id(1)).has(Purpose::blob));
  CHECK(all.directories[2]->next_deadline() == never);
}

TEST_CASE("where a job says who may be told of, these are named and nobody is remembered, within the askers' budget") {
  Neighbourhood all(6, false);
  all.own[0] = {true, true, false};
  all.wants.assign(6, true);
  Output out;
  const std::vector<PeerId> holders{all.id(2), all.id(3), all.id(1), PeerId{{77}}};
  CHECK_FALSE(all.directories[0]->name(all.id(1), blob, holders, all.swarm.now, out));
  all.carry(0, std::exchange(out, {}));
  CHECK(all.told[1].contains(all.id(2)));
  CHECK(all.told[1].contains(all.id(3)));
  CHECK(all.told[1].size() == 2);
  CHECK_FALSE(all.directories[0]->name(all.id(4), blob, {}, all.swarm.now, out));
  CHECK(out.messages.empty());
  all.ask(5, 0, 0);
  CHECK(all.told[5].empty());
  bool hasty = false;
  for (int i = 0; i < 10000 && !hasty; ++i) hasty = all.directories[0]->name(all.id(1), blob, holders, all.swarm.now, out).has_value();
  CHECK(hasty);
}

}  // namespace dugnad::core::test
