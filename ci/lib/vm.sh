# shellcheck shell=bash
# The VM runner and what it boots.

vm_bin=$top/build/tools/ci/vm/siw-vm

vm_runner_ready() {
	need cmake ninja-build g++ libarchive-dev libcli11-dev libfmt-dev \
		libmnl-dev libncurses-dev libpcap-dev libtomlplusplus-dev \
		libtraceevent-dev libtracefs-dev nlohmann-json3-dev pkgconf \
		qemu-system-x86 erofs-utils busybox-static cpio kmod xz-utils
	cd "$top" && quietly cmake --preset tools &&
		quietly nice cmake --build --preset tools --target siw-vm
}

# machine NAME [LOG-DIR]: the arguments of siw-vm for the guest of a row.
machine() {
	local dir arch
	dir=$(image_dir "$1")
	arch=$(cross_for "$1")
	say --arch "${arch:-amd64}" --kernel "$dir/vmlinuz" --initrd "$dir/initrd" \
		--root "$dir/root.erofs" --log-dir "${2:-$out/log}" \
		--accel "$(acceleration "$1")"
}

# acceleration NAME: kvm or tcg, by a real boot; asked once. Another
# architecture is always emulated.
acceleration() {
	local dir
	dir=$(image_dir "$1")
	[ -z "$(cross_for "$1")" ] || {
		say tcg
		return
	}
	[ -s "$out/accel" ] || "$vm_bin" probe --kernel "$dir/vmlinuz" \
		--initrd "$dir/initrd" --log-dir "$out/log" >"$out/accel"
	cat "$out/accel"
}
