#!/usr/bin/env bash
# Installs what the full test run needs and the machine lacks, and says so:
# Debian's chromium, the npm packages of the interop tests, and the client that judges S3.
# Usage: scripts/setup.sh [interop]   interop: the packages of `make interop` instead
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

if ! command -v chromium >/dev/null; then
	echo "setup: chromium is missing; installing Debian's package (about 100 MB) ..."
	export DEBIAN_FRONTEND=noninteractive
	as_root apt-get -o DPkg::Lock::Timeout=300 update -qq
	as_root apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
	echo "setup: $(chromium --version --no-sandbox 2>/dev/null) installed"
fi

versions=e2e/js/versions
locks=('*package-lock.json' ":!$versions")
[ "${1-}" != interop ] || locks=("$versions/*package-lock.json")

# A lock file's packages are installed once; the stamp tells which.
for js in $(git ls-files -- "${locks[@]}" | xargs -r -n1 dirname); do
	want=$(sha256sum "$js/package-lock.json" | cut -d' ' -f1)
	stamp="$js/node_modules/.installed"
	if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
		echo "setup: installing the npm packages of $js ..."
		npm ci --prefix "$js" --no-audit --no-fund --loglevel=error
		echo "$want" >"$stamp"
	fi
done

[ "${1-}" = interop ] || S3REF_TOOLS=e2e/s3/.tools e2e/s3/referee.sh build
