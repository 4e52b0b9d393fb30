# shellcheck shell=bash
# From a root to what a guest boots: kernel, initramfs, read-only root image.

# A row's guest files live together.
image_dir() { say "$out/image/$1"; }

# modules_for ROOT KERNEL MODULE...: files and their dependencies, load order.
modules_for() {
	local root=$1 kernel=$2 module
	shift 2
	for module; do
		modprobe -d "$root" -S "$kernel" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# make_initramfs ROOT KERNEL FILE BUSYBOX
make_initramfs() {
	local root=$1 kernel=$2 file=$3 busybox=$4 dir module name
	dir=$(mktemp -d)
	mkdir -p "$dir"/{bin,dev,proc,sys,lower,rw,root}
	cp "$busybox" "$dir/bin/busybox"
	cp "$top/ci/images/initramfs-init" "$dir/init"
	while read -r module; do
		name=${module##*/}
		case $name in
		*.xz) xz -dc "$module" >"$dir/${name%.xz}" ;;
		*.zst) zstd -qdc "$module" >"$dir/${name%.zst}" ;;
		*) cp "$module" "$dir/$name" ;;
		esac
		say "/${name%.[xz]*}" >>"$dir/modules"
	done < <(modules_for "$root" "$kernel" virtio_pci virtio_blk erofs overlay)
	(cd "$dir" && find . | cpio --quiet -o -H newc) >"$file"
	rm -rf "$dir"
}

# prepare_guest ROOT: what a guest needs and Debian does not bring.
prepare_guest() {
	local root=$1 unit
	install -D -t "$root/usr/lib/siw-ci" "$top/ci/images/init" \
		"$top/ci/images/agent"
	install -m 644 -D -t "$root/etc/systemd/system" \
		"$top/ci/images/siw-ci-agent.service"
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
	ln -sf ../siw-ci-agent.service \
		"$root/etc/systemd/system/multi-user.target.wants/"
	for unit in getty.target nvmf-autoconnect.service e2scrub_reap.service \
		apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
		fstrim.timer e2scrub_all.timer systemd-binfmt.service \
		strongswan.service; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
	: >"$root/etc/fstab"
	passwd -q -R "$root" -d root
}

# pack_image NAME ROOT [STATE]: kernel, initramfs and root image of an installed
# tree. What only a build needs stays out of the guest. STATE is what it was made
# from, for a name that is no row.
pack_image() {
	local name=$1 root=$2 dir kernel busybox=/bin/busybox
	[ -z "$(cross_for "$name")" ] || busybox=$root/usr/bin/busybox
	dir=$(image_dir "$name")
	kernel=$(kernel_of "$root")
	mkdir -p "$dir"
	rm -f "$dir/state" "$dir/root.erofs"
	cp "$root/boot/vmlinuz-$kernel" "$dir/vmlinuz" &&
		make_initramfs "$root" "$kernel" "$dir/initrd" "$busybox" || return 1
	mkfs.erofs --quiet --exclude-path=boot --exclude-path=usr/src \
		--exclude-path=usr/lib/gcc --exclude-path=usr/include \
		--exclude-path=usr/share/doc --exclude-path=usr/share/locale \
		--exclude-path=usr/share/man --exclude-path=var/cache/apt \
		--exclude-path=var/lib/apt/lists --exclude-path=var/lib/dkms \
		--exclude-regex='^(proc|sys|dev|run|tmp)/.+' \
		"$dir/root.erofs" "$root" &&
		say "${3:-$(image_state "$name")}" >"$dir/state"
}

# What an image was made from.
image_state() {
	{
		debs_state "$(kernel_field "$1" suite)"
		cat "$(root "$1" full).stamp" "$top"/ci/images/* \
			"$top/ci/lib/images.sh"
	} | sha256sum
}

image_is_fresh() {
	[ "$(cat "$(image_dir "$1")/state" 2>/dev/null)" = "$(image_state "$1")" ]
}

# open_root NAME DIR: a private copy of the row's root, ready to become a guest
# and with our repository in its apt sources.
open_root() {
	copy_of "$(root "$1" full)" "$2" && prepare_guest "$2" &&
		add_repo "$2" "$(kernel_field "$1" suite)" &&
		in_root "$2" apt-get -qq update \
			-o Dir::Etc::SourceList=/dev/null
}

# install_siw DIR [NAME=VALUE...]: by apt, so that DKMS builds the module for the kernel
# there.
install_siw() {
	in_root "$1" "${@:2}" apt-get -y -q install --no-install-recommends siw
}

# dkms_silent ROOT: DKMS built siw there, and the compiler had nothing to say.
dkms_silent() {
	local logs
	mapfile -t logs < <(find "$1/var/lib/dkms/siw" -name make.log)
	[ ${#logs[@]} -gt 0 ] && ! grep -HE '(warning|error):' "${logs[@]}"
}

# installed_image NAME: the row's image, with siw installed: W=1, and a warning is an
# error. What the probes said of the same headers before is not asked again; `package`
# has it asked.
installed_image() {
	local name=$1 root=$out/roots/$1 status
	debs_ready "$(kernel_field "$name" suite)" || return 1
	image_is_fresh "$name" && return
	open_root "$name" "$root" &&
		install_siw "$root" SIW_PROBE_CACHE=/srv/probes KBUILD_EXTRA_WARN=1 &&
		module_installed "$root" && dkms_silent "$root" &&
		pack_image "$name" "$root"
	status=$?
	rm -rf "$root"
	return "$status"
}
