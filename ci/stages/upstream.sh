# shellcheck shell=bash
# The driver as patches for Linux, on the newest kernel source of the archive:
# each of them applies and builds, and the whole is what a maintainer runs before
# taking it. And what a newer kernel would change for us.

upstream_needs='debian-archive-keyring git mmdebstrap perl python3 python3-docutils
	python3-git python3-ply xz-utils'
upstream_siw=drivers/infiniband/sw/siw

# upstream_unpack SOURCE DIR: a directory, a tarball, or Debian's linux-source.
upstream_unpack() {
	local source=$1 dir=$2
	[ "$(cat "$dir.stamp" 2>/dev/null)" = "$source" ] && return
	rm -rf "$dir" "$dir.stamp"
	mkdir -p "$dir"
	case $source in
	*.deb) linux_unpack "$source" "$dir" ;;
	*.tar*) tar -xf "$source" -C "$dir" --strip-components=1 ;;
	*) cp -a "$source/." "$dir" && rm -rf "$dir/.git" ;;
	esac && [ -e "$dir/Kbuild" ] || {
		say "$source: no source of Linux"
		return 1
	}
	say "$source" >"$dir.stamp"
}

upstream_tree() {
	local line series version deb
	line=$(resolve newest) || return 1
	read -r _ series version _ <<<"$line"
	deb=$(linux_source "$series" "$version") || return 1
	mkdir -p "$dir"
	upstream_unpack "$deb" "$dir/linux"
}

upstream_series() {
	"$top/packaging/upstream/make-kernel-series.sh" "$dir/linux" "$dir/kernel" &&
		"$top/packaging/upstream/make-kernel-series.sh" "$dir/linux" \
			"$dir/again" && diff -r "$dir/kernel" "$dir/again" &&
		rm -r "$dir/again" && ls "$dir/kernel"
}

# Nothing of how the driver is built elsewhere.
upstream_pure() {
	! (cd "$dir/linux" && git diff base siw -- $upstream_siw include/uapi |
		grep -nE '^\+.*(compat|SIWC|DKMS|dkms|LINUX_VERSION_CODE|docs/)')
}

# checkpatch_of IGNORE PATCH. New files are looked up in MAINTAINERS by
# upstream_maintained; without git it does not ask spdxcheck.py for each file.
checkpatch_of() {
	(cd "$dir/linux" && GIT_DIR=/nowhere perl scripts/checkpatch.pl --strict \
		--terse --show-types --no-summary \
		--ignore "FILE_PATH_CHANGES${1:+,$1}" "$2")
}

upstream_checkpatch() {
	local patch status=0
	for patch in "$dir"/kernel/*.patch; do
		case $patch in
		*0000-cover-letter* | *-selftests-*) continue ;;
		esac
		checkpatch_of '' "$patch" || status=1
	done
	(cd "$dir/linux" && git diff -z --name-only --no-renames --diff-filter=A \
		base siw | xargs -0 python3 scripts/spdxcheck.py) || status=1
	return "$status"
}

# What concerns the code of kernels says nothing of programs: their types, their
# attributes; and PRIu64 is not CamelCase. The rest is style, told and not yet
# mended.
upstream_selftests_style() {
	checkpatch_of PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,CAMELCASE,VOLATILE \
		"$dir"/kernel/*-selftests-*.patch >"$out/log/upstream-selftests-style.log"
	say "# $(grep -c : "$out/log/upstream-selftests-style.log") complaints of" \
		"checkpatch --strict about the selftests:" \
		"$out/log/upstream-selftests-style.log"
}

# Each new file is one of our entry, and the kernel's own script finds the entry.
upstream_maintained() {
	local file pattern status=0
	cd "$dir/linux" || return 1
	for file in $(git diff --name-only --no-renames --diff-filter=A base siw); do
		for pattern in $(sed -n 's/^F:\t//p' \
			"$top/packaging/upstream/kernel/MAINTAINERS"); do
			[[ $file != "$pattern" && $file != "${pattern%/}"/* ]] ||
				continue 2
		done
		say "$file: not in the entry of MAINTAINERS"
		status=1
	done
	perl scripts/get_maintainer.pl --no-git --no-git-fallback \
		"$dir"/kernel/0003-*.patch | grep -F "$(sed -n 's/^M:\t//p' \
			"$top/packaging/upstream/kernel/MAINTAINERS")" || status=1
	return "$status"
}

# upstream_make ARGUMENT...: the driver's directory, against the headers of Debian's
# kernel of that source, with the symbols it exports.
upstream_make() {
	local linux=/srv/upstream/linux kernel
	kernel=$(kernel_of "$(root newest full)")
	in_root "$(root newest full)" make -C "/lib/modules/$kernel/build" \
		"M=$linux/$upstream_siw" -j "$jobs" W=1 CONFIG_RDMA_SIW=m \
		"KCPPFLAGS=-I$linux/include/uapi" "$@"
}

# upstream_silent LOG: nothing was said about our files.
# module_init() and MODULE_ALIAS() have that expression in every driver.
upstream_silent() {
	! grep -E '(^|/)(siw/|siw-).*(warning|error):' "$1" |
		grep -v 'siw/main.c:.*: bad constant expression$'
}

# Applied one after the other, each is compiled, also before the directory is part
# of the kernel. The first has nothing left to compile, the last few nothing new.
upstream_bisect() {
	local patch objects=0 log=$out/log/upstream-bisect.make
	: >"$log"
	cd "$dir/linux" && git checkout -q -f --detach base || return 1
	rm -rf $upstream_siw
	git checkout -q -f --detach base || return 1
	for patch in "$dir"/kernel/0*.patch; do
		case $patch in *0000-cover-letter*) continue ;; esac
		git -c user.name=ci -c user.email=ci@siw.invalid am -q "$patch" ||
			return 1
		[ -e $upstream_siw/Makefile ] || {
			say "${patch##*/}: nothing there"
			continue
		}
		upstream_make siw.o >>"$log" 2>&1 || {
			tail -n 40 "$log"
			return 1
		}
		objects=$(find $upstream_siw -name '*.o' ! -name siw.o | wc -l)
		say "${patch##*/}: $objects objects"
	done
	git diff --quiet HEAD siw || {
		say 'the patches do not give the tree they are made from'
		return 1
	}
	git checkout -q -f siw
	upstream_silent "$log" && [ "$objects" -gt 20 ]
}

# Every file once more, by sparse. The suite's is older than __typeof_unqual__ in the
# kernel's headers, and Debian's headers lack the script that looks for that; C=2
# would be taken back.
upstream_sparse() {
	local log=$out/log/upstream-sparse.make
	upstream_make siw.o KBUILD_CHECKSRC=2 \
		CF=-D__typeof_unqual__=__typeof__ >"$log" 2>&1
	[ "$(grep -c '  CHECK ' "$log")" -gt 20 ] || {
		tail -n 40 "$log"
		say 'sparse did not run'
		return 1
	}
	upstream_silent "$log"
}

# With the hooks of the directory above, as the kernel's own build goes there.
upstream_hooked() {
	local file
	for file in drivers/infiniband/Kconfig drivers/infiniband/sw/Makefile; do
		grep -n 'siw' "$dir/linux/$file" || return 1
	done
	git -C "$dir/linux" diff --quiet base siw -- drivers/infiniband/Kconfig \
		drivers/infiniband/sw/Makefile
}

# The whole module, by the kernel's symbols. Its KUnit tests are built and run by the
# stage kunit, from the same files.
upstream_module() {
	local log=$out/log/upstream-module.make
	upstream_make modules >"$log" 2>&1 || {
		tail -n 40 "$log"
		return 1
	}
	[ -s "$dir/linux/$upstream_siw/siw.ko" ] && ! grep undefined "$log" &&
		upstream_silent "$log" || return 1
	cp "$dir/linux/$upstream_siw/siw.ko" "$dir/"
}

# From the top of the tree, by its own configuration, with the KUnit tests.
upstream_in_tree() {
	local build=$dir/um log=$out/log/upstream-in-tree.make
	rm -rf "$build"
	mkdir -p "$build"
	"${um_make[@]}" -s -C "$dir/linux" "O=$build" "KCONFIG_ALLCONFIG=$um_config" \
		allnoconfig && configured "$build/.config" "$um_config" || return 1
	"${um_make[@]}" -C "$dir/linux" "O=$build" W=1 "$upstream_siw/" >"$log" 2>&1 || {
		tail -n 40 "$log"
		return 1
	}
	find "$build/$upstream_siw" -name '*.o' >"$build/objects"
	grep '/tests/' "$build/objects" && [ "$(grep -c . "$build/objects")" -gt 20 ] &&
		upstream_silent "$log"
}

upstream_doc() {
	local said
	said=$(cd "$dir/linux" && find $upstream_siw include/uapi/rdma/siw-ext-abi.h \
		-name '*.[ch]' -exec python3 tools/docs/kernel-doc -none -Wall {} + 2>&1)
	say "$said"
	! grep -qiE 'warning:|error:|Traceback' <<<"$said" || return 1
	cd "$dir/linux/Documentation/infiniband" &&
		python3 -m docutils --strict siw.rst /dev/null
}

# As a program includes it, in strict C.
upstream_uapi() {
	gcc -std=c90 -Wall -Wextra -Wpedantic -Werror -x c -fsyntax-only \
		"$dir/linux/include/uapi/rdma/siw-ext-abi.h"
}

upstream_selftests() {
	local build=/srv/upstream/selftests
	rm -rf "$dir/selftests"
	mkdir -p "$dir/selftests/objects" "$dir/selftests/install"
	in_root "$(deb_root bookworm)" make \
		-C /srv/upstream/linux/tools/testing/selftests/rdma/siw \
		OUTPUT=$build/objects INSTALL_PATH=$build/install \
		USERCFLAGS=-Werror all || return 1
	find "$dir/selftests/objects" -type f -perm -1 -printf '%f\n' | sort |
		diff - <(grep '^siw_' \
			"$dir/linux/tools/testing/selftests/rdma/siw/.gitignore" | sort)
}

# upstream_rebase SOURCE: what it would change for us, from its text.
upstream_rebase() {
	check newer upstream_unpack "$1" "$dir/newer" || return
	"$top/packaging/upstream/rebase.sh" "$dir/linux" "$dir/newer" "$dir/siw.ko" |
		tee "$out/rebase"
	say "# $out/rebase"
}

# A newer kernel as it may come, and each of its changes is told.
upstream_altered() {
	local newer=$dir/newer
	rm -rf "$newer" "$newer.stamp"
	cp -al "$dir/linux" "$newer" && rm -rf "$newer/.git" || return 1
	# As it was before the series.
	(cd "$newer" && git -C "$dir/linux" diff -z --name-only --no-renames \
		base siw | xargs -0 rm -f)
	git -C "$dir/linux" diff -z --name-only --no-renames --diff-filter=MD \
		base siw | xargs -0 git -C "$dir/linux" archive base -- |
		tar -xC "$newer" || return 1
	say altered >"$newer.stamp"
	sed -i '/CONFIG_RDMA_RXE/s/[[:space:]]*+=/ +=/' \
		"$newer/drivers/infiniband/sw/Makefile"
	sed -i 's/^EXPORT_SYMBOL(tcp_read_sock);/EXPORT_SYMBOL_GPL(tcp_read_sock);/' \
		"$newer/net/ipv4/tcp.c"
	sed -i '/^EXPORT_SYMBOL(rdma_link_unregister);/d' \
		"$newer/drivers/infiniband/core/nldev.c"
	sed -i 's/^void rdma_link_register(.*/int rdma_link_register(struct rdma_link_ops *ops, int flags);/' \
		"$newer/include/rdma/rdma_netlink.h"
	sed -i 's/timer_container_of/timer_holder_of/' "$newer/include/linux/timer.h"
}

upstream_altered_told() {
	local line status=0
	[ "$(grep -c . "$out/rebase")" -lt 20 ] || {
		say 'more is told than was altered'
		return 1
	}
	while read -r line; do
		grep -E -- "$line" "$out/rebase" || {
			say "not told: $line"
			status=1
		}
	done <<-'END'
		drivers/infiniband/sw/Makefile: Hunk .* FAILED
		^tcp_read_sock: was .*EXPORT_SYMBOL, is .*EXPORT_SYMBOL_GPL
		^rdma_link_unregister: no longer exported
		^<rdma/rdma_netlink.h>: .*rdma_link_register
		^timer_container_of: timer_container_of
	END
	return "$status"
}

# The provider, on the newest rdma-core of the archive. Each patch applies, and they
# give what the stage provider builds, but for the place of one header.
upstream_provider() {
	local tarball core=$dir/rdma-core ours=$dir/rdma-core-ours
	tarball=$(provider_tarball sid)
	rm -rf "$core" "$ours"
	mkdir -p "$core"
	tar -xf "$tarball" -C "$core" --strip-components=1 &&
		"$top/packaging/upstream/make-rdma-core-series.sh" "$core" \
			"$dir/provider" &&
		"$top/packaging/provider/unpack.sh" "$tarball" "$ours" || return 1
	(
		cd "$core" && git checkout -q -f --detach base &&
			git -c user.name=ci -c user.email=ci@siw.invalid am -q \
				"$dir"/provider/000[1-9]-*.patch &&
			git diff --quiet HEAD siw || exit 1
		cmp kernel-headers/rdma/siw-ext-abi.h \
			"$ours/providers/siw/siw-ext-abi.h" || exit 1
		rm "$ours/providers/siw/siw-ext-abi.h"
		sed -i 's,^#include "siw-ext-abi.h",#include <rdma/siw-ext-abi.h>,' \
			"$ours/providers/siw/siw.h"
		cd providers/siw || exit 1
		for file in *; do
			diff <(sort "$file") <(sort "$ours/providers/siw/$file") ||
				exit 1
		done
		[ "$(ls)" = "$(ls "$ours/providers/siw")" ]
	) || return 1
	rm -rf "$core" "$ours"
	ls "$dir/provider"
}

upstream_ready() {
	# shellcheck disable=SC2086 # a list of words
	need $upstream_needs $um_needs
	check root-newest root_ready newest full &&
		check source upstream_tree &&
		check series upstream_series
}

# stage_upstream [--rebase SOURCE]
stage_upstream() {
	local dir=$out/share/upstream
	# The python3 of Debian, which has the modules.
	local -x PATH=/usr/sbin:/usr/bin:/sbin:/bin
	upstream_ready || return
	if [ "${1:-}" = --rebase ]; then
		[ -s "$dir/siw.ko" ] || check module upstream_module || return
		upstream_rebase "$2"
		return
	fi
	check pure upstream_pure
	check hooked upstream_hooked
	check uapi upstream_uapi
	check each-patch-builds upstream_bisect
	check sparse upstream_sparse
	check module upstream_module &&
		check newer-kernel upstream_altered &&
		upstream_rebase altered &&
		check newer-kernel-is-told upstream_altered_told
	rm -rf "$dir/newer" "$dir/newer.stamp"
	check in-tree upstream_in_tree
	rm -rf "$dir/um"
	check checkpatch upstream_checkpatch
	upstream_selftests_style
	check maintainers upstream_maintained
	check documentation upstream_doc
	check rdma-core provider_fetched sid && check provider upstream_provider
	check root-deb deb_root_ready bookworm &&
		check selftests upstream_selftests
}
