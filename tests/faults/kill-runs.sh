#!/bin/bash
# Kills runs at random moments (SIGKILL) and lets them go on: nothing may be lost, and each must end with the bytes of a run that was not
# killed. Also: a second process on one folder is refused, and a full disk gives one sentence and no half-written file.
#
#   cargo build --release -p trainer
#   tests/faults/kill-runs.sh target/release/trainer 200     # the number of kills, shared by fit, sweep, design and nerf fit
#
# The part with the full disk needs root, for a small file system in memory.
set -euo pipefail
[ $# -ge 1 ] && [ -x "$1" ] || { echo "kill-runs.sh: give the program trainer: $0 target/release/trainer [KILLS]" >&2; exit 1; }
trainer=$(realpath "$1")
kills=${2:-200}
folder=$(mktemp -d)
trap 'umount "$folder/small" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
fail() { echo "kill-runs.sh: $*" >&2; exit 1; }
RANDOM=1

awk 'BEGIN { print "x,y,z"; for (i = 0; i < 900; i++) { x = i % 30; y = int(i / 30); print x "," y "," sin(x / 4) * cos(y / 5) } }' > wave.csv
"$trainer" nerf synthesize --quick --out scene > /dev/null 2>&1
fit=(fit wave.csv --scale 2 --steps 600 --frequencies 16 --hidden 16,16 --holdout none)
sweep=(sweep wave.csv --scales 1,2,4 --widths 8,12 --depths 1 --steps 80 --frequencies 8)
design=(design wave.csv --flash 1K --time 4s)
nerf=(nerf fit scene --steps 40 --quick)

# What a command leaves that must be equal, and how it goes on; $1 is the kind, $2 the folder.
start() {
    case $1 in
        fit | nerf)
            local -n first=$1
            if [ -f "$2/checkpoint.safetensors" ]; then "$trainer" "${first[@]:0:$([ "$1" = fit ] && echo 1 || echo 2)}" --resume "$2"
            else "$trainer" "${first[@]}" --out "$2" --force; fi ;;
        sweep) "$trainer" "${sweep[@]}" --out "$2" ;;
        design) if [ -f "$2/design/settings.json" ]; then "$trainer" design --resume "$2" --time 4s; else "$trainer" "${design[@]}" --out "$2" --force; fi ;;
    esac > "$2.out" 2> "$2.err"
}
result() {
    case $1 in
        fit) cat "$2/model.ffm" ;;
        nerf) cat "$2/model.ffm" "$2/volume.ffv" ;;
        sweep) awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /seconds/) time = i } { $time = ""; print }' "$2/sweep.csv" ;;
        # How long each training is depends on the time; that there is a winner which a device takes does not.
        design) "$trainer" inspect "$2/model.ffm" > /dev/null && echo sound ;;
    esac | cksum
}

for kind in fit sweep design nerf; do
    begin=$(date +%s%N)
    start $kind "whole-$kind" || { cat "whole-$kind.err" >&2; fail "$kind does not run"; }
    milliseconds=$((($(date +%s%N) - begin) / 1000000))
    expected=$(result $kind "whole-$kind")
    done=0 runs=0
    while [ $done -lt $((kills / 4)) ]; do
        rm -rf "cut-$kind"
        runs=$((runs + 1))
        # Each run is killed up to four times, then left to end.
        for _ in 1 2 3 4; do
            ( start $kind "cut-$kind" ) & child=$!
            sleep "$(awk -v most=$milliseconds -v part=$RANDOM 'BEGIN { print most / 1000 * part / 32768 }')"
            pkill -KILL -P $child 2> /dev/null && done=$((done + 1))
            wait $child 2> /dev/null || true
        done
        start $kind "cut-$kind" || { cat "cut-$kind.err" >&2; fail "$kind does not go on after it was killed"; }
        [ "$(result $kind "cut-$kind")" = "$expected" ] || fail "$kind ends with other bytes after it was killed"
        # What was being written when the process was killed is removed or replaced by the process that goes on.
        left=$(find "cut-$kind" -name '*.tmp*' | head -n 1)
        [ -z "$left" ] || fail "$left is left"
    done
    echo "$kind: killed $done times in $runs runs, each of which ended as if it had not been"
done

long=("${fit[@]/600/100000000}")
"$trainer" "${long[@]}" --out busy > /dev/null 2> busy.err & busy=$!
for _ in $(seq 200); do [ -d busy ] && break; sleep 0.05; done
[ -d busy ] || { cat busy.err >&2; fail "a long training does not begin"; }
sleep 1
for words in "${fit[*]} --out busy" "${fit[*]} --out busy --force" "fit --resume busy"; do
    # shellcheck disable=SC2086 # the words are split on purpose
    if "$trainer" $words > second.out 2>&1; then fail "a second process was not refused: $words"; fi
done
kill -TERM $busy
wait $busy 2> /dev/null || true
echo "a second process was refused: $(tail -n 1 second.out)"

if [ "$(id -u)" = 0 ]; then
    mkdir small
    mount -t tmpfs -o size=48k tmpfs small
    if "$trainer" "${fit[@]}" --out small/run > full.out 2> full.err; then fail "a full disk was not noticed"; fi
    for file in small/run/*; do
        [ "${file##*/}" = "*" ] || [ -s "$file" ] || fail "$file is empty"
    done
    echo "a full disk: $(tail -n 1 full.err)"
    umount small
fi
echo "passed"
