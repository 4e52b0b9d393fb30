#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Turn siw/, its tests and documentation into patches for Linux.
#
# make-kernel-series.sh LINUX OUTDIR
#
# LINUX is unpacked kernel source, which this changes: it becomes a git repository
# of the files concerned, with the source as it was tagged "base" and a commit for
# each patch. The driver that stands there is removed by name. OUTDIR gets the
# patches, by git format-patch; the same input gives the same patches.
#
# kernel/NN-name are the patches: subject, files and text. What a patch does other
# than adding files of siw/ is said here.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 LINUX OUTDIR" >&2; exit 2; }
linux=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
driver=drivers/infiniband/sw/siw
tests=tools/testing/selftests/rdma/siw
paths="LICENSES MAINTAINERS drivers/infiniband/Kconfig drivers/infiniband/sw
	Documentation/infiniband include/uapi/rdma tools/testing/selftests/Makefile
	tools/testing/selftests/rdma"

. "$here/common.sh"

cd "$linux"
start_series "$paths" "$here/kernel/cover-letter" "$driver" Documentation/infiniband \
	include/uapi/rdma tools/testing/selftests/rdma

# add FILE...: of siw/, at their place. What is not for the kernel is left out.
add() {
	for file; do
		case $file in
		siw/ext_abi.h)
			cp "$top/$file" include/uapi/rdma/siw-ext-abi.h
			;;
		*)
			mkdir -p "$driver/$(dirname "${file#siw/}")"
			cp "$top/$file" "$driver/${file#siw/}"
			;;
		esac
		case $file in
		siw/qp.h)
			edit "$driver/qp.h" '/^#include "ext_abi.h"$/d'
			edit "$driver/qp.h" '/^#include <linux\/kref.h>$/a\
\
#include <rdma/siw-ext-abi.h>'
			;;
		siw/README)
			edit "$driver/README" 's,  docs/errors has each message\.,,'
			edit "$driver/README" 's,(ext_abi.h),(siw-ext-abi.h),'
			;;
		esac
	done
}

# The Makefile as far as its objects are there.
makefile() {
	sed -n '1,/^siw-y/p' "$top/siw/Makefile" | sed '$d' >"$driver/Makefile"
	sed -n '/^siw-y/,/[^\\]$/p' "$top/siw/Makefile" | tr -d '\\' |
		sed 's/^siw-y := //' | xargs -n 1 | while read -r object; do
		[ ! -e "$driver/${object%.o}.c" ] || echo "$object"
	done | xargs | fold -s -w 60 |
		sed -e '1s/^/siw-y := /' -e '2,$s/^/	 /' -e 's/ *$//' -e '$!s/$/ \\/' \
			>>"$driver/Makefile"
	[ ! -e "$driver/trace.c" ] || {
		echo
		sed -n '/define_trace/,/^CFLAGS_trace/p' "$top/siw/Makefile"
	} >>"$driver/Makefile"
}

# Who maintains what is removed is asked.
maintained=$(git show base:MAINTAINERS | awk '
	/^SOFT-IWARP DRIVER/ { entry = 1 }
	/^$/ { entry = 0 }
	entry && sub(/^M:\t/, "Cc: ")')

for patch in "$here"/kernel/[0-9][0-9]-*; do
	name=${patch##*/}
	trailers=
	files=$(cd "$top" && eval "printf '%s ' $(sed -n 's/^Files: *//p' "$patch")")
	# shellcheck disable=SC2086 # a list of words
	add $files
	case $name in
	*-remove)
		trailers=$maintained
		rm -rf "$driver"
		edit drivers/infiniband/Kconfig '/sw\/siw\/Kconfig"$/d'
		edit drivers/infiniband/sw/Makefile '/CONFIG_RDMA_SIW/d'
		;;
	*-abi) ;;
	*-kconfig)
		sed '/^config RDMA_SIW_KUNIT_TEST/,$d' "$top/siw/Kconfig" |
			sed '$d' >"$driver/Kconfig"
		edit drivers/infiniband/Kconfig '/sw\/rxe\/Kconfig"$/a\
source "'$driver'/Kconfig"'
		edit drivers/infiniband/sw/Makefile '/CONFIG_RDMA_RXE/a\
obj-$(CONFIG_RDMA_SIW)			+= siw/'
		sed '/^siw-$(CONFIG_RDMA_SIW_KUNIT_TEST)/,$d' \
			"$top/siw/Makefile" | sed '$d' >"$driver/Makefile"
		;;
	*-kunit)
		cp "$top/siw/Kconfig" "$top/siw/Makefile" "$driver/"
		;;
	*-documentation)
		cp "$here/kernel/siw.rst" Documentation/infiniband/
		edit Documentation/infiniband/index.rst '/^   ipoib$/a\
   siw'
		;;
	*-selftests)
		mkdir -p "$tests"
		(cd "$top/selftests/kselftest" && cp -- *.[ch] *.sh siw_kunit \
			siw_encrypt README config "$linux/$tests/")
		# The tests of the command siw are not for the kernel.
		edit "$tests/README" '/^siw_\(command\|doctor\)	/d'
		edit "$tests/README" '/^siw_command: /,/^$/d'
		edit "$tests/README" '/^siw_doctor: /,/^$/d'
		list=$(sed -n '/^TESTS :=/,/[^\\]$/p' \
			"$top/selftests/kselftest/Makefile" | tr -d '\\' |
			sed 's/TESTS :=//' | xargs -n 4)
		{
			echo '# SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause'
			echo "$list" | xargs -n 1
		} >"$tests/.gitignore"
		list=$(echo "$list" | sed '$!s/$/ \\\\/')
		awk -v list="$list" 'BEGIN { gsub(/\n/, "\n\t", list) } {
			at = index($0, "#TESTS#")
			print at ? substr($0, 1, at - 1) list : $0
		}' "$here/kernel/selftests.mk" >"$tests/Makefile"
		edit tools/testing/selftests/Makefile '/^TARGETS += rdma$/a\
TARGETS += rdma/siw'
		;;
	*-maintainers)
		trailers=$maintained
		awk -v entry="$(cat "$here/kernel/MAINTAINERS")" '
			/^SOFT-IWARP DRIVER/ { print entry; skip = found = 1 }
			/^$/ { skip = 0 }
			!skip { print }
			END { exit !found }' MAINTAINERS >MAINTAINERS.new ||
			die 'MAINTAINERS: no entry of siw'
		mv MAINTAINERS.new MAINTAINERS
		;;
	*)
		makefile
		;;
	esac
	commit_patch "$patch" "$paths" "$trailers"
done

for file in $(cd "$top" && find siw -type f -name '*.[ch]' ! -name ext_abi.h); do
	[ -e "$driver/${file#siw/}" ] || die "$file is in no patch"
done
write_series "$out"
