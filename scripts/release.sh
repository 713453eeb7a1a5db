#!/usr/bin/env bash
# Releases the modules that others use, all in one version: writes it where the modules require one
# another, builds the command line as its users will get it, commits, and tags. Publishes nothing:
# at the end it says what to push. If it fails, the repository is as it was.
# Usage: scripts/release.sh VERSION   such as v0.1.0, on main, with a heading in CHANGELOG.md
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1-} repository=$PWD path=github.com/amplify-go/amplify
tags=("$version" "sandbox/$version" "cmd/amplify-go/$version" "amplifylambda/$version") # examples and e2e are not released

fail() {
	echo "release: $*" >&2
	exit 1
}

# A major version from 2 on would need another module path.
number='(0|[1-9][0-9]*)'
[[ $version =~ ^v[01]\.$number\.$number(-[0-9A-Za-z.-]+)?$ ]] ||
	fail "\"$version\" is not a version to release: it looks like v0.1.0 or v0.2.0-rc.1"
branch=$(git branch --show-current)
[ "$branch" = main ] || fail "releases are made on main, not on \"$branch\""
[ -z "$(git status --porcelain)" ] || fail "git status shows changes that are not committed"
# To sort, v0.1.0~rc.1 comes before v0.1.0.
newest=$({ git tag --list 'v*'; echo "$version"; } | sed s/-/~/ | sort -V | tail -n 1 | sed s/~/-/)
[ "$newest" = "$version" ] || fail "$version is older than $newest"
for tag in "${tags[@]}"; do
	! git rev-parse -q --verify "refs/tags/$tag" >/dev/null || fail "the tag $tag exists already"
done
heading="## ${version#v} "
awk -v h="$heading" 'index($0 " ", h) == 1 { found = 1 } END { exit !found }' CHANGELOG.md ||
	fail "CHANGELOG.md has no heading \"$heading- $(date +%F)\""
! git grep -n '=>' -- '*go.mod' >&2 ||
	fail "go install refuses modules with replace lines: they belong into go.work"

# The release is made in a worktree of its own.
work=$(mktemp -d)
trap 'git -C "$repository" worktree remove --force "$work/tree" || true; rm -rf "$work"' EXIT
git worktree add -q --detach "$work/tree"
cd "$work/tree"
requires="$path(/sandbox|/amplifylambda)? v" # in go.mod and go.work
git grep -lE "$requires" -- go.work '*go.mod' | xargs sed -i -E "s#($requires)[^ ]+#\1${version#v}#"
git commit -q -a --allow-empty -m "Release $version" # the first version is there from the beginning

# The go command takes our modules from a clone that has the tags. What it downloads goes to a cache
# of its own: the user's must not remember a release that may never be published.
git clone -q --bare . "$work/origin"
for tag in "${tags[@]}"; do git -C "$work/origin" tag "$tag"; done
GOPROXY="file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)"
export GOPROXY GONOPROXY=$path GONOSUMDB=$path GOWORK=off
export GOMODCACHE="$work/cache" GOFLAGS="-trimpath -modcacherw" # the build cache serves all directories
export GIT_CONFIG_COUNT=1
export GIT_CONFIG_KEY_0="url.file://$work/origin.insteadOf" GIT_CONFIG_VALUE_0="https://$path"

# The sums of what is required. They cover none of the files that they are written to.
for sums in $(git grep -lE "$requires" -- '*go.mod' | sed 's/mod$/sum/'); do
	sed -i "\#^$path[ /]#d" "$sums"
	(cd "$(dirname "$sums")" && grep -oE "$requires" go.mod | sed 's/ v$//' | xargs go mod download)
done
(cd cmd/amplify-go && go build -o "$work/" .)
git commit -q -a --amend --no-edit

commit=$(git rev-parse HEAD)
cd "$repository"
git merge -q --ff-only "$commit"
for tag in "${tags[@]}"; do git tag -a -m "$tag" "$tag"; done
echo "$version is committed and tagged. To publish it:"
echo "  git push --atomic origin main ${tags[*]}"
