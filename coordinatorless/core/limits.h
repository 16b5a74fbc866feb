// Every limit on what a peer can make grow, and every constant of the protocol's timing, each with its reason.
// A container that a remote peer can fill has its limit here or it is a bug.
#pragma once

#include <cstddef>
#include <cstdint>

#include "coordinatorless/base/time.h"
#include "coordinatorless/base/value.h"

namespace dugnad::core::limits {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// --- The wire ---
inline constexpr std::uint32_t version = 1;                // of messages; N and N-1 interoperate
inline constexpr std::size_t message_bytes_max = 1 << 20;  // one frame; what ZMQ_MAXMSGSIZE is set to
inline constexpr std::size_t unit_bytes_max = small_bytes_max;  // an input or output inside a message; larger ones travel as blobs
inline constexpr std::size_t batch_units_max = 1024;       // units in a Lease, Results, Return or Revoke; the codec's longest array
inline constexpr std::size_t batch_bytes_max = 768 << 10;  // inputs or outputs in one batch; leaves room for the rest of a frame
inline constexpr std::size_t manifest_bytes_max = 4 << 10;
inline constexpr std::size_t record_bytes_max = 512;  // a signed contact record's body
inline constexpr std::size_t delegation_bytes_max = 1 << 10;
inline constexpr std::size_t announcement_bytes_max = 8 << 10;  // manifest, delegation, record, signatures
inline constexpr std::size_t task_name_max = 64;
inline constexpr std::size_t failure_text_max = 1 << 10;  // a failed unit's reason is cut here by the donor
inline constexpr std::uint64_t module_bytes_max = 32 << 20;  // a compressed module: larger than any program seen, and a minute on a slow line
inline constexpr std::uint64_t memory_bytes_max = std::uint64_t{4} << 30;  // what a manifest may ask for: all that 32 bits address
inline constexpr std::uint64_t module_memory_default = 256 << 20;            // of a unit whose manifest does not say; the ABI's
inline constexpr std::uint64_t fuel_max = (std::uint64_t{1} << 63) - 1;    // counted down in a signed number

// --- Links ---
inline constexpr std::size_t overlay_outbound = 8;  // as Bitcoin: enough that an eclipse needs most of the book
inline constexpr std::size_t overlay_inbound_max = 24;
inline constexpr std::size_t anchors = 2;               // links remembered across a restart
inline constexpr std::size_t job_links_max = 1000;      // apart from the overlay's, so that a popular job cannot cut a peer off
inline constexpr Duration job_link_retry = seconds(5);  // how often a submitter that is not linked yet is tried by other ways
inline constexpr std::size_t dials_pending_max = 32;    // a CURVE handshake costs 0.7 ms of CPU
inline constexpr Duration dial_timeout = seconds(15);   // three handshake intervals
inline constexpr Duration dial_retry_first = seconds(2);
inline constexpr Duration dial_retry_most = minutes(10);
// Of gossiped addresses, per /24 (/48 in IPv6): else one record turns the swarm on a stranger.
inline constexpr std::size_t dials_per_group_per_minute = 16;
inline constexpr std::size_t dial_groups_max = 4096;     // neighbourhoods dialled within a minute; more than dials can reach in that time
// A peer that ended a link which we dialled is not chosen again before this, doubling each time that it soon does.
inline constexpr Duration left_alone_first = minutes(2);
inline constexpr Duration left_alone_most = minutes(30);
// Up to so many peers in the book nobody is left alone: they all fit one peer's links, and whoever ended one did so for another reason.
inline constexpr std::size_t small_swarm = overlay_outbound + overlay_inbound_max;
inline constexpr Duration dial_lasting = minutes(1);     // a link that held this long starts the backoff afresh
inline constexpr Duration inbound_settle = seconds(10);  // a link's time to show that it is a job's, before it counts among the overlay's
inline constexpr Duration unneeded_linger = seconds(5);  // a link we dialled and need no more stays this long: a feeler hears the welcome
// Refused at high water and waiting, per peer; beyond it the link counts as broken.
inline constexpr std::size_t outbox_bytes_max = 4 << 20;
inline constexpr Duration outbox_retry = milliseconds(5);         // how soon a refused send is tried again
inline constexpr Duration outbox_retry_most = milliseconds(100);  // and at the latest, while nothing is taken
inline constexpr std::size_t outbox_round_bytes = 1 << 20;        // tried at once

// --- Membership ---
inline constexpr std::size_t full_view_max = 256;  // up to here everybody knows everybody
inline constexpr std::size_t book_new_max = 2048;
inline constexpr std::size_t book_tried_max = 512;
inline constexpr std::size_t shuffle_records = 16;
inline constexpr std::size_t welcome_records = 32;  // sent to whoever connects, so that any one contact is enough
inline constexpr Duration shuffle_interval = seconds(30);
inline constexpr Duration record_lease = minutes(30);
inline constexpr Duration record_refresh = minutes(10);
inline constexpr Duration clock_skew = minutes(10);  // tolerated between two peers' wall clocks
inline constexpr Duration feeler_interval = minutes(2);
inline constexpr Duration shuffle_eager = seconds(2);  // until the next shuffle while there is news and the view is not full
// A neighbour that asks more often gets no answer: a question is smaller than its answer.
inline constexpr Duration answer_interval = milliseconds(500);
inline constexpr Duration overlay_interval = seconds(1);        // how often missing overlay links are looked for
inline constexpr Duration record_gather = seconds(2);           // changes of our own record wait this long for company
inline constexpr std::size_t book_bucket_max = 64;              // 32 buckets of new, 16 of half the size of tried
inline constexpr std::size_t newcomers_burst = 256;             // records of new or changed peers that are passed on at once,
inline constexpr double newcomers_per_second = 1;               // and from then on: invented peers must not flood the swarm
inline constexpr unsigned dials_until_dead = 3;                 // dials in a row that led nowhere, before a peer counts as dead
inline constexpr std::size_t contacts_kept_max = 128;           // remembered on disk
inline constexpr Duration contact_rows_interval = seconds(30);  // at most one batch of them in this time

// --- Gossip ---
inline constexpr std::size_t gossip_fanout = 6;
inline constexpr std::uint8_t gossip_hops_max = 24;
inline constexpr Duration digest_interval = seconds(10);
inline constexpr Duration announcement_lease = minutes(5);
inline constexpr Duration announcement_refresh = minutes(2);
inline constexpr std::size_t announcements_max = 4096;  // held at once, all owners
inline constexpr std::size_t announcements_per_owner = 64;
inline constexpr std::size_t digest_entries_max = 256;    // 40 bytes each
inline constexpr Duration gossip_spacing = seconds(10);   // a job that changes more often is not pushed: a refresh comes every two minutes
inline constexpr double gossip_answers_per_second = 16;   // announcements sent to one neighbour because it lacked them
inline constexpr double gossip_answers_burst = 512;       // a newcomer learns of two digests' worth at once
inline constexpr double gossip_checks_per_second = 20;    // announcements of one neighbour whose signatures are checked, 0.2 ms each
inline constexpr double gossip_checks_burst = 512;        // what a newcomer pulls
inline constexpr Duration whisper_delay = seconds(1);     // by then a rumour has come back from most neighbours that have it
inline constexpr double gossip_digests_per_second = 0.4;  // of one neighbour; an honest one sends 0.1 at random, and 0.1 whispers
inline constexpr double gossip_digests_burst = 16;        // a link that stood still for a minute delivers twelve at once
inline constexpr std::size_t gossip_refused_max = 1024;   // jobs remembered as over quota, so that they are not pulled again at once
inline constexpr Duration gossip_refused_time = minutes(1);

// --- Identities that cost a proof of work ---
inline constexpr unsigned proof_bits_default = 15;  // of a public swarm that does not say: see identity_proof.h for what that takes
inline constexpr unsigned proof_bits_most = 24;     // hours of a core; more is a typing error
inline constexpr double proof_checks_per_second = 20;  // of all tellers together, half a millisecond each: a per cent of a core
inline constexpr double proof_checks_burst = 32;       // the longest that whatever else is to be done has to wait for them
inline constexpr double proof_checks_of_one_per_second = 2;  // of one teller, so that ten of them cannot keep the others' out
inline constexpr double proof_checks_of_one_burst = 16;
inline constexpr std::size_t proofs_kept_max = 4096;  // found to hold; as many submitters as there can be announcements
inline constexpr std::size_t unproven_jobs_max = 256;  // heard from their submitters alone; identities without a proof are free

// --- Jobs, on the submitter's side ---
// A donor holds about this much work, beyond a round trip: a batch is worth its wake-ups, and little is lost with the donor.
inline constexpr Duration horizon = milliseconds(60);
inline constexpr double horizon_round_trips = 3.0;
inline constexpr Duration credit_first = seconds(1);  // a newcomer's most, doubling with each timely batch
inline constexpr Duration credit_most = seconds(64);
inline constexpr std::size_t window_units_max = 32 << 10;    // leased to one donor at once
inline constexpr std::size_t attempts_per_unit_max = 16;     // beyond it a unit that finds no agreement has failed
inline constexpr std::uint32_t copies_max = 64;              // of one unit; three times as many candidates still fit a byte
inline constexpr std::size_t donor_faults_per_unit_max = 5;  // time-outs and the like, of as many donors, before the unit itself is blamed
inline constexpr std::size_t unit_faults_max = 16;           // and of however few; a donor that only fails is left out in between
// Inputs and expected outputs in messages, leased to one donor at once and by all jobs together: more could be refused at high water than the outbox
// holds, and the link would count as broken.
inline constexpr std::size_t leased_bytes_max = 3 << 20;
inline constexpr std::uint64_t leased_blobs_max = 64 << 20;  // bytes of large inputs leased to one donor at once, beyond the first: what it can keep
// A lease lasts so much longer for each large input, and a fetch that is slower has failed: two thirds of what is sent over a relay.
inline constexpr double blob_bytes_per_second_least = 64 << 10;
// Outputs expected of one donor and agreed upon but not here, bytes beyond the first: with that, what it keeps of others' outputs
// with the usual quota.
inline constexpr std::uint64_t promised_blobs_max = 192 << 20;
// A lease draws from this many units ahead: unpredictable, yet results come roughly in order.
inline constexpr std::size_t random_window = 4096;
inline constexpr Duration lease_least = seconds(10);      // the shortest lease: below it, a suspended laptop loses its work for nothing
inline constexpr Duration lease_most = hours(24);         // the longest, or a donor that answers ever later would be given years
inline constexpr double lease_slack = 8.0;                // times the expected turnaround
inline constexpr Duration lease_unknown = minutes(2);     // while no unit of the job has been timed
inline constexpr Duration lost_grace = seconds(3);        // a donor whose link broke may come back this long before its units go to others
inline constexpr Duration restored_grace = seconds(30);   // the same after a start: everybody has to find the submitter again
inline constexpr Duration lease_noted_after = seconds(60);  // what is out for longer is known to the submitter's next process
inline constexpr std::size_t lease_notes_max = 4096;  // of a job
inline constexpr std::size_t lease_note_units_max = 64 << 10;  // in all of them: some ten megabytes until they have come again
// What donors say before this process can take it in: some Wants and a few batches of results of each, of a swarm's size.
inline constexpr std::size_t early_messages_max = 4096;
inline constexpr std::size_t early_of_peer_max = 16;
inline constexpr std::size_t early_of_peer_bytes = 1 << 20;  // four times what a donor sends at once of what waited
inline constexpr std::size_t early_bytes_max = 16 << 20;
inline constexpr Duration race_least = milliseconds(50);  // a straggler is not raced before this
inline constexpr double race_slack = 3.0;                 // times the expected turnaround
inline constexpr std::size_t race_units_looked_at = 16 << 10;  // of the oldest leases, searched for stragglers at a time
inline constexpr Duration shun_first = seconds(2);        // a donor that let a lease lapse is left out this long, doubling to 64 times
inline constexpr std::size_t donors_per_job_max = 4096;   // remembered by one job: above the job links, since donors come and go
inline constexpr unsigned slots_max = 1024;               // of one donor; more is a typing error or a lie
// Accepted units wait this long for company while more are out: a flush each would cost more than a short unit does.
inline constexpr Duration settled_gather = milliseconds(20);
inline constexpr std::size_t settled_units_max = 4096;         // and never more than these
inline constexpr unsigned outvoted_max = 3;  // outvoted this often in one job, a donor gets no more of it while there are others

// --- Jobs by confidence ---
inline constexpr std::uint32_t assumed_ppm_max = 950'000;       // of a million donors, that saboteurs may be assumed to be
inline constexpr std::uint64_t held_bytes_max = 256 << 20;      // inputs and outputs of units without a final result: beyond it a block ends
inline constexpr Duration block_idle = milliseconds(200);       // nothing more has come for so long: what there is becomes a block
inline constexpr Duration block_starved = seconds(10);          // all is done and nothing more has come: a block ends before its units are all there
inline constexpr Duration block_wait = seconds(2);              // or the first of it has waited for so long

// --- Jobs, on the donor's side ---
inline constexpr std::size_t donor_jobs_max = 16;               // served at once
inline constexpr std::size_t donor_units_max = 64 << 10;        // leased and not yet returned, all jobs
inline constexpr std::size_t donor_bytes_max = 64 << 20;        // inputs and unsent outputs held, all jobs
// Of an attempt for somebody else, whatever its manifest says: what outlasts the longest lease counts for nothing, and would hold a slot for ever.
inline constexpr Duration unit_limit_most = lease_most;
inline constexpr Duration executor_feed = milliseconds(30);     // this much work is handed to the executor ahead
inline constexpr std::size_t executor_attempts_max = 16 << 10;  // in the executor at once, however short
inline constexpr Duration result_gather = milliseconds(30);     // results wait this long for company while more work is in hand: half a horizon
inline constexpr Duration want_refresh = seconds(30);
inline constexpr Duration absent_grace = seconds(60);  // work of a submitter that is gone is kept this long, at least
inline constexpr Duration idle_place = seconds(60);    // a job that gave no work this long makes room for another, where all places are taken
// A large output waits so long for agreement and for being fetched, or for two leases' time: a submitter that never says what it wants of it must
// not fill the disk.
inline constexpr Duration output_held_least = minutes(10);
inline constexpr std::size_t absent_bytes_max = donor_bytes_max / donor_jobs_max;  // outputs kept for a submitter that is gone
// Results that their submitter has not had: on disk, and in memory as they are sent.
inline constexpr std::size_t waiting_bytes_max = 16 << 20;  // a batch counts 4 KiB at least: four thousand of them at most
inline constexpr std::size_t doubted_bytes_max = 4 << 20;   // sent and perhaps not arrived: as much as an outbox holds
inline constexpr std::size_t delivered_at_once = 256 << 10;  // of what waits, to a submitter that is back: a megabit a second
inline constexpr Duration delivery_pause = seconds(2);
inline constexpr Duration waiting_most = hours(7 * 24);  // a laptop that was closed on Friday is open on Monday, and some are away for longer
inline constexpr Duration results_in_doubt = seconds(75);  // after that they have arrived, or the link is known to be broken (a minute at most)
inline constexpr Duration results_doubted_least = seconds(1);  // what took less is computed again sooner than it is kept
// Attempts that take less are begun again where their unit is leased anew: to know that its input is the same costs a hash of each.
inline constexpr double input_tagged_seconds = 0.01;
inline constexpr Duration leave_grace = seconds(3);    // an orderly stop lets what runs finish this long

// --- Blobs ---
/// No blob takes longer, once it is its turn.
[[nodiscard]] constexpr Duration blob_time_most(std::uint64_t bytes) {
  return from_seconds(static_cast<double>(bytes) / blob_bytes_per_second_least);
}
inline constexpr std::size_t blob_holders_max = 8;  // remembered for one blob; a few that vanish must not be the end of it
inline constexpr unsigned blob_tries_max = 6;       // failures in a row until a blob is given up: about half a minute
inline constexpr Duration blob_retry_first = seconds(1);
inline constexpr Duration blob_retry_most = seconds(30);
inline constexpr unsigned input_tries_max = 3;              // its one holder is the submitter, and the lease runs
inline constexpr unsigned output_tries_extra = 1;           // beyond one for each holder: a busy one is worth a second try
// An output has all been fetched in this time and that of all before it, however often its holders come and go; or the unit is computed again.
inline constexpr Duration output_patience = minutes(10);
inline constexpr unsigned outputs_unkept_max = 3;  // so often in a row a donor may be gone with what it promised, or have no room for it, at no cost
inline constexpr Duration holder_absence = seconds(20);     // no holder of an output was linked for so long: the unit is computed again
// Of one owner, bytes of large inputs that a donor takes at least, and at most half of its room: drips of one must not keep out all others.
inline constexpr std::uint64_t owner_inputs_least = 64 << 20;
// Of a peer's room for blobs, each of its four uses may fill this share: own inputs, own outputs, others' inputs, others' outputs.
inline constexpr std::uint64_t blob_uses = 4;
// Neighbours are asked for a blob none of whose holders is linked, not before so long, and then again: a link that breaks is mostly soon back.
inline constexpr Duration seek_after = seconds(3);
inline constexpr Duration seek_again = seconds(30);
inline constexpr std::uint8_t seek_hops_max = 3;        // with the fanout, a question reaches some forty peers at most
inline constexpr std::size_t seek_fanout = 3;
inline constexpr double seeks_per_second = 4;           // of one neighbour; what is beyond gets no answer
inline constexpr double seeks_burst = 256;              // whoever has lost its holders may miss that many blobs at once
// Of a donor of our own jobs, which asks once for each large input that it is leased: what its line could bring of the smallest ones. Both are hardly
// ever reached, as a donor that is taken for a flood is lost to its job.
inline constexpr double job_seeks_per_second = 512;
inline constexpr double job_seeks_burst = 2048;
inline constexpr std::size_t seeks_remembered_max = 1024;    // questions passed on whose answers find their way back; the oldest goes
inline constexpr Duration seek_memory = seconds(10);         // and for how long; meanwhile the same question is not passed on again
inline constexpr std::size_t found_holders_max = 8;          // contact records in one answer: as many holders as are remembered for a blob
inline constexpr std::size_t seekers_max = 16;               // remembered for one blob of a job; the latest are told of
inline constexpr std::size_t directory_blobs_max = 4096;     // blobs for which they are; the one first asked for longest ago goes
inline constexpr std::size_t blob_links_max = 64;            // links to holders, apart from the jobs' own
inline constexpr Duration job_shelved = minutes(10);        // a job whose module cannot be had is not tried again before this
inline constexpr std::size_t jobs_shelved_max = 256;        // the one that returns soonest makes room: it would only be tried a little early

// --- Bulk: blobs on the way ---
inline constexpr std::uint64_t blob_bytes_max = 64 << 20;  // an input or output; a module is smaller
inline constexpr std::uint32_t bulk_credits = 2;           // chunks asked for and not yet here: what may stand before a lease in a link's queue
inline constexpr std::size_t bulk_fetches_max = 8;         // at once, each from another peer; the rest waits its turn
inline constexpr Duration bulk_patience = seconds(30);     // for one chunk; ten times what a relay takes
inline constexpr std::size_t bulk_services_max = 1024;     // peers that are served: all that a job can have as donors
inline constexpr std::size_t bulk_helpers_max = 8;         // of one fetch, besides the holder that promised the blob
inline constexpr Duration bulk_help_patience = seconds(5); // a helper from which nothing came for so long is asked for nothing more until it does
inline constexpr Duration bulk_spare = seconds(1);         // a blob's main holder is spared what helpers have as long as they keep giving
inline constexpr Duration bulk_meet = milliseconds(250);     // and as long at first, where no helper is known: to hear of some, and reach them
inline constexpr Duration bulk_have_interval = milliseconds(50);  // chunks that came are told of together
inline constexpr double bulk_haves_per_second = 400;       // of one peer: twice what eight fetches at once can have to tell it
inline constexpr double bulk_haves_burst = 1000;
inline constexpr std::size_t bulk_spread_max = 4096;       // blobs of which is remembered how often each chunk was sent, until audits are over
inline constexpr std::size_t bulk_shared_max = 4096;       // blobs not needed here any more that may still be served from the cache
inline constexpr std::size_t bulk_cancelled_max = 1024;     // fetches broken off of which chunks may still come
inline constexpr double bulk_bytes_per_second = 32 << 20;  // to one peer: a gigabit line is left with room for the protocol
inline constexpr double bulk_burst_bytes = 4 << 20;
inline constexpr double bulk_relayed_bytes_per_second = 96 << 10;  // half of what an end sends over a relay, so that leases get through
inline constexpr double bulk_relayed_burst_bytes = 512 << 10;
inline constexpr double bulk_frame_overhead = 512;          // name, place and path of a chunk
inline constexpr std::size_t bulk_inbox_max = 16 << 20;     // bytes that came and wait for the bulk thread; what comes beyond is dropped

// --- Evidence ---
// Encoded, of results whose units are open still: written with nothing else beyond it, since a job may settle nothing for long.
inline constexpr std::size_t evidence_waiting_max = 256 << 10;
// What is not final is on disk so long after it came: the most that a crash costs beside what was running. Two flushes a second cost nothing.
inline constexpr Duration held_gather = milliseconds(500);
// An exported file comes from anybody, and its reader holds all of it in memory: at most about a gigabyte.
inline constexpr std::uint64_t evidence_file_max = 256 << 20;
inline constexpr std::uint64_t evidence_units_max = 8'000'000;
inline constexpr std::uint64_t evidence_results_max = 32'000'000;
inline constexpr std::size_t evidence_recipe_max = 64 << 10;  // opaque here; the SDK's has at most 10 KiB
inline constexpr std::size_t stated_blocks_max = 4096;        // of a job with a confidence: a hundred times what is planned

// --- Checks: of a job whose task can check a result ---
// So many results of a donor, beyond as many as were found right, may be leased to it or wait for their check: what a liar can have on its way.
inline constexpr std::size_t checks_untried_max = 64;
// Results that wait for a check; beyond, nothing is leased. A check that is dearer than it should be slows the job, it does not fill memory.
inline constexpr std::size_t checks_waiting_max = 64 << 10;

inline constexpr std::size_t known_answers_max = 64 << 10;  // of one job, given by its own program: some megabytes
// --- Favours ---
inline constexpr std::size_t receipt_bytes_max = 256;     // of a receipt or a binding to an owner: keys, three numbers, a date
inline constexpr std::size_t receipts_shown_max = 16;     // in one message: the lines that one owner's submitters have for another
inline constexpr std::size_t receipts_held_max = 4096;    // of all givers; a key costs nothing, so the one that was served least makes room
inline constexpr std::size_t receipts_given_max = 4096;   // owners thanked whose newest receipt is remembered: as many as a job has donors
inline constexpr std::size_t favour_accounts_max = 4096;  // owners, of whom the least in dealings makes room: it could gain that little anew
inline constexpr std::size_t bindings_max = 4096;         // peers whose owner is known: as many as a job has donors
inline constexpr double receipt_checks_per_second = 50;   // signatures of owners, of all peers together, 0.1 ms each: half a per cent of a core
inline constexpr double receipt_checks_burst = 1024;      // as many donors as have links, all at once
// A receipt costs a signature at both ends and a row: no more than one a job in this time, and one at its end.
inline constexpr Duration thanks_interval = seconds(30);
inline constexpr Duration thanks_least = milliseconds(1);     // less is kept until there is more
inline constexpr Duration thanks_grace = milliseconds(500);   // an orderly stop waits so long for receipts to be countersigned
inline constexpr Duration accounts_interval = seconds(30);    // at most one batch of rows in this time; what was served since is forgiven by a crash
inline constexpr Duration outranked_patience = seconds(2);    // a unit behind those of owners that come first goes back to others after this
inline constexpr Duration outranked_lull = seconds(1);        // and credit is offered again once those have asked for nothing so long

// --- Stewards ---
inline constexpr unsigned stewards_max = 8;                    // of one job: seven may die
inline constexpr std::size_t steward_jobs_max = 64;            // of others that one peer holds
inline constexpr std::size_t steward_jobs_per_owner = 8;       // of these, one owner's
inline constexpr std::uint64_t steward_units_max = 4'000'000;  // of one job: a table of them is some hundred megabytes at most, within the quota
inline constexpr std::size_t word_bytes_max = 900 << 10;       // what an owner says at once: a batch of units or results, and room for the rest
inline constexpr std::size_t record_entries_max = 256;         // in one message
inline constexpr std::size_t record_bytes_sent_max = 960 << 10;  // of entries in one message
inline constexpr std::size_t recipe_bytes_max = 64 << 10;      // as in evidence
inline constexpr std::size_t deed_donors_max = 1000;           // all that a job has links for
inline constexpr std::size_t deeds_max = 16;                   // of one job, each with its own key; the newest count
// What a submitter keeps of its record for stewards that are behind; who is further behind must be told by others.
inline constexpr std::size_t record_backlog_max = 64 << 20;
inline constexpr Duration entries_gather = seconds(1);          // what is new is told together
// Without a link to whoever leads the job out, the first steward waits so long, the second twice: a submitter that was killed is often back.
inline constexpr Duration steward_patience = seconds(20);
// After which another steward leads. One that does nothing costs a job so much each time; and it must be far longer than clocks differ, clock_skew.
inline constexpr Duration steward_shift = minutes(30);
inline constexpr Duration steward_keep = hours(24 * 7);        // a job whose submitter has not been heard of for so long is forgotten
inline constexpr Duration entrust_retry = seconds(15);         // a peer that was asked to be a steward and does not answer is passed over
inline constexpr Duration entrust_gather = seconds(3);         // stewards that answer about together are delegated together
inline constexpr Duration deed_after = seconds(5);             // who helps shows soon after the first donor; later ones come with a later deed
inline constexpr Duration deed_interval = minutes(2);
inline constexpr std::uint64_t gathered_bytes_max = 256 << 20;  // of donors' results that one steward gives a submitter: it may have made them up
inline constexpr std::size_t stewards_passed_over_max = 1024;   // of one job; then all are asked again
inline constexpr std::size_t followed_max = 32;                 // whose record of one job is followed, now or before: delegates of a few delegations
inline constexpr Duration gather_patience = seconds(30);       // a submitter that is back waits so long for stewards that say nothing

// --- Reputation ---
inline constexpr std::size_t reputations_max = 4096;          // donors remembered across jobs: as many as one job has
inline constexpr Duration reputation_half_life = hours(24 * 30);

// --- Relay ---
inline constexpr std::size_t relay_pairs_max = 64;
inline constexpr std::size_t relay_pairs_per_peer = 32;      // one peer cannot take all places
inline constexpr double relay_bytes_per_second = 256 << 10;  // per pair and direction
inline constexpr double relay_burst_bytes = 2 << 20;         // two of the largest frames
inline constexpr std::size_t relay_overhead_bytes = 256;     // what Relay adds to a frame: ids, counter, seal, msgpack
inline constexpr Duration relay_idle = minutes(2);
inline constexpr std::size_t relayed_links_max = 256;   // at an end, up: each holds up to outbox_bytes_max
inline constexpr std::size_t relayed_pending_max = 32;  // at an end, not yet up
inline constexpr double knocks_sent_per_second = 1;     // forwarded for one peer, to whomever it names
inline constexpr double knocks_sent_burst = 32;
inline constexpr double knocks_per_second = 8;          // of one relay, answered by an end: a signature check and a key agreement each
inline constexpr double knocks_burst = 64;              // as many donors as a relay has pairs, all at once

// --- Budget per peer: a token bucket for messages and one for bytes; misbehaviour is charged against a score ---
inline constexpr double messages_per_second = 2000;
inline constexpr double messages_burst = 8000;
inline constexpr double bytes_per_second = 8 << 20;  // 32 relayed pairs at their quota
inline constexpr double bytes_burst = 32 << 20;
inline constexpr double working_factor = 32;  // for a peer with leases: 64,000 messages or 256 MiB a second, above what one core can verify
inline constexpr std::size_t accounts_max = 4096;  // peers whose budget is remembered; above all links there can be
inline constexpr double score_ban = 100;           // reached: disconnected and refused for ban_time
inline constexpr double score_decay_per_minute = 5;
inline constexpr Duration ban_time = minutes(30);
inline constexpr std::size_t bans_max = 4096;

}  // namespace dugnad::core::limits
