#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Ask a kernel's headers which API they have, write the answers as a header.
#
# Every probes/NAME.c is compiled with the kernel's own kbuild.  It answers yes
# if it compiles without a diagnostic that makes a prototype wrong, and if every
# symbol it needs is exported (Module.symvers).  Three probes named _must_*
# check the checker; if one is wrong no answer can be trusted and we stop.
set -eu

usage() {
	cat <<EOF
usage: $0 [-k KERNEL_BUILD_DIR] [-o HEADER] [--check FILE] [--report]
  -k DIR        kernel build directory (default: that of the running kernel)
  -o HEADER     write the generated header here
  --check FILE  compare the answers with FILE, fail if they differ; FILE is named after
                a kernel, and if it is not there the file beside it of the kernel
                that comes before it counts: what that one has this one has
  --report      print kernel, compiler and every answer (for bug reports)
environment: MAKE, MAKEFLAGS for kbuild (CC=, LLVM=), SIW_PROBE_CACHE=DIR to
keep answers per kernel, SIW_PROBE_KEEP=1 to keep the scratch directory
EOF
}

die() {
	echo "probe.sh: $*" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
kdir=/lib/modules/$(uname -r)/build
out=
check=
report=
while [ $# -gt 0 ]; do
	case $1 in
	-k) kdir=$2; shift ;;
	-o) out=$2; shift ;;
	--check) check=$2; shift ;;
	--report) report=1 ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
make=${MAKE:-make}

[ -f "$kdir/Makefile" ] ||
	die "$kdir: no kernel headers there; install the linux-headers package of this kernel"
[ -f "$kdir/Module.symvers" ] ||
	die "$kdir: no Module.symvers; the kernel tree must have been built"
kver=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' "$kdir/include/generated/utsrelease.h" 2>/dev/null) ||
	die "$kdir: not configured (no include/generated/utsrelease.h)"
if [ -f "/usr/src/ofa_kernel/$(uname -m)/$kver/Module.symvers" ]; then
	die "$kver: ib_core comes from an OFED package; siw builds for the distribution's own RDMA core only"
fi

# A kernel built by clang wants clang (and its nm, for LTO objects).
llvm=
nm='nm'
if grep -q '^CONFIG_CC_IS_CLANG=y' "$kdir/include/config/auto.conf"; then
	llvm=LLVM=1
	nm='llvm-nm'
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/siw-probe.XXXXXX")
[ -n "${SIW_PROBE_KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

names=$(for file in "$here"/probes/*.c; do basename "$file" .c; done)

# The answers depend on the kernel, its exports and the probes, nothing else.
key=$(cat "$kdir/Module.symvers" "$kdir/include/config/auto.conf" \
	"$here/probe.sh" "$here"/probes/*.c | sha256sum | cut -c1-32)
cached=${SIW_PROBE_CACHE:+$SIW_PROBE_CACHE/$kver-$key}

run_probes() {
	cp "$here"/probes/*.c "$work/"
	{
		echo "ccflags-y := -Werror=implicit-function-declaration"
		echo "ccflags-y += -Werror=incompatible-pointer-types -Werror=int-conversion"
		# A struct within a struct: how a probe asks for a member's absence.
		echo "ccflags-y += -fms-extensions -g0"
		for name in $names; do
			echo "obj-m += $name.o"
		done
	} >"$work/Kbuild"
	# -k: the probes that fail are the point.  -O: one after the other says why.
	# Only objects are needed.
	# shellcheck disable=SC2086
	$make -k -O $jobs $llvm -C "$kdir" M="$work" modules >"$work/log" 2>&1 || :

	# One line for each probe: y if there is an object and all it needs is
	# exported.  An export with a namespace (column 5) is not for us.
	for name in $names; do
		[ ! -f "$work/$name.o" ] || $nm -u "$work/$name.o" |
			awk -v name="$name" '{ print name, $NF }'
	done >"$work/needs"
	for name in $names; do
		[ ! -f "$work/$name.o" ] || echo "$name"
	done >"$work/built"
	awk -v FS='[\t]' '
		FILENAME ~ /symvers$/ { if ($5 == "") exported[$2]; next }
		FILENAME ~ /built$/ { answer[$1] = "y"; next }
		{
			split($0, need, " ")
			if (need[2] !~ /^(_GLOBAL_OFFSET_TABLE_|__this_module)$/ &&
			    !(need[2] in exported))
				answer[need[1]] = "n"
		}
		END { for (name in answer) print name, answer[name] }
	' "$kdir/Module.symvers" "$work/built" "$work/needs" >"$work/found"
	for name in $names; do
		grep "^$name " "$work/found" || echo "$name n"
	done >"$work/answers"

	if ! grep -qx '_must_succeed y' "$work/answers"; then
		grep -i -m 12 -e error -e 'not found' "$work/log" >&2 || :
		missing=$(sed -nE -e 's/.*[ :]([^ :]+): (command )?not found$/\1/p' \
			-e 's,^make[^:]*: ([^ :/]+): No such file or directory$,\1,p' \
			"$work/log" | head -n 1)
		[ -z "$missing" ] ||
			echo "probe.sh: $missing is missing: apt install $missing (or dnf, zypper)" >&2
		die "kernel $kver: probe _must_succeed failed; no module can be built against $kdir"
	fi
	for name in _must_fail _must_not_compile; do
		grep -qx "$name n" "$work/answers" ||
			die "kernel $kver: probe $name succeeded; its answers cannot be trusted"
	done
}

# Under make, its jobserver decides; by hand, one job for each CPU.
jobs=
case ${MAKEFLAGS:-} in
*-j*) ;;
*) jobs=-j$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) ;;
esac

if [ -n "$cached" ] && [ -f "$cached" ]; then
	cp "$cached" "$work/answers"
else
	run_probes
	if [ -n "$cached" ]; then
		mkdir -p "$SIW_PROBE_CACHE"
		cp "$work/answers" "$cached.$$" && mv "$cached.$$" "$cached"
	fi
fi

# The checker's own probes are no one else's business.
grep -v '^_' "$work/answers" >"$work/vector"

if [ -n "$out" ]; then
	{
		echo "/* Generated by compat/probe.sh for $kver. Do not edit. */"
		echo "#ifndef SIWC_CONFIG_H"
		echo "#define SIWC_CONFIG_H"
		echo
		while read -r name answer; do
			macro=SIWC_HAVE_$(echo "$name" | tr '[:lower:]' '[:upper:]')
			if [ "$answer" = y ]; then
				echo "#define $macro 1"
			else
				echo "/* #undef $macro */"
			fi
		done <"$work/vector"
		echo
		echo "#endif"
	} >"$work/header"
	# Leave an unchanged header alone, so that nothing is rebuilt for it.
	cmp -s "$work/header" "$out" || cp "$work/header" "$out"
fi

if [ -n "$report" ]; then
	echo "kernel $kver"
	sed -n 's/^CONFIG_CC_VERSION_TEXT=/compiler /p' "$kdir/include/config/auto.conf"
	cat "$work/vector"
fi

want=$check
if [ -n "$check" ] && [ ! -f "$check" ]; then
	name=$(basename "$check")
	before=$({ ls "$(dirname "$check")"; echo "$name"; } | sort -V |
		awk -v name="$name" '$0 == name { exit } { last = $0 } END { print last }')
	[ -n "$before" ] || die "no $check, nor one of a kernel before $name"
	check=$(dirname "$check")/$before
	want=$work/want
	awk 'NR == FNR { was[$1] = $2; next }
		was[$1] == "y" { $2 = "y" }
		{ print }' "$check" "$work/vector" >"$want"
fi

if [ -n "$check" ]; then
	diff "$want" "$work/vector" >"$work/diff" || {
		cat "$work/diff" >&2
		die "kernel $kver: answers otherwise than $check says:" \
			"$(sed -n 's/^[<>] \([^ ]*\) .*/\1/p' "$work/diff" |
				sort -u | xargs)"
	}
fi
