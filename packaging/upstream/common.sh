# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What both series need: a git repository of the files concerned, and commits.

# The author is who maintains the packages, unless the environment says.
maintainer=$(sed -n 's/^Maintainer: //p' "$top/packaging/debian/control")
: "${GIT_AUTHOR_NAME:=${maintainer% <*}}"
: "${GIT_AUTHOR_EMAIL:=$(expr "$maintainer" : '.*<\(.*\)>')}"
date=$(dpkg-parsechangelog -l "$top/packaging/debian/changelog" -S Timestamp)
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE="$date +0000" \
	GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_CONFIG_NOSYSTEM=1 \
	GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL" GIT_COMMITTER_DATE="$date +0000" \
	GIT_CONFIG_GLOBAL=/dev/null
umask 022

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# edit FILE SCRIPT: by sed, and it has to change something.
edit() {
	sed "$2" "$1" >"$1.new"
	! cmp -s "$1" "$1.new" ||
		die "$1: not as expected, nothing to change by: $2"
	mv "$1.new" "$1"
}

# start_series PATHS COVER-LETTER CLEAN...: in an unpacked source, the tag "base" as
# it was unpacked, and the branch "siw" there; nothing else in the paths to clean.
start_series() {
	if [ ! -e .git ]; then
		git init -q -b siw .
		# shellcheck disable=SC2086 # a list of words
		git add -f $1
		git commit -q -m 'as released'
		git tag base
	fi
	git checkout -q -f -B siw base
	git config branch.siw.description "$(cat "$2")"
	shift 2
	git clean -q -f -d -x -- "$@"
}

# commit_patch PATCH PATHS [TRAILERS]
commit_patch() {
	# shellcheck disable=SC2086 # a list of words
	git add -f -A $2
	{
		sed -e '/^Files:/d' -e 's/^Subject: //' "$1"
		[ -z "${3:-}" ] || printf '\n%s\n' "$3"
	} | git commit -q -s -F -
}

# write_series OUTDIR
write_series() {
	rm -f "$1"/*.patch
	git format-patch -q --no-renames --no-signature --zero-commit \
		--cover-letter --cover-from-description=subject -o "$1" base
}
