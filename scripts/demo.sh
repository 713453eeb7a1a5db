#!/usr/bin/env bash
# Starts the example application with its local backend.
# Usage: scripts/demo.sh [FLAG...]   flags of examples/gallery
set -euo pipefail
cd "$(dirname "$0")/.."

# The first time this downloads and compiles for minutes: people must see that it goes on. The go
# command says what it downloads, and with -v each package that it compiles.
total=$(go list -deps ./examples/gallery | wc -l)
go build -v -o /dev/null ./examples/gallery 2> >(awk -v total="$total" -v terminal="$([ -t 2 ] && echo 1)" '
	/^go: / || / / { print; next }
	{ n++ }
	terminal { printf "\rdemo: compiling, %d of at most %d packages", n, total; fflush(); next }
	n % 50 == 1 { printf "demo: compiling, %d of at most %d packages\n", n, total; fflush() }
	END { if (n && terminal) print "" }' >&2)
exec go run ./examples/gallery "$@"
