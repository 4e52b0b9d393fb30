# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A repository is built beside the one that is served and takes its place when it is
# whole: clients see the old one or the new one, and a failure leaves the old one.

# repo_begin DIR NAME...: from now on $out is DIR, and $new where to build what it will
# be. DIR may hold these names (patterns) alone: all of it is replaced.
repo_begin() {
	out=$(realpath -m "$1")
	shift
	for file in "$out"/* "$out"/.[!.]*; do
		[ -e "$file" ] || [ -L "$file" ] || continue
		for name; do
			# shellcheck disable=SC2254 # a pattern
			case ${file##*/} in
			$name) continue 2 ;;
			esac
		done
		echo "$0: $file: is no part of such a repository: give it a directory of its own" >&2
		exit 1
	done
	mkdir -p "${out%/*}"
	new=$(mktemp -d "$out.XXXXXX")
	trap 'rm -rf "$new"' EXIT
	trap 'exit 1' HUP INT TERM
	chmod 755 "$new"
}

# repo_publish: $new becomes $out, for all to read. coreutils 9.5 does it in one step;
# with those before there is no repository for a moment.
repo_publish() {
	chmod -R a+rX "$new"
	if [ ! -e "$out" ]; then
		mv -T "$new" "$out"
	elif ! mv --exchange -T "$new" "$out" 2>/dev/null; then
		mv -T "$out" "$new.old"
		mv -T "$new" "$out" || { mv -T "$new.old" "$out"; exit 1; }
		rm -rf "$new.old"
	fi
}
