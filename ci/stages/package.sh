# shellcheck shell=bash
# The packages, as apt and an administrator meet them.

# Nothing is left unsaid: what lintian says stands in an override with its reason.
run_lintian() {
	lintian --fail-on error,warning,info,pedantic --pedantic --allow-root \
		"$(repo_of bookworm)"/*.deb "$out"/share/source-package/*.dsc
}

source_package() {
	rm -rf "$out/share/source-package"
	deb_build source-package -S
}

ours='siw siw-dkms siw-selftests siw-doc'

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
	copy_of "$(root bookworm bare)" "$root" && add_repo "$root" bookworm &&
		in_root "$root" apt-get -qq update &&
		in_root "$root" apt-get -y -q install siw &&
		module_installed "$root" &&
		in_root "$root" siw explain SIW-MPA-KEY &&
		in_root "$root" dpkg --audit &&
		in_root "$root" dkms status
	local status=$?
	rm -rf "$root"
	return "$status"
}

# As the test machines of a distribution run them, in a root: what wants a machine of
# its own is skipped there (2), and runs in the guests of other checks.
run_autopkgtest() {
	local root=$out/roots/autopkgtest dsc said test status=0
	dsc=$(cd "$out/share" && ls source-package/*.dsc) &&
		copy_of "$(root bookworm bare)" "$root" && add_repo "$root" bookworm &&
		in_root "$root" apt-get -qq update &&
		in_root "$root" apt-get -y -q install --no-install-recommends \
			autopkgtest dpkg-dev || return 1
	said=$(in_root "$root" autopkgtest -B "/srv/$dsc" -- null 2>&1) || status=$?
	rm -rf "$root"
	say "$said"
	[ "$status" -eq 0 ] || [ "$status" -eq 2 ] || return 1
	for test in links command build; do
		grep -E "^$test +PASS" <<<"$said" || return 1
	done
}

# Where the dependencies are there already, every trace is ours.
prepare_purge() {
	local needed deb
	needed=$(for deb in "$out"/share/repo/siw_*.deb "$out"/share/repo/siw-doc_*.deb; do
		dpkg-deb -f "$deb" Depends
	done | tr , '\n' | sed -e 's/^ *//' -e 's/[ (|].*//' -e '/^siw-/d')
	# shellcheck disable=SC2086 # a list of words
	open_root bookworm "$purge_root" && in_root "$purge_root" \
		apt-get -y -q install --no-install-recommends $needed &&
		files_of "$purge_root" >"$out/files.before"
}

# A release before this one, as Debian 11 has it: without the command. Its links.conf is
# another: dpkg takes the new one for news.
older=0.0.9
older_debs() {
	local dir=$out/share/older
	rm -rf "$dir"
	"$top/packaging/make-source.sh" "$dir" || return 1
	sed -i "1s/([^)]*)/($older)/" "$dir/packaging/debian/changelog"
	say "$older" >"$dir/VERSION"
	say '# Of an older release.' >>"$dir/packaging/debian/links.conf"
	nice "$dir/packaging/build-deb.sh" "$dir/debs" --no-command
}

install_older() {
	in_root "$purge_root" apt-get -y -q install --no-install-recommends \
		"/srv/older/debs/siw-dkms_$older~deb11_all.deb" \
		"/srv/older/debs/siw_$older~deb11_$(dpkg --print-architecture).deb" &&
		module_installed "$purge_root" &&
		in_root "$purge_root" dkms status siw | grep -F "$older"
}

# The new module takes the old one's place. A changed file stays, where dpkg is told what
# to answer, and the new one is beside it.
upgrade_older() {
	local links=$purge_root/etc/siw/links.conf
	say 'siw0 eth9' >>"$links"
	install_siw "$purge_root" DPKG_FORCE=confold && module_installed "$purge_root" ||
		return 1
	grep -x 'siw0 eth9' "$links" &&
		cmp "$links.dpkg-dist" "$top/packaging/debian/links.conf" &&
		mv "$links.dpkg-dist" "$links" || return 1
	in_root "$purge_root" dkms status siw | grep -F "$(cat "$top/VERSION")" || return 1
	! in_root "$purge_root" dkms status siw | grep -F "$older" || return 1
	[ ! -e "$purge_root/usr/src/siw-$older" ]
}

# The tests of the package that need no kernel of ours.
test_installed() {
	rm -rf "$out/share/tests"
	cp -r "$top/packaging/debian/tests" "$out/share/tests"
	in_root "$purge_root" /srv/tests/links &&
		in_root "$purge_root" /srv/tests/command
}

# As a distribution builds the module for each kernel it has.
test_build() { in_root "$purge_root" /srv/tests/build; }

# cpu_seconds COMMAND...: of the command and all that it waits for.
cpu_seconds() {
	local TIMEFORMAT='%U %S' said
	said=$({ time "$@" >/dev/null; } 2>&1) || {
		say "$said" >&2
		return 1
	}
	awk '{ spent = $1 + $2 } END { printf "%.0f\n", spent }' <<<"$said"
}

# A minute of one core for all that DKMS does for a kernel. What the compiler alone takes
# is told with it: the module with its probes answered before.
dkms_time() {
	local version kernel dir=$out/share/plain build dkms plain
	version=$(cat "$top/VERSION")
	kernel=$(kernel_of "$purge_root")
	build=/lib/modules/$kernel/build
	rm -rf "$dir"
	"$top/packaging/make-dkms-tree.sh" "$dir" && in_root "$purge_root" \
		SIW_PROBE_CACHE=/srv/plain/answers /srv/plain/compat/probe.sh -k "$build" &&
		plain=$(cpu_seconds in_root "$purge_root" SIW_PROBE_CACHE=/srv/plain/answers \
			make -C /srv/plain KVER="$kernel") &&
		dkms=$(cpu_seconds in_root "$purge_root" \
			dkms build --force -m siw -v "$version" -k "$kernel") || return 1
	rm -rf "$dir"
	say "DKMS: $dkms s of 60, without probes and DKMS: $plain s"
	[ "$dkms" -gt 0 ] && [ "$dkms" -le 60 ]
}

# A kernel newer than any we know, one without RDMA, and one with the RDMA core of others:
# apt goes on, and is told. Debian 12's dkms takes a kernel that is skipped for one that
# failed.
unknown_kernels='9.9.0-unknown 6.1.0-without-rdma'
skip_unknown_kernels() {
	local ofed=$purge_root/usr/src/ofa_kernel
	skips 9.9.0-unknown 'no kernel of that version' INET &&
		skips 6.1.0-without-rdma 'no CONFIG_INFINIBAND' INET || return 1
	install -D /dev/null "$ofed/x86_64/6.1.0-other/Module.symvers"
	skips 6.1.0-beside-ofed OFED INET INFINIBAND INFINIBAND_VIRT_DMA \
		INFINIBAND_ADDR_TRANS
	local status=$?
	rm -r "$ofed" "$purge_root/lib/modules/6.1.0-beside-ofed"
	return "$status"
}

# skips KERNEL WHY OPTION...: one that is configured with these options
skips() {
	local kernel=$1 why=$2 build=$purge_root/lib/modules/$1/build said status=0
	shift 2
	mkdir -p "$build/include/config"
	printf 'CONFIG_%s=y\n' "$@" |
		tee "$build/.config" >"$build/include/config/auto.conf"
	said=$(in_root "$purge_root" /etc/kernel/postinst.d/dkms "$kernel" 2>&1) || status=$?
	say "$said"
	[ "$status" = 0 ] &&
		grep "siw: not built for kernel $kernel: .*$why" <<<"$said" &&
		[ -z "$(find "$purge_root/lib/modules/$kernel" -name 'siw.ko*')" ]
}

# With those kernels there.
reinstall() {
	local kernel
	in_root "$purge_root" apt-get -y -q install --reinstall siw siw-dkms ||
		return 1
	for kernel in $unknown_kernels; do
		rm -r "$purge_root/lib/modules/$kernel"
	done
	module_installed "$purge_root" && test_installed
}

# Nothing can be built for the first kernel of the list, the headers of the one that runs
# are missing, and of an earlier install there is the module alone: apt goes on and says
# so, with the end of make.log, and the other kernel has its module. So it has when an
# upgrade is given up.
go_on_without_module() {
	local said status=0 script=/var/lib/dpkg/info/siw-dkms
	add_broken_kernel "$purge_root"
	rm -r "$purge_root/var/lib/dkms/siw"
	said=$(without_headers "$purge_root" in_root "$purge_root" \
		apt-get -y -q install --reinstall siw-dkms 2>&1) || status=1
	say "$said"
	grep "siw-dkms: no module for kernel $broken_kernel:" <<<"$said" || status=1
	grep 'siw-dkms: make.log: .*: no kernel headers there' <<<"$said" || status=1
	grep "siw-dkms: no module for $other_release.*install linux-headers-$other_release" \
		<<<"$said" || status=1
	! in_root "$purge_root" dpkg --audit | grep . || status=1
	rm -r "$purge_root/lib/modules/$broken_kernel"
	[ "$status" = 0 ] && module_installed "$purge_root" &&
		in_root "$purge_root" dkms status siw | grep ': installed' &&
		in_root "$purge_root" "$script.prerm" upgrade 9 &&
		! module_installed "$purge_root" &&
		in_root "$purge_root" "$script.postinst" abort-upgrade 9 &&
		module_installed "$purge_root"
}

# Tests and documents: every program runs, and finds what it reads.
install_rest() {
	local tests=/usr/libexec/siw program programs
	in_root "$purge_root" apt-get -y -q install --no-install-recommends \
		siw-selftests siw-doc || return 1
	programs=$(cd "$purge_root$tests/kselftest" && ls -d siw_*)
	[ -n "$programs" ] || return 1
	for program in $programs; do
		[ "$program" != siw_kunit ] || continue
		in_root "$purge_root" "$tests/kselftest/$program" -l
		# 4: not for this kernel
		case $? in
		0 | 4) ;;
		*) return 1 ;;
		esac
	done
	in_root "$purge_root" "$tests/conform/siw-conform" list \
		--vectors "$tests/conform/vectors.json" | grep 5041 &&
		[ -s "$purge_root$tests/conform/vectors.json" ] &&
		[ -s "$purge_root$tests/conform/rfc-conformance.toml" ] &&
		[ -s "$purge_root/usr/share/doc/siw-doc/CHANGELOG.md" ] &&
		zcat "$purge_root/usr/share/doc/siw-doc/changelog.gz" | grep '^siw (' &&
		[ -s "$purge_root/usr/share/doc/siw-doc/docs/reference/tools.md" ] &&
		[ -s "$purge_root/usr/share/doc/siw-doc/html/docs/reference/tools.html" ] &&
		(cd "$purge_root" && sed -n 's,^Index: /,,p' usr/share/doc-base/siw-doc.siw |
			xargs ls -- | grep html/index.html)
}

# The tree as installed is what the stages vm and demo boot.
image_of_installed() {
	image_is_fresh bookworm || pack_image bookworm "$purge_root"
}

# The units as systemd runs them: udev, confinement, the module that DKMS built.
service_in_guest() {
	local args dir=$out/share/service
	rm -rf "$dir"
	install -D -t "$dir" "$top/packaging/debian/tests/service"
	rm -f "$(image_dir bookworm)/service.erofs"
	mkfs.erofs --quiet "$(image_dir bookworm)/service.erofs" "$dir" || return 1
	read -ra args <<<"$(machine bookworm)"
	"$vm_bin" test "${args[@]}" --name service --memory 1024 \
		--payload "$(image_dir bookworm)/service.erofs" \
		--append 'ci.systemd systemd.show_status=0' \
		--junit "$out/log/service.xml" --test-limit 300 --total-limit 600 \
		'echo KTAP version 1; echo 1..1
		/payload/service 2>&1 | sed "s/^/# /" | tee /run/said
		grep -qx "# PASS" /run/said || echo -n "not "
		echo ok 1 service' </dev/null
}

# own_module FROM TO: a stand-in for the siw that a kernel brings, of one that DKMS
# built: no version, not out of tree.
own_module() {
	local info
	info=$(mktemp -d)
	objcopy -O binary --only-section=.modinfo "$1" "$info/old" &&
		{
			tr '\0' '\n' <"$info/old" | grep -v -E '^((src)?version=.*)?$'
			say intree=Y
		} | tr '\n' '\0' >"$info/new" && mkdir -p "${2%/*}" &&
		objcopy -g --update-section ".modinfo=$info/new" "$1" "$2"
	local status=$?
	rm -r "$info"
	return "$status"
}

# While the older release is installed: a guest that has it, on a kernel with a siw of
# its own, and what pack_image leaves out of it.
connections_image() {
	local root=$purge_root dir=$out/share/connections kernel own status
	kernel=$(kernel_of "$root")
	own=$root/lib/modules/$kernel/kernel/drivers/infiniband/sw/siw
	rm -rf "$dir"
	mkdir -p "$dir"
	tar -C "$root" -cf "$dir/state.tar" var/lib/dkms/siw "usr/src/siw-$older" &&
		own_module "$root/lib/modules/$kernel/updates/dkms/siw.ko" "$own/siw.ko" &&
		depmod -b "$root" "$kernel" &&
		modprobe -d "$root" -S "$kernel" --show-depends siw | grep updates/dkms &&
		pack_image connections "$root" by-hand
	status=$?
	rm -rf "$own"
	depmod -b "$root" "$kernel" && return "$status"
}

# at_length NAME COMMAND: a check that takes minutes, which test leaves out.
at_length() {
	[ -n "${package_quick:-}" ] || check "$@"
}

# The steps with connections open. To build takes minutes in an emulated guest: DKMS
# has what it built in the root.
connections_in_guest() {
	local args dir=$out/share/connections version payload
	version=$(cat "$top/VERSION")
	payload=$(image_dir connections)/payload.erofs
	in_root "$purge_root" dkms mktarball -m siw -v "$version" \
		-k "$(kernel_of "$purge_root")" \
		--archive "/srv/connections/siw-$version.dkms.tar.gz" &&
		cp "$out"/share/repo/siw_*.deb "$out"/share/repo/siw-dkms_*.deb \
			"$top/packaging/debian/tests/connections" "$dir/" &&
		rm -f "$payload" && mkfs.erofs --quiet "$payload" "$dir" || return 1
	read -ra args <<<"$(machine connections)"
	"$vm_bin" test "${args[@]}" --name connections --memory 1024 \
		--payload "$payload" --append 'ci.systemd systemd.show_status=0' \
		--junit "$out/log/connections.xml" --test-limit 1500 --total-limit 1800 \
		'echo KTAP version 1; echo 1..1
		/payload/connections /payload 2>&1 | sed "s/^/# /" | tee /run/said
		grep -qx "# PASS" /run/said || echo -n "not "
		echo ok 1 connections' </dev/null
}

# Removal keeps conffiles, and whether the administrator had the unit enabled. DKMS knows
# half of siw alone, and has put the kernel's own aside as dkms 3.2 does: it comes back.
remove_keeps_only_configuration() {
	local kernel own aside
	kernel=$(kernel_of "$purge_root")
	own=/lib/modules/$kernel/kernel/drivers/infiniband/sw/siw/siw.ko
	aside=$purge_root/var/lib/dkms/siw/original_module/$kernel/$(uname -m)
	mkdir -p "$purge_root${own%/*}" "$aside"
	own_module "$purge_root/lib/modules/$kernel/updates/dkms/siw.ko" "$aside/siw.ko" &&
		say "$own" >"$aside/siw.ko.origin" &&
		rm "$purge_root"/usr/src/siw-*/dkms.conf || return 1
	# shellcheck disable=SC2086 # a list of words
	in_root "$purge_root" apt-get -y -q remove $ours &&
		in_root "$purge_root" modinfo -n -k "$kernel" siw | grep -x "$own" &&
		rm "$purge_root$own" && rmdir "$purge_root${own%/*}" &&
		depmod -b "$purge_root" "$kernel" || return 1
	files_of "$purge_root" | diff "$out/files.before" - | grep '^[<>]' |
		grep -v -E -e '^> ./etc/siw' \
			-e '^> ./etc/systemd/system/.*\.wants/siw\.service' \
			-e '^> ./var/lib/systemd/deb-systemd-helper-enabled/' \
			>"$out/left"
	cat "$out/left"
	[ ! -s "$out/left" ]
}

purge_leaves_nothing() {
	# shellcheck disable=SC2086 # a list of words
	in_root "$purge_root" apt-get -y -q purge $ours || return 1
	files_of "$purge_root" | diff "$out/files.before" -
}

stage_package() {
	need binutils lintian mmdebstrap debian-archive-keyring kmod erofs-utils \
		busybox-static cpio xz-utils
	check runner vm_runner_ready && check debs all_debs_ready || return
	check source-package source_package && check lintian run_lintian
	check root-bookworm-bare root_ready bookworm bare &&
		check install-on-bare-debian install_bare &&
		at_length autopkgtest run_autopkgtest
	check root-bookworm root_ready bookworm full &&
		check debs-of-an-older-release older_debs || return
	purge_root=$out/roots/purge
	check copy-of-root prepare_purge &&
		check install-older install_older &&
		at_length connections-image connections_image &&
		check upgrade upgrade_older &&
		check tests test_installed &&
		check image image_of_installed &&
		check service service_in_guest &&
		at_length connections connections_in_guest &&
		at_length dkms-time dkms_time &&
		check unknown-kernels skip_unknown_kernels &&
		check test-build test_build &&
		check reinstall reinstall &&
		check without-module go_on_without_module &&
		check selftests-and-doc install_rest &&
		check remove remove_keeps_only_configuration &&
		check purge purge_leaves_nothing
	rm -rf "$purge_root" "$out/share/older" "$out/share/connections" \
		"$(image_dir connections)"
}
