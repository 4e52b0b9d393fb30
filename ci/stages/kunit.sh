# shellcheck shell=bash
# The driver's KUnit tests in User Mode Linux: a kernel that is a program.

# From nothing to the prompt in a second; the tests take a few.
kunit_limit=120

um_needs='bc bison busybox-static flex gcc libc6-dev libelf-dev make xz-utils'
um_config=$top/ci/config/um.config
um_make=(nice make ARCH=um -j "$jobs")

# um_tree: where the kernel is, by the hash of what it is made from.
um_tree() {
	local version
	version=$(resolve newest) || return 1
	say "$cache/linux/um-$({
		say "$version"
		cat "$um_config" "$top/siw/Kconfig"
		gcc -dumpfullversion
		declare -f um_build
	} | sha256sum | cut -c 1-12)"
}

# The newest kernel of the archive with our Kconfig and no driver: the tree that
# modules are built against, and the program. What neither needs goes.
um_build() {
	local dir=$1 line series version deb
	line=$(resolve newest) || return 1
	read -r _ series version _ <<<"$line"
	deb=$(linux_source "$series" "$version") || return 1
	linux_unpack "$deb" "$dir" --exclude='*/drivers/infiniband/sw/siw/*' ||
		return 1
	mkdir -p "$dir/drivers/infiniband/sw/siw"
	cp "$top/siw/Kconfig" "$dir/drivers/infiniband/sw/siw/"
	: >"$dir/drivers/infiniband/sw/siw/Makefile"
	"${um_make[@]}" -s -C "$dir" KCONFIG_ALLCONFIG="$um_config" allnoconfig &&
		configured "$dir/.config" "$um_config" &&
		"${um_make[@]}" -s -C "$dir" KASAN_SANITIZE=n UBSAN_SANITIZE=n \
			linux modules || return 1
	find "$dir" -name '*.[coS]' ! -path '*/scripts/*' -delete
	rm -rf "$dir"/{Documentation,drivers,samples,sound,tools} \
		"$dir"/vmlinux* "$dir"/.tmp_*
}

um_ready() {
	local dir
	# The archive is asked once; who wants a newer kernel runs `build`.
	[ -s "$archive/kernels" ] || archive_ready || return 1
	dir=$(um_tree) || return 1
	[ ! -x "$dir/linux" ] || {
		touch "$dir"
		return
	}
	rm -rf "$dir" "$dir.new"
	um_build "$dir.new" && mv "$dir.new" "$dir" || {
		rm -rf "$dir.new"
		return 1
	}
	# What was not used for two weeks will not be.
	find "$cache/linux" -maxdepth 1 -name 'um-*' -mtime +14 \
		-exec rm -rf {} +
}

# kunit_build TREE SOURCE: the driver as the kernel would build it, with its tests,
# warnings are errors.
kunit_build() {
	local tree=$1 source=$2 log=$out/log/kunit-build.make
	mkdir -p "$kunit/${tree##*/}"
	"${um_make[@]}" -C "$tree" M="$source" MO="$kunit/${tree##*/}" W=1 modules \
		>"$log" 2>&1 || {
		cat "$log"
		return 1
	}
	! grep -E '(warning|error):' "$log"
}

# A root that holds busybox and the module.
kunit_root() {
	local tree=$1
	rm -rf "$kunit/root"
	mkdir -p "$kunit"/root/{bin,dev}
	mknod "$kunit/root/dev/console" c 5 1 &&
		cp /bin/busybox "$kunit/root/bin/" &&
		cp "$kunit/${tree##*/}/siw.ko" "$kunit/root/" || return 1
	cat >"$kunit/root/init" <<-'END'
		#!/bin/busybox sh
		busybox insmod /siw.ko
		busybox rmmod siw
		busybox poweroff -f
	END
	chmod +x "$kunit/root/init"
}

# Tests run as the module is loaded, and their KTAP is in the kernel's log.
kunit_run() {
	timeout -k 5 "$kunit_limit" "$1/linux" mem=512M root=/dev/root \
		rootfstype=hostfs rootflags="$kunit/root" ro init=/init \
		con=null con0=fd:0,fd:1 printk.time=0 loglevel=7 panic=-1 \
		</dev/null 2>&1 | tee "$out/log/kunit.console" |
		"$vm_bin" console --name kunit --junit "$out/log/kunit.xml"
}

stage_kunit() {
	local tree kunit=$out/kunit
	# shellcheck disable=SC2086 # a list of words
	need $um_needs
	[ -x "$(um_tree 2>/dev/null)/linux" ] ||
		say '# building a kernel first: some minutes'
	check runner vm_runner_ready &&
		check kernel um_ready && tree=$(um_tree) || return
	check build kunit_build "$tree" "$top/siw" && check root kunit_root "$tree" || return
	rm -f "$out/log/kunit.xml"
	kunit_run "$tree" | grep --line-buffered -v '^ok'
	count_junit kunit "$out/log/kunit.xml"
}
