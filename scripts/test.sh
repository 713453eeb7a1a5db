#!/usr/bin/env bash
# Runs everything that `make test` promises, says once a minute that it is still at work, and at the
# end what ran and how long that took.
# Usage: scripts/test.sh [FUZZTIME]   as scripts/fuzz.sh takes it; default 10s
set -euo pipefail
cd "$(dirname "$0")/.."
fuzztime=${1:-10s}

summary=()
child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null || true' EXIT

# step LABEL COMMAND... runs a command, with a sign of life every 45 seconds.
step() {
	local label=$1 start=$SECONDS status=0
	shift
	echo "== $label"
	"$@" &
	child=$!
	while kill -0 "$child" 2>/dev/null; do
		for _ in $(seq 45); do
			sleep 1
			kill -0 "$child" 2>/dev/null || break
		done
		kill -0 "$child" 2>/dev/null && echo "   $label: still running, $((SECONDS - start)) s"
	done
	wait "$child" || status=$?
	child=
	summary+=("$(printf '%6d s  %s' $((SECONDS - start)) "$label")")
	if [ "$status" != 0 ]; then
		summary+=("          failed with status $status")
		report
		exit "$status"
	fi
}

report() {
	echo
	echo "What ran on $(uname -sm), $(go env GOVERSION):"
	printf '%s\n' "${summary[@]}"
}

alone() { GOWORK=off go test ./...; }

step "set-up" scripts/setup.sh
step "formatting and vet" make -s lint
step "all modules, with -race" go test -race -shuffle=on -timeout 45m work
step "the library alone, with the versions that its users get" alone
step "fuzz targets" scripts/fuzz.sh "$fuzztime"
report
