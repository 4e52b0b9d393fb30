# shellcheck shell=bash
# Rows of another architecture than the host's. None of its programs can run
# here, packages' scripts neither: the module and the tests are cross-built, and
# the guest's root is unpacked from packages without being configured.

# cross_for NAME: the architecture of the row, nothing if it is the host's.
cross_for() { kernel_field "$1" arch; }

# A suite's root with what it takes to cross-build.
cross_root() { say "$cache/roots/suite-$1-cross-$2"; }

cross_make() {
	local suite=$1 arch=$2 dir=$3
	copy_of "$(suite_root "$suite" full)" "$dir"
	in_root "$dir" dpkg --add-architecture "$arch" &&
		in_root "$dir" apt-get -qq update &&
		in_root "$dir" apt-get -qq -y install --no-install-recommends \
			"crossbuild-essential-$arch" "libibverbs-dev:$arch" \
			"librdmacm-dev:$arch" || return 1
	rm -rf "$dir"/var/lib/apt/lists/*
}

cross_ready() {
	cached "$(cross_root "$1" "$2")" "$({
		cat "$(suite_root "$1" full).stamp"
		declare -f cross_make
	} | sha256sum)" cross_make "$1" "$2"
}

# cross_tool NAME TOOL: what the row's root calls its gcc, strip, ...
cross_tool() {
	in_root "$(root "$1" full)" dpkg-architecture -f -a "$(cross_for "$1")" \
		-q DEB_HOST_GNU_TYPE | sed "s/\$/-$2/"
}

# What the guests of a suite have in common.
guest_root() { say "$cache/roots/suite-$1-guest-$2"; }

guest_make() {
	local suite=$1 arch=$2 dir=$3 list
	list=$(packages guest)
	sources "$suite" >"$dir.list"
	nice mmdebstrap --quiet --variant=extract --mode=root \
		--architectures="$arch" --include="${list// /,}" \
		--aptopt='Apt::Install-Recommends "false"' \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='Acquire::Languages "none"' \
		"$suite" "$dir" "$dir.list" || return 1
	rm -f "$dir.list"
	# What scripts would have made.
	ln -s mawk "$dir/usr/bin/awk"
	rmdir "$dir/var/run" && ln -s ../run "$dir/var/run"
}

guest_ready() {
	cached "$(guest_root "$1" "$2")" "$({
		sources "$1"
		packages guest
		declare -f guest_make
		say $(($(date +%s) / 86400 / root_days))
	} | sha256sum)" guest_make "$1" "$2"
}

# cross_image NAME: what the row's guest boots, with the siw.ko of module_build.
cross_image() {
	local name=$1 from root=$out/roots/$1 suite kernel strip status
	need qemu-system-arm
	suite=$(kernel_field "$name" suite)
	from=$(root "$name" full)
	kernel=$(kernel_of "$from")
	strip=$(cross_tool "$name" strip)
	guest_ready "$suite" "$(cross_for "$name")" || return 1
	copy_of "$(guest_root "$suite" "$(cross_for "$name")")" "$root"
	install -D -t "$root/usr/lib/siw-ci" "$top/ci/images/init" \
		"$top/ci/images/agent"
	mkdir -p "$root/usr/lib/modules"
	cp -a "$from/usr/lib/modules/$kernel" "$root/usr/lib/modules/" &&
		cp "$from/boot/vmlinuz-$kernel" "$root/boot/" &&
		in_root "$from" "$strip" -g "/srv/build-$name/siw.ko" &&
		install -m 644 -D -t "$root/usr/lib/modules/$kernel/updates" \
			"$out/share/build-$name/siw.ko" &&
		depmod -b "$root" "$kernel" && pack_image "$name" "$root"
	status=$?
	rm -rf "$root"
	return "$status"
}
