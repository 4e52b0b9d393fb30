# shellcheck shell=bash
# Kernels that we build ourselves: Debian's source in another configuration.

linux_needs='bc bison clang cpio debhelper flex kmod libdw-dev libelf-dev
	libssl-dev lld llvm python3 rsync xz-utils'

# linux_source SERIES VERSION: the path of Debian's source package.
linux_source() {
	local file
	mkdir -p "$cache/linux"
	file=$cache/linux/linux-source-$1_${2/:/%3a}_all.deb
	[ -s "$file" ] || (cd "$cache/linux" && archive_apt apt-get -qq \
		download "linux-source-$1=$2" >&2) || return 1
	say "$file"
}

# linux_unpack DEB DIR [TAR-ARGUMENT...]
linux_unpack() {
	local deb=$1 dir=$2
	shift 2
	mkdir -p "$dir"
	dpkg --fsys-tarfile "$deb" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		xz -dc -T "$jobs" | tar -xC "$dir" --strip-components=1 "$@"
}

# A suite's root with what it takes to build a kernel.
builder_root() { say "$cache/roots/suite-$1-builder"; }

builder_make() {
	local suite=$1 dir=$2
	copy_of "$(suite_root "$suite" full)" "$dir"
	# shellcheck disable=SC2086 # a list of words
	in_root "$dir" apt-get -qq update &&
		in_root "$dir" apt-get -qq -y install --no-install-recommends \
			$linux_needs || return 1
	rm -rf "$dir"/var/lib/apt/lists/*
}

builder_ready() {
	suite_ready "$1" full && cached "$(builder_root "$1")" "$({
		cat "$(suite_root "$1" full).stamp"
		say "$linux_needs"
	} | sha256sum)" builder_make "$1"
}

# The fragments of ci/config that make the configuration of a row.
linux_fragments() {
	local name
	for name in guest $(kernel_field "$1" config); do
		say "$top/ci/config/$name.config"
	done
}

# configured CONFIG FRAGMENT...: what the fragments ask for is so in the configuration;
# what they want as a module may be built in. What they want gone stays where another
# option selects it.
configured() {
	awk -v config="$1" '
		!/^CONFIG_/ { next }
		{
			option = value = $0
			sub(/=.*/, "", option)
			sub(/^[^=]*=/, "", value)
		}
		FILENAME == config { has[option] = value; next }
		{ want[option] = value }
		END {
			for (option in want) {
				if (want[option] == "n" || has[option] == want[option] ||
				    want[option] has[option] == "my")
					continue
				print option " is " (has[option] ? has[option] : "not set") \
					", asked for was " want[option]
				bad = 1
			}
			exit bad
		}' "$@"
}

# linux_debs NAME: where the packages of a row's kernel are, by the hash of what
# they are made from.
linux_debs() {
	say "$cache/linux/$1-$({
		resolve "$1"
		linux_fragments "$1" | xargs cat
		kernel_field "$1" compiler
		declare -f linux_build
	} | sha256sum | cut -c 1-12)"
}

linux_build() {
	local name=$1 dir=$2 line series version deb root work make fragments
	line=$(resolve "$name") || return 1
	read -r _ series version _ <<<"$line"
	deb=$(linux_source "$series" "$version") || return 1
	builder_ready "$(kernel_field "$name" suite)" || return 1
	root=$(builder_root "$(kernel_field "$name" suite)")
	work=$out/share/linux
	make=(make -C /srv/linux -j "$jobs" "LOCALVERSION=-siw-$name"
		KDEB_PKGVERSION=1 KDEB_COMPRESS=none)
	[ "$(kernel_field "$name" compiler)" != clang ] || make+=(LLVM=1)
	rm -rf "$work" "$out"/share/linux-*.deb
	linux_unpack "$deb" "$work" &&
		in_root "$root" "${make[@]}" defconfig || return 1
	mapfile -t fragments < <(linux_fragments "$name")
	cat "${fragments[@]}" >>"$work/.config"
	in_root "$root" "${make[@]}" olddefconfig &&
		configured "$work/.config" "${fragments[@]}" &&
		in_root "$root" "${make[@]}" bindeb-pkg || return 1
	mkdir -p "$dir"
	mv "$out"/share/linux-image-*.deb "$out"/share/linux-headers-*.deb "$dir/"
	cp "$work/.config" "$dir/config"
	rm -rf "$work" "$out"/share/linux-*
}

linux_ready() {
	local dir
	dir=$(linux_debs "$1")
	[ -d "$dir" ] && return
	say "# building Linux for $1: a quarter of an hour or more"
	rm -rf "$dir.new"
	linux_build "$1" "$dir.new" && mv "$dir.new" "$dir"
}
