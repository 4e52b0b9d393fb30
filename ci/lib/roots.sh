# shellcheck shell=bash
# Debian roots: one tree per suite with its user space, and a copy of it for each
# row of kernels.toml with that kernel and its headers. Cached, renewed after a
# week or when the archive has another kernel for the row.

root_days=7

# The mirrors are those of the host's own apt sources, unless SIW_MIRROR and
# SIW_MIRROR_SECURITY name others.
find_mirrors() {
	local targets
	# shellcheck disable=SC2016 # apt's own variables
	targets=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
		'Created-By: Packages')
	: "${SIW_MIRROR:=$(awk '$2 ~ /^[a-z]+$/ && $1 ~ "/debian/?$" {
			print $1
			exit
		}' <<<"$targets")}"
	: "${SIW_MIRROR_SECURITY:=$(awk '$2 ~ /-security$/ {
			print $1
			exit
		}' <<<"$targets")}"
	[ -n "$SIW_MIRROR" ] || die 'no Debian mirror in apt sources: set SIW_MIRROR'
	: "${SIW_MIRROR_SECURITY:=${SIW_MIRROR%/}-security}"
}

# sources SUITE [OPTIONS]: its pockets, as an apt sources.list.
sources() {
	local pocket mirror
	for pocket in $(field suite "$1" pockets); do
		mirror=$SIW_MIRROR
		case $pocket in
		*-security) mirror=$SIW_MIRROR_SECURITY ;;
		esac
		say "deb${2:+ [$2]} $mirror $pocket main"
	done
}

# in_root ROOT COMMAND...: chroot with /proc, /dev, /run, and build/ci/share as
# /srv. The mounts vanish with the command.
in_root() {
	local root=$1
	shift
	mkdir -p "$root/srv" "$out/share"
	cp --remove-destination /etc/resolv.conf "$root/etc/resolv.conf"
	# shellcheck disable=SC2016 # expands inside
	unshare --mount --pid --fork --kill-child -- bash -c '
		root=$1 share=$2
		shift 2
		mount -t proc proc "$root/proc" &&
		mount --rbind /dev "$root/dev" &&
		mount -t tmpfs tmpfs "$root/run" &&
		mount --bind "$share" "$root/srv" &&
		exec chroot "$root" "$@"' bash "$root" "$out/share" \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
		DEBIAN_FRONTEND=noninteractive nice env "$@"
}

# packages LIST...: the names in ci/images/LIST.pkgs
packages() {
	local list
	for list; do
		sed -e 's/#.*//' "$top/ci/images/$list.pkgs"
	done | xargs
}

# make_root DIR SUITE PACKAGE...
make_root() {
	local dir=$1 suite=$2 list
	shift 2
	list=$(printf '%s,' "$@")
	sources "$suite" >"$dir.list"
	nice mmdebstrap --variant=minbase --mode=root \
		--include="${list%,}" \
		--aptopt='Apt::Install-Recommends "false"' \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='Acquire::Languages "none"' \
		"$suite" "$dir" "$dir.list" >"$dir.log" 2>&1 || {
		grep -E '^(E|W|Err):' "$dir.log" | cut -c 1-300
		return 1
	}
	rm -f "$dir.list" "$dir.log"
}

# copy_of ROOT DIR: a private copy, to install into.
copy_of() {
	rm -rf "$2"
	mkdir -p "${2%/*}"
	cp -a --reflink=auto "$1" "$2"
}

# cached DIR STAMP COMMAND...: DIR as COMMAND makes it at DIR.new, unless a
# fresh one of the same stamp is there.
cached() {
	local dir=$1 stamp=$2
	shift 2
	[ "$(cat "$dir.stamp" 2>/dev/null)" = "$stamp" ] && return
	mkdir -p "${dir%/*}"
	rm -rf "$dir.new"
	"$@" "$dir.new" || return 1
	rm -rf "$dir" "$dir.stamp"
	mv "$dir.new" "$dir"
	say "$stamp" >"$dir.stamp"
}

# The user space of a suite; KIND is `full` (all that a stage needs) or `bare`
# (nothing of ours or of RDMA).
suite_root() { say "$cache/roots/suite-$1-$2"; }

suite_packages() {
	local lacks package
	lacks=" $(field suite "$1" lacks) "
	packages "$2" | tr ' ' '\n' | while read -r package; do
		[[ $lacks == *" $package "* ]] || say "$package"
	done
}

suite_make() {
	local suite=$1 kind=$2 dir=$3
	say "# making the $kind root of $suite"
	# shellcheck disable=SC2046 # a list of words
	make_root "$dir" "$suite" $(suite_packages "$suite" "$kind")
}

suite_ready() {
	local suite=$1 kind=$2
	cached "$(suite_root "$suite" "$kind")" "$({
		sources "$suite"
		suite_packages "$suite" "$kind"
		declare -f make_root
		say $(($(date +%s) / 86400 / root_days))
	} | sha256sum)" suite_make "$suite" "$kind"
}

# root NAME KIND: the path of a row's root, with its kernel and headers.
root() { say "$cache/roots/row-$1-$2"; }

# The packages of a kernel come from one pocket, and nothing else does.
# kernel_install FROM POCKET PACKAGES DIR
kernel_install() {
	local from=$1 pocket=$2 packages=$3 dir=$4
	say "# installing $packages"
	copy_of "$from" "$dir"
	printf 'Package: linux-*\nPin: release %s\nPin-Priority: 600\n\n' \
		"a=$pocket" "n=$pocket" >"$dir/etc/apt/preferences.d/kernel"
	# Nothing boots these roots' own initrd.
	# shellcheck disable=SC2086 # a list of words
	in_root "$dir" apt-get -qq update &&
		in_root "$dir" env INITRD=No apt-get -qq -y install \
			--no-install-recommends $packages >"$dir.log" 2>&1 || {
		tail -n 20 "$dir.log"
		say "could not be installed from $pocket: $packages"
		return 1
	}
	in_root "$dir" apt-get -qq clean
	rm -rf "$dir"/var/lib/apt/lists/* "$dir.log"
}

# kernel_packages NAME RELEASE: Debian's, or our own of linux_debs.
kernel_packages() {
	local debs=$out/share/linux-$1 arch
	arch=$(cross_for "$1")
	if [ -z "$(kernel_field "$1" config)" ]; then
		say "linux-image-$2${arch:+:$arch} linux-headers-$2${arch:+:$arch}"
		return
	fi
	linux_ready "$1" >&2 || return 1
	rm -rf "$debs"
	cp -r "$(linux_debs "$1")" "$debs"
	(cd "$debs" && printf "/srv/linux-$1/%s " *.deb)
	# Modules are built by what built the kernel.
	[ "$(kernel_field "$1" compiler)" != clang ] || say clang lld llvm
}

# root_ready NAME KIND
root_ready() {
	local name=$1 kind=$2 suite arch from line pocket version release packages
	archive_ready && line=$(resolve "$name") || return 1
	read -r pocket _ version release _ <<<"$line"
	suite=$(kernel_field "$name" suite)
	packages=$(kernel_packages "$name" "$release") || return 1
	from=$(suite_root "$suite" "$kind")
	suite_ready "$suite" "$kind" || return 1
	arch=$(cross_for "$name")
	[ -z "$arch" ] || {
		from=$(cross_root "$suite" "$arch")
		cross_ready "$suite" "$arch" || return 1
	}
	cached "$(root "$name" "$kind")" "$({
		cat "$from.stamp"
		say "$packages $version"
		[ -z "$(kernel_field "$name" config)" ] || linux_debs "$name"
		declare -f kernel_install
	} | sha256sum)" kernel_install "$from" "$pocket" "$packages"
}

# kernel_of ROOT: the kernel release installed there.
kernel_of() {
	find "$1/lib/modules" -maxdepth 1 -mindepth 1 -printf '%f\n' |
		sort -V | tail -n 1
}

# without_headers ROOT COMMAND...: while the kernel that runs is, as uname says there, one
# whose headers the root has not, whatever the host's is.
other_release=6.1.0-another
without_headers() {
	local root=$1 status
	shift
	mkdir "$root/lib/modules/$other_release" &&
		mv "$root/bin/uname" "$root/bin/uname.own" || return 1
	cat >"$root/bin/uname" <<-END
		#!/bin/sh
		[ "\$*" != -r ] || exec echo $other_release
		exec /bin/uname.own "\$@"
	END
	chmod +x "$root/bin/uname"
	"$@"
	status=$?
	mv "$root/bin/uname.own" "$root/bin/uname" &&
		rmdir "$root/lib/modules/$other_release" && return "$status"
}

# add_broken_kernel ROOT: one that nothing can be built for, before all others.
broken_kernel=5.10.0-broken
add_broken_kernel() {
	local config=$1/lib/modules/$broken_kernel/build/include/config
	mkdir -p "$config"
	printf 'CONFIG_%s=y\n' INET INFINIBAND INFINIBAND_VIRT_DMA \
		INFINIBAND_ADDR_TRANS >"$config/auto.conf"
}
