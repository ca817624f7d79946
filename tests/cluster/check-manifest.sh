#!/bin/bash
# Checks the manifest against the schema of Kubernetes, by the program kubernetes-validate of PyPI in a folder that is removed again.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" || { echo "Python's venv is missing: apt install python3-venv" >&2; exit 1; }
"$folder/venv/bin/pip" install --quiet kubernetes-validate
"$folder/venv/bin/kubernetes-validate" --strict sweep-job.yaml
# A check that cannot fail proves nothing.
sed 's/completions: 4/completion: 4/' sweep-job.yaml > "$folder/wrong.yaml"
if "$folder/venv/bin/kubernetes-validate" --strict "$folder/wrong.yaml" > "$folder/log" 2>&1; then
    echo "a misspelt field was not found" >&2
    exit 1
fi
echo "sweep-job.yaml is valid, and a misspelt field is found"
