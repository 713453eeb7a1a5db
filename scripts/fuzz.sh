#!/usr/bin/env bash
# Runs every fuzz target of the workspace for a while.
# Usage: scripts/fuzz.sh [TIME]   TIME as go test -fuzztime takes it; default 10s
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}

mapfile -t targets < <(git grep -hoE --full-name '^func Fuzz[A-Za-z0-9_]+\(f \*testing\.F\)' -- '*_test.go' >/dev/null &&
	git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | sed -E 's#^([^:]+)/[^/:]+:func (.*)$#\1 \2#; s#^[^/ ]+:func (.*)$#. \1#' | sort -u)
[ ${#targets[@]} -gt 0 ] || { echo "fuzz: no targets found" >&2; exit 1; }

n=0
for t in "${targets[@]}"; do
	read -r dir name <<<"$t"
	n=$((n + 1))
	printf 'fuzz %d/%d: %s %s for %s\n' "$n" "${#targets[@]}" "$dir" "$name" "$time"
	out=$(go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -parallel 2 "./$dir" 2>&1) || {
		# At the end of the time the go command may report its own deadline (go.dev/issue/75804). A
		# finding names its input.
		if ! grep -q 'context deadline exceeded' <<<"$out" || grep -qE 'Failing input|panic:|_test.go:' <<<"$out"; then
			echo "$out"
			exit 1
		fi
	}
done
echo "fuzz: ${#targets[@]} targets passed"
