#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a newer kernel changes for the driver, from its source alone.
#
# rebase.sh OLD NEW OLD-OBJECT
#
#	OLD		kernel source with the series on it (make-kernel-series.sh)
#	NEW		the newer kernel source
#	OLD-OBJECT	the driver as built in OLD: siw.o or siw.ko
#
# Four sections, of which each line is something to look at:
#
#	hunks		changes of existing files that do not apply as they are
#	symbols		what the driver links to and the newer kernel does not export,
#			or exports in another way
#	identifiers	names the driver uses, in lines that changed in the headers it
#			includes; headers that are gone
#	probes		those of packaging/compat that ask for such names: their answer
#			may be another, and the older kernels need a shim
set -u -o pipefail
export LC_ALL=C

# exports TREE: name, kind and namespace of what its text exports.
exports() {
	grep -rhoE --include='*.[chS]' --exclude-dir=tools --exclude-dir=scripts \
		'\<EXPORT_(SYMBOL|PER_CPU_SYMBOL|TRACEPOINT_SYMBOL)[A-Z_]*\([^)]*\)' "$1" |
		sed -E -e 's/EXPORT_TRACEPOINT_SYMBOL(_GPL)?\(([^)]*)\)/EXPORT_SYMBOL\1(__tracepoint_\2)/' |
		sed -nE 's/^(EXPORT_[A-Z_]+)\( *([A-Za-z0-9_]+) *(, *(.*))?\)$/\2 \1 \4/p' |
		sed 's/ *$//' | sort -u
}

[ $# -eq 3 ] || { echo "usage: $0 OLD NEW OLD-OBJECT" >&2; exit 2; }
old=$(realpath "$1")
new=$(realpath "$2")
object=$(realpath "$3")
here=$(cd "$(dirname "$0")" && pwd)
driver=drivers/infiniband/sw/siw
work=$(mktemp -d "${TMPDIR:-/tmp}/siw-rebase.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Each patch on the one before, as git am would. The driver that stands there is
# removed by name, so its files may change.
hunks() {
	local commit file said
	for commit in $(git -C "$old" rev-list --reverse base..siw); do
		for file in $(git -C "$old" diff-tree -r --no-commit-id --name-only \
			--diff-filter=M "$commit" -- . ":!$driver"); do
			[ -e "$new/$file" ] || {
				echo "$file: gone"
				continue
			}
			mkdir -p "$work/tree/$(dirname "$file")"
			[ -e "$work/tree/$file" ] || cp "$new/$file" "$work/tree/$file"
			said=$(git -C "$old" diff-tree -p "$commit" -- "$file" |
				patch --force -p1 -d "$work/tree") || :
			grep -E 'FAILED|fuzz|ignored' <<<"$said" |
				sed "s|^|$(git -C "$old" log -1 --format=%s "$commit"): $file: |"
		done
	done
	for file in $(git -C "$old" diff --name-only --diff-filter=A base siw -- \
		. ":!$driver"); do
		[ ! -e "$new/$file" ] || echo "$file: exists already"
	done
}

symbols() {
	exports "$old" >"$work/old"
	exports "$new" >"$work/new"
	nm -u "$object" | awk '{ print $2 }' | sort -u >"$work/used"
	awk '
		{ name = $1; sub(/^[^ ]* /, "") }
		FILENAME ~ /old$/ { before[name] = $0; next }
		FILENAME ~ /new$/ { after[name] = $0; next }
		!(name in before) { next }
		!(name in after) { print name ": no longer exported"; next }
		before[name] != after[name] {
			print name ": was " before[name] ", is " after[name]
		}' "$work/old" "$work/new" "$work/used"
}

# Too common to say anything.
common='auto bool break case char const continue default define double else endif
	enum extern false float goto ifdef ifndef include inline int long return short
	signed sizeof static struct switch true typedef undef union unsigned void
	volatile while this that with from size_t ssize_t NULL flags name data size
	list next prev addr type port index value info defined device __always_inline
	__u8 __u16 __u32 __u64'

# words: of C, without those and what is the driver's own.
words() {
	# shellcheck disable=SC2086 # a list of words
	grep -oE '[A-Za-z_][A-Za-z0-9_]{3,}' | grep -vE '^_*(siw|SIW)' |
		grep -vxF -f <(printf '%s\n' $common) | sort -u
}

# code FILE: without comments.
code() {
	[ -e "$1" ] || return 0
	perl -0pe 's,/\*.*?\*/,,gs; s,//[^\n]*,,g; s,^[ \t]*\n,,gm' "$1"
}

# changed FILE: names in lines of the header that differ.
changed() {
	diff <(code "$old/$1") <(code "$new/$1") | sed -n 's/^[<>] //p' | words
}

# headers SOURCE...: those it includes and that differ, as "NAME FILE".
headers() {
	local header file
	for header in $(cat "$@" | grep -oP '^#include <\K[^>]+' |
		grep -vxF rdma/siw-ext-abi.h | sort -u); do
		for file in include/$header include/uapi/$header \
			arch/x86/include/$header; do
			[ ! -e "$old/$file" ] || cmp -s "$old/$file" "$new/$file" ||
				echo "$header $file"
		done
	done
}

# ask SOURCE...: what of it is in lines that changed, one line for each header.
ask() {
	local header file users
	cat "$@" >"$work/asks.c"
	code "$work/asks.c" | grep -v '^#include' | words >"$work/asks"
	while read -r header file; do
		if [ ! -e "$new/$file" ]; then
			echo "<$header>: gone"
			continue
		fi
		users=$(changed "$file" | comm -12 - "$work/asks" | xargs)
		[ -z "$users" ] || echo "<$header>: $users"
	done < <(headers "$work/asks.c")
}

identifiers() { ask "$old/$driver"/*.[ch] "$old/$driver"/proto/*.[ch]; }

probes() {
	local probe
	for probe in "$here"/../compat/probes/[!_]*.c; do
		ask "$probe" | sed -e 's/^<[^>]*>: //' -e "s/^/$(basename "$probe" .c): /"
	done
}

for section in hunks symbols identifiers probes; do
	echo "== $section"
	"$section"
done
