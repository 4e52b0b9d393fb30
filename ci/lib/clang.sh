# shellcheck shell=bash
# The module by clang, for its warnings; what comes out is loaded nowhere. A stock
# kernel is gcc's, so its headers make kbuild give flags that clang refuses. In a
# root of clang's own they say what Kconfig would have found with clang.

clang_root() { root "$1" clang; }

# Options by name that clang has not, and lines for those it has.
clang_lacks='CC_HAS_MIN_FUNCTION_ALIGNMENT|CC_HAS_NAMED_AS|CC_IMPLICIT_FALLTHROUGH'
clang_lacks+='|CC_IS_GCC|CLANG_VERSION|FTRACE_MCOUNT_USE_CC|GCC_VERSION'
clang_lacks+='|UBSAN_BOUNDS_STRICT|USE_X86_SEG_SUPPORT'

clang_has() {
	printf '%s\n' CONFIG_CC_IS_CLANG=y CONFIG_FTRACE_MCOUNT_USE_OBJTOOL=y \
		CONFIG_UBSAN_ARRAY_BOUNDS=y CONFIG_GCC_VERSION=0 \
		"CONFIG_CLANG_VERSION=$(in_root "$1" clang -dumpversion |
			awk -F. '{ print $1 * 10000 + $2 * 100 + $3 }')"
}

clang_configure() {
	local root=$1 dir make header
	dir=$root/usr/src/linux-headers-$(kernel_of "$root")/include
	make=$dir/config/auto.conf header=$dir/generated/autoconf.h
	sed -i -E "/^(#define )?CONFIG_($clang_lacks)[ =]/d" "$make" "$header" &&
		clang_has "$root" >>"$make" &&
		say CONFIG_CC_IMPLICIT_FALLTHROUGH=-Wimplicit-fallthrough >>"$make" &&
		clang_has "$root" | sed -E 's/^(.*)=/#define \1 /; s/ y$/ 1/' \
			>>"$header"
}

clang_make() {
	local from=$1 dir=$2
	copy_of "$from" "$dir"
	in_root "$dir" apt-get -qq update &&
		in_root "$dir" apt-get -qq -y install --no-install-recommends \
			clang lld llvm && clang_configure "$dir" || return 1
	rm -rf "$dir"/var/lib/apt/lists/*
}

# clang_silent NAME: W=1, and a warning is an error, as in the stage build.
clang_silent() {
	local name=$1 log=$out/log/clang-$1.make root dir=$out/share/clang-$1
	root=$(clang_root "$name")
	cached "$root" "$({
		cat "$(root "$name" full).stamp"
		say "$clang_lacks"
		declare -f clang_has clang_configure clang_make
	} | sha256sum)" clang_make "$(root "$name" full)" || return 1
	tree_build "$root" "clang-$name" "$log" W=1 LLVM=1 CC=clang || return 1
	readelf -p .comment "$dir/siw.ko" | grep -i clang &&
		! grep -E '(warning|error):' "$log"
}
