#!/usr/bin/env bash
# Independent S3 referee: runs named cases of versitygw's test client
# (github.com/versity/versitygw v1.8.0, Apache-2.0) against an S3 endpoint.
#
#   S3REF_TOOLS=<folder> referee.sh ENDPOINT ACCESS_KEY SECRET LIST [REGION]
#   S3REF_TOOLS=<folder> referee.sh build    # builds the client, and no more
#
# LIST: file with one case name a line; '#' begins a comment. REGION defaults to us-east-1.
# The key must be permanent (the client cannot send a session token) and may create,
# list, fill and delete the buckets test-bucket-1 to test-bucket-9. A case that fails can
# leave its bucket behind and so spoil the next one: S3REF_RESET is run after it.
#
# Environment:
#   S3REF_TOOLS    folder for the built client (required; kept between runs)
#   S3REF_TIMEOUT  seconds a case may take (default 30)
#   S3REF_LOGS     folder for one log file a case (default: none kept)
#   S3REF_RESET    command that empties the store, run after a failed case
# Prints PASS or FAIL a case and a summary. Exit: 0 all passed, 1 some failed, 2 wrong use.
set -uo pipefail
VERSION=v1.8.0

die() { echo "s3/referee: $*" >&2; exit 2; }
[ "$*" = build ] || [ $# -eq 4 ] || [ $# -eq 5 ] || die "usage: S3REF_TOOLS=<folder> $0 ENDPOINT ACCESS_KEY SECRET LIST [REGION]"
[ -n "${S3REF_TOOLS:-}" ] || die "S3REF_TOOLS is not set"
mkdir -p "$S3REF_TOOLS" || die "cannot make $S3REF_TOOLS"
tools=$(cd "$S3REF_TOOLS" && pwd)
client=$tools/versitygw-$VERSION
if [ ! -x "$client" ]; then
  echo "s3/referee: building its client, which takes a minute or two ..."
  GOBIN=$tools GOWORK=off go install "github.com/versity/versitygw/cmd/versitygw@$VERSION" || die "build failed"
  mv "$tools/versitygw" "$client"
fi
[ "$*" != build ] || exit 0

endpoint=${1%/} access=$2 secret=$3 list=$4 region=${5:-us-east-1}
[ -r "$list" ] || die "cannot read $list"
[[ $endpoint =~ ^https?://(127\.[0-9.]+|localhost|\[::1\])(:[0-9]+)?$ ]] || die "only loopback endpoints: buckets are made and deleted there"

# From here on only the endpoint counts: no proxy, profile or CA bundle of the caller.
for v in $(compgen -e); do
  case $v in
  AWS_*|VGW_*|ROOT_*_KEY*|[Hh][Tt][Tt][Pp]*_[Pp][Rr][Oo][Xx][Yy]|ALL_PROXY|all_proxy) unset "$v" ;;
  esac
done
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
work=$(mktemp -d) || die "no temporary folder"
trap 'rm -rf "$work"' EXIT
logs=${S3REF_LOGS:-$work}
mkdir -p "$logs" && logs=$(cd "$logs" && pwd) || die "cannot make $logs"

pass=0 failed=0 begin=$SECONDS
while IFS= read -r name || [ -n "$name" ]; do
  name=${name%%#*} name=${name//[[:space:]]/}
  [ -n "$name" ] || continue
  log=$logs/$name.log
  (cd "$work" && exec timeout -k 2 "${S3REF_TIMEOUT:-30}" "$client" --region "$region" test \
    -a "$access" -s "$secret" -e "$endpoint" --allow-insecure "$name") </dev/null >"$log" 2>&1
  status=$?
  sed -i 's/\x1b\[[0-9;]*m//g' "$log"
  # The exit status is not enough: a skipped case ends with 0 too.
  if [ $status -eq 0 ] && grep -q '^PASS ' "$log"; then
    pass=$((pass + 1)); echo "PASS $name"
  else
    failed=$((failed + 1)); echo "FAIL $name ($status): $(grep -m1 '^FAIL ' "$log" | cut -c1-300)"
    [ -z "${S3REF_RESET:-}" ] || bash -c "$S3REF_RESET" >/dev/null 2>&1 </dev/null
  fi
done <"$list"
[ $((pass + failed)) -gt 0 ] || die "no case in $list"
echo "SUMMARY pass=$pass fail=$failed seconds=$((SECONDS - begin))"
[ $failed -eq 0 ]
