#!/bin/bash
# Runs the job arrays of this folder on a real Slurm: one node, this machine, as root, with all of its files in a temporary folder.
#
#   sudo apt install slurm-wlm munge
#   cargo build --release -p trainer
#   sudo tests/cluster/run-slurm.sh target/release/trainer
#
# A part of the sweep is left out first, and `trainer collect` must name what is missing; then it runs, and nothing may be missing.
# The table must be that of a sweep without shards.
set -euo pipefail
fail() { echo "run-slurm.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "Slurm's services must be started as root: sudo $0 $*"
[ $# = 1 ] && [ -x "$1" ] || fail "give the program trainer: $0 target/release/trainer"
for program in slurmctld slurmd munged sbatch; do
    command -v "$program" > /dev/null || fail "$program is missing: apt install slurm-wlm munge"
done
here=$(cd "$(dirname "$0")" && pwd)
trainer=$(realpath "$1")
folder=$(mktemp -d /tmp/slurm-XXXXXX)
services=()
finish() {
    status=$?
    [ $status = 0 ] || tail -n 20 "$folder"/*.log "$folder"/slurm-*.out 2> /dev/null >&2 || true
    for service in "${services[@]}"; do kill "$service" 2> /dev/null || true; done
    wait 2> /dev/null || true
    rm -rf "$folder"
    exit $status
}
trap finish EXIT

mkdir "$folder"/{bin,munge,state,spool}
cp "$trainer" "$folder/bin/trainer"
export PATH="$folder/bin:$PATH" SLURM_CONF="$folder/slurm.conf"
chmod 755 "$folder"
head -c 1024 /dev/urandom > "$folder/munge/key"
chmod 400 "$folder/munge/key"
munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
    --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" > "$folder/munged.log" 2>&1 &
services+=($!)
host=$(hostname -s)
cat > "$SLURM_CONF" <<CONF
ClusterName=here
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=60 State=UP
CONF
slurmctld -D -f "$SLURM_CONF" > "$folder/slurmctld.out" 2>&1 &
services+=($!)
slurmd -D -f "$SLURM_CONF" > "$folder/slurmd.out" 2>&1 &
services+=($!)
for _ in $(seq 60); do
    sinfo --noheader --format=%T 2> /dev/null | grep -q idle && break
    sleep 1
done
sinfo --noheader --format=%T | grep -q idle || fail "the node did not become idle within a minute"

# Submits a job array and waits for it; every part must succeed.
run() {
    sbatch --wait --quiet --chdir="$folder" "$@" || fail "a part of the job array failed: $*"
}

awk 'BEGIN { print "x,y"; for (i = 0; i < 48; i++) print i / 8 "," sin(i / 5) }' > "$folder/wave.csv"
settings=(--scales 1,2,4 --widths 8,12 --depths 1 --steps 60 --frequencies 6)
export DATA="$folder/wave.csv" OUT="$folder/sweep" PARTS=4
echo "a sweep, without its parts 2 and 4"
run --array=1,3 "$here/sweep.sbatch" "${settings[@]}"
if trainer collect "$OUT" > "$folder/collect.out" 2> "$folder/collect.err"; then
    fail "trainer collect did not say that parts are missing"
fi
sed 's/^/    /' "$folder/collect.err"
echo "the parts 2 and 4"
run --array=2,4 "$here/sweep.sbatch" "${settings[@]}"
trainer collect "$OUT" > /dev/null
echo "the same sweep without Slurm"
trainer sweep "$DATA" "${settings[@]}" --out "$folder/alone" > /dev/null 2>&1
# All but the seconds that each training took.
without_time() {
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /seconds/) time = i } { $time = ""; print }' "$1/sweep.csv"
}
diff <(without_time "$OUT") <(without_time "$folder/alone") || fail "the table of the job array is another one"

echo "a search for the best model of 1 KB"
export OUT="$folder/design" PARTS=2
run --array=1,2 "$here/design.sbatch" --flash 1K --time 20s
trainer design --resume "$OUT" > "$folder/design.out" 2> "$folder/design.err" || { cat "$folder/design.err" >&2; fail "no winner"; }
[ -s "$OUT/model.ffm" ] || fail "the search has left no model"
grep chosen "$folder/design.out" | sed 's/^/    /'
echo "passed"
