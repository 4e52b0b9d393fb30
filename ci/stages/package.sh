# shellcheck shell=bash
# The packages, as apt and an administrator meet them.

run_lintian() {
	lintian --fail-on error,warning --allow-root "$repo"/*.deb
}

# Files and directories of a root that are not the bookkeeping of apt and dpkg,
# nor the signing key that dkms makes for itself when it first builds.
files_of() {
	(cd "$1" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev \
		-o -path ./run -o -path ./srv -o -path ./tmp \
		-o -path ./var/lib/apt -o -path ./var/lib/dpkg \
		-o -path './var/lib/dkms/mok.*' \
		-o -path ./var/cache -o -path ./var/log \
		-o -path './usr/lib/modules/*/modules.*' \) -prune -o \
		-printf '%p %y\n' | sort)
}

# Does the root hold the module for its kernel, where modprobe finds it?
module_installed() {
	local found
	found=$(find "$1/lib/modules/" -name 'siw.ko*' | grep updates)
	say "module: ${found:-none}"
	[ -n "$found" ] && modprobe -d "$1" -S "$(kernel_of "$1")" \
		--show-depends siw
}

# From nothing: apt resolves all that siw needs.
install_bare() {
	local root=$out/roots/bare
	copy_of "$(root bookworm bare)" "$root" && add_repo "$root" &&
		in_root "$root" apt-get -qq update &&
		in_root "$root" apt-get -y -q install siw &&
		module_installed "$root" &&
		in_root "$root" dpkg --audit &&
		in_root "$root" dkms status
	local status=$?
	rm -rf "$root"
	return "$status"
}

# Where the dependencies are there already, every trace is ours.
prepare_purge() {
	open_root bookworm "$purge_root" &&
		files_of "$purge_root" >"$out/files.before"
}

install_purgeable() {
	install_siw "$purge_root" && module_installed "$purge_root"
}

# The tree as installed is what the stages vm and demo boot.
image_of_installed() {
	image_is_fresh bookworm || pack_image bookworm "$purge_root"
}

# Removal keeps conffiles, and whether the administrator had the unit enabled.
remove_keeps_only_configuration() {
	in_root "$purge_root" apt-get -y -q remove siw siw-dkms || return 1
	files_of "$purge_root" | diff "$out/files.before" - | grep '^[<>]' |
		grep -v -E -e '^> ./etc/siw' \
			-e '^> ./etc/systemd/system/.*\.wants/siw\.service' \
			-e '^> ./var/lib/systemd/deb-systemd-helper-enabled/' \
			>"$out/left"
	cat "$out/left"
	[ ! -s "$out/left" ]
}

purge_leaves_nothing() {
	in_root "$purge_root" apt-get -y -q purge siw siw-dkms || return 1
	files_of "$purge_root" | diff "$out/files.before" -
}

stage_package() {
	need lintian mmdebstrap debian-archive-keyring kmod erofs-utils \
		busybox-static cpio xz-utils
	check debs debs_ready || return
	check lintian run_lintian
	check root-bookworm-bare root_ready bookworm bare &&
		check install-on-bare-debian install_bare
	check root-bookworm root_ready bookworm full || return
	purge_root=$out/roots/purge
	check copy-of-root prepare_purge &&
		check install install_purgeable &&
		check image image_of_installed &&
		check remove remove_keeps_only_configuration &&
		check purge purge_leaves_nothing
	rm -rf "$purge_root"
}
