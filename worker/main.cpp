// dugnad-worker: donates CPU to a swarm. `dugnad-worker --help` says how.
#include "worker/run_worker.h"

int main(int argc, char** argv) { return dugnad::worker::run_worker(argc, argv, dugnad::tasks::builtin_tasks()); }
