#!/usr/bin/env bash
# Runs `go mod tidy` in every module. That command does not read go.work, and the siblings in the
# release that go.mod names may lack what the module uses by now. So they are replaced by this
# checkout, in a copy of go.mod.
# Usage: scripts/tidy.sh
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD path=github.com/amplify-go/amplify

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
for module in $(git ls-files '*go.mod' | xargs dirname); do
	cd "$repository/$module"
	cp go.mod go.sum "$copy"
	go mod edit -replace="$path=$repository" "$copy/go.mod"
	for sibling in sandbox amplifylambda; do
		go mod edit -replace="$path/$sibling=$repository/$sibling" "$copy/go.mod"
	done
	GOWORK=off go mod tidy -modfile="$copy/go.mod"
	go mod edit -dropreplace="$path" -dropreplace="$path/sandbox" -dropreplace="$path/amplifylambda" "$copy/go.mod"
	# The sums of a replaced module are dropped, but builds without go.work need them.
	{ grep "^$path[ /]" go.sum || true; cat "$copy/go.sum"; } |
		LC_ALL=C sort -s -t' ' -k1,1 >"$copy/sums"
	cp "$copy/go.mod" go.mod
	cp "$copy/sums" go.sum
done
