# shellcheck shell=bash
# The RPMs, built on Debian, and installed by dnf on a Debian that says by an RPM
# of provides what it has. No Fedora, EL or SUSE is at hand: untested there.

rpm_again() {
	rm -rf "$out/share/elsewhere" "$out/share/source"
	"$top/packaging/make-source.sh" "$out/share/source" &&
		elsewhere /srv/source/packaging/build-rpm.sh /srv/elsewhere/out \
			--nodeps &&
		same_files "$out/share/rpm" "$out/share/elsewhere/out" '*.rpm'
}

# rpm_lint FILE...: paths in the root. rpmlint sees but one source package at a time.
rpm_lint() {
	rm -rf "$out/share/rpmlint"
	mkdir -p "$out/share/rpmlint"
	cp "$top"/packaging/rpm/* "$out/share/rpmlint/"
	in_root "$rpm_root" sh -c 'rpmlint --strict -c /srv/rpmlint/rpmlint.toml "$@"' \
		sh "$@"
}

rpms_lint() {
	local files
	mapfile -t files < <(cd "$out/share" && find rpm -name '*.rpm' \
		! -name 'siw-kmod-*' -printf '/srv/%p\n')
	rpm_lint /srv/rpmlint/siw.spec "${files[@]}"
}

provider_lint() {
	local files
	mapfile -t files < <(cd "$out/share" && find provider-rpm -name '*.rpm' \
		-printf '/srv/%p\n')
	rpm_lint "${files[@]}"
}

# rpm_repo NAME DIR...: a repository of the RPMs of these directories.
rpm_repo() {
	local name=$1 dir
	rm -rf "$out/share/$name"
	mkdir -p "$out/share/$name"
	shift
	for dir; do
		find "$out/share/$dir" -name '*.rpm' ! -name '*.src.rpm' \
			-exec cp -t "$out/share/$name" {} +
	done
	in_root "$rpm_root" createrepo_c -q "/srv/$name"
}

# dnf_in ROOT REPOSITORY ARGUMENT...
dnf_in() {
	local root=$1 repo=$2
	shift 2
	in_root "$root" dnf -y --releasever 12 --setopt=install_weak_deps=False \
		--setopt=reposdir=/nowhere --repofrompath "siw,/srv/$repo" \
		--setopt=siw.gpgcheck=0 --setopt=metadata_expire=0 "$@"
}

rpm_module() {
	in_root "$rpm_test" dkms status siw
	find "$rpm_test/lib/modules/" -name 'siw.ko*' | grep updates &&
		in_root "$rpm_test" dkms status siw | grep -F "siw/$1,"
}

rpm_prepare() {
	rpm_base && rpm_repo dnf-old rpm-base older-rpm &&
		rpm_repo dnf-new rpm-base rpm &&
		copy_of "$rpm_root" "$rpm_test" && prepare_guest "$rpm_test" &&
		dnf_in "$rpm_test" dnf-old install debian-base &&
		files_of "$rpm_test" >"$out/files.rpm"
}

# The headers of the kernel that runs are missing, and for another nothing can be built:
# dnf goes on and says so, and the kernel of the root has its module.
rpm_install() {
	local said status=0
	add_broken_kernel "$rpm_test"
	said=$(without_headers "$rpm_test" dnf_in "$rpm_test" dnf-old install siw 2>&1) ||
		status=1
	say "$said"
	grep "siw-dkms: no module for $other_release, which runs" <<<"$said" || status=1
	grep "siw-dkms: no module for kernel $broken_kernel:" <<<"$said" || status=1
	grep 'siw-dkms: make.log: .*: no kernel headers there' <<<"$said" || status=1
	rm -r "$rpm_test/lib/modules/$broken_kernel"
	[ "$status" = 0 ] && rpm_module 0.0.9
}

# A changed file stays, with the new one beside it; one module is left, the new one. So
# it is when a package is replaced by one of the same version.
rpm_update() {
	local links=$rpm_test/etc/siw/links.conf
	say 'siw0 eth9' >>"$links"
	dnf_in "$rpm_test" dnf-new update &&
		cmp "$links.rpmnew" "$top/packaging/debian/links.conf" &&
		rm "$links.rpmnew" &&
		rpm_module "$(cat "$top/VERSION")" &&
		! in_root "$rpm_test" dkms status siw | grep -F 0.0.9 &&
		dnf_in "$rpm_test" dnf-new reinstall siw siw-dkms &&
		rpm_module "$(cat "$top/VERSION")" &&
		grep -x 'siw0 eth9' "$links" &&
		in_root "$rpm_test" siw explain SIW-MPA-KEY &&
		dnf_in "$rpm_test" dnf-new install siw-selftests siw-doc &&
		[ -s "$rpm_test/usr/share/doc/siw-doc/CHANGELOG.md" ] &&
		in_root "$rpm_test" /usr/libexec/siw/kselftest/siw_verbs -l
}

# What dnf has installed, booted: the units as the RPM has them, and rping over the module
# that DKMS built.
rpm_in_guest() {
	local args dir=$out/share/rpm-guest payload
	payload=$(image_dir rpm)/payload.erofs
	rm -rf "$dir"
	install -D -t "$dir" "$top/packaging/debian/tests/service" "$top/ci/rpm/talk" &&
		pack_image rpm "$rpm_test" by-hand && rm -f "$payload" &&
		mkfs.erofs --quiet "$payload" "$dir" || return 1
	read -ra args <<<"$(machine rpm)"
	"$vm_bin" test "${args[@]}" --name rpm --memory 1024 --payload "$payload" \
		--append 'ci.systemd systemd.show_status=0' \
		--junit "$out/log/rpm.xml" --test-limit 600 --total-limit 900 \
		"echo KTAP version 1; echo 1..2
		number=0
		for test in service 'talk $(cat "$top/VERSION")'; do
			number=\$((number + 1))
			/payload/\$test 2>&1 | sed 's/^/# /' | tee /run/said
			grep -qx '# PASS' /run/said || echo -n 'not '
			echo ok \$number \${test%% *}
		done" </dev/null
	local status=$?
	rm -rf "$dir" "$(image_dir rpm)"
	return "$status"
}

# dnf keeps what the administrator changed, and its own bookkeeping. Where licences are
# put belongs to the package filesystem of a distribution, which Debian has not.
rpm_erase() {
	dnf_in "$rpm_test" dnf-new remove siw siw-dkms siw-selftests siw-doc ||
		return 1
	files_of "$rpm_test" | diff "$out/files.rpm" - | grep '^[<>]' |
		grep -v -e ' ./etc/siw d' -e ' ./etc/siw/links.conf.rpmsave f' \
			-e './var/lib/dnf' -e './var/lib/rpm' \
			-e ' ./usr/share/licenses d' >"$out/left"
	cat "$out/left"
	[ ! -s "$out/left" ]
}

# kmod_build PACKAGE [OPTION...]: the source package of the module by itself is built,
# as a distribution does, with stand-ins for its macros (ci/rpm).
kmod_build() {
	local package=$1
	shift
	in_root "$rpm_root" sh -c 'rm -rf /srv/kmod/build && export PATH=/srv/kmod:$PATH &&
		rpmbuild --nodeps --define "_topdir /srv/kmod/build" "$@"' sh \
		"$@" --define "the_kernel $(kernel_of "$rpm_root")" \
		--rebuild "$package"
}

# kmod_holds NAME FILE [FILE...]: the package that was built holds these, and that it
# is the module there says the module itself; what siw asks for it provides.
kmod_holds() {
	local package=$1 kernel module
	kernel=$(kernel_of "$rpm_root")
	shift
	in_root "$rpm_root" sh -c 'cd /srv/kmod && rm -rf out && mkdir out &&
		cp build/RPMS/*/"$1"-[0-9]*.rpm out/one.rpm && cd out &&
		rpm -qp --provides one.rpm && rpm -qlp one.rpm &&
		rpm2cpio one.rpm | cpio -idm --quiet' sh "$package" || return 1
	in_root "$rpm_root" rpm -qp --provides /srv/kmod/out/one.rpm |
		grep "^siw-kmod = $(cat "$top/VERSION")" || return 1
	in_root "$rpm_root" rpm -qp --requires /srv/kmod/out/one.rpm |
		grep "^siw-kmod-common >= $(cat "$top/VERSION")" || return 1
	diff <(printf '%s\n' "$@" | sort) \
		<(cd "$out/share/kmod/out" && find . -mindepth 1 ! -type d ! -name one.rpm \
			-printf '/%P\n' | sort) || return 1
	module=$(find "$out/share/kmod/out" -name siw.ko)
	[ -z "$module" ] || modinfo -F vermagic "$module" | grep "^$kernel "
}

kmod_prepare() {
	rm -rf "$out/share/kmod"
	cp -r "$top/ci/rpm" "$out/share/kmod"
	cp "$out"/share/rpm/siw-kmod-*.src.rpm "$out/share/kmod/siw-kmod.src.rpm"
}

kmod_lint() {
	local file
	for file in "$out"/share/rpm/siw-kmod-*.src.rpm; do
		rpm_lint "/srv/rpm/${file##*/}" || return 1
	done
}

# And as akmods builds from it, for a kernel.
kmod_fedora() {
	local version kernel
	version=$(cat "$top/VERSION")-1
	kernel=$(kernel_of "$rpm_root")
	kmod_build /srv/kmod/siw-kmod.src.rpm &&
		kmod_holds akmod-siw /usr/src/akmods/siw-kmod.latest \
			"/usr/src/akmods/siw-kmod-$version.src.rpm" || return 1
	cp -L "$out/share/kmod/out/usr/src/akmods/siw-kmod.latest" \
		"$out/share/kmod/akmod.src.rpm"
	kmod_build /srv/kmod/akmod.src.rpm --define "kernels $kernel" &&
		kmod_holds "kmod-siw-$kernel" "/usr/lib/modules/$kernel/extra/siw/siw.ko"
}

kmod_el() {
	kmod_build /srv/kmod/siw-kmod.src.rpm --load /srv/kmod/macros.el \
		--define 'rhel 9' &&
		kmod_holds kmod-siw /etc/depmod.d/kmod-siw.conf \
			"/lib/modules/$(kernel_of "$rpm_root")/extra/siw/siw.ko"
}

kmod_suse() {
	kmod_build /srv/kmod/siw-kmod.src.rpm --load /srv/kmod/macros.suse \
		--define 'suse_version 1600' &&
		kmod_holds siw-kmp-default \
			"/usr/lib/modules/$(kernel_of "$rpm_root")/updates/siw.ko"
}

# The provider of the private ABI that the root's libibverbs has.
provider_rpm_source() { provider_source_of bookworm; }

provider_rpm() {
	local dir=$out/share/provider-rpm tarball
	tarball=$(provider_tarball "$(provider_rpm_source)")
	rm -rf "$dir" "$out/share/source" "$out/share/rpm-tmp"
	mkdir -p "$dir" "$out/share/rpm-tmp"
	cp "$tarball" "$dir/"
	# shellcheck disable=SC2016 # expands inside
	"$top/packaging/make-source.sh" "$out/share/source" &&
		in_root "$rpm_root" sh -c 'mount --bind /srv/rpm-tmp /var/tmp && exec "$@"' \
			sh /srv/source/packaging/provider/build-rpm.sh \
			"/srv/provider-rpm/${tarball##*/}" /srv/provider-rpm --nodeps
}

# libibverbs_rpm VERSION FIRST-LINE PROVIDE...: what stands in for the library of a
# distribution: its configuration, and by provides the rest.
libibverbs_rpm() {
	local version=$1 line=$2 dir=$out/share/libibverbs
	shift 2
	mkdir -p "$dir"
	{
		printf '%s\n' 'Name: libibverbs' "Version: $version" 'Release: 1' \
			'Summary: Stands in' 'License: none' 'BuildArch: noarch'
		printf 'Provides: %s\n' "$@"
		printf '%s\n' '%description' 'Stands in.' '%install' \
			'mkdir -p %{buildroot}/etc/libibverbs.d' \
			"printf '$line\\ndriver siw\\n' >%{buildroot}/etc/libibverbs.d/siw.driver" \
			'%files' '%config(noreplace) /etc/libibverbs.d/siw.driver'
	} >"$dir/$version.spec"
	in_root "$rpm_root" rpmbuild -bb --define '_topdir /srv/libibverbs' \
		"/srv/libibverbs/$version.spec"
}

# Three of them: one, its update, and one of another private ABI.
provider_rpm_prepare() {
	local needs
	rm -rf "$out/share/libibverbs"
	mapfile -t needs < <(in_root "$rpm_root" sh -c \
		'rpm -qp --requires /srv/provider-rpm/siw-provider-[0-9]*."$(uname -m)".rpm' |
		grep -v -e '^rpmlib(' -e '^libibverbs$' | sort -u)
	printf '%s\n' "${needs[@]}" | grep 'libibverbs.so.1(IBVERBS_PRIVATE_34)' &&
		libibverbs_rpm 1 '# 1' "${needs[@]}" &&
		rpm_repo dnf-verbs-1 provider-rpm libibverbs &&
		libibverbs_rpm 2 '# 2' "${needs[@]}" &&
		rpm_repo dnf-verbs-2 provider-rpm libibverbs &&
		libibverbs_rpm 3 '# 3' "${needs[@]/PRIVATE_34/PRIVATE_65}" &&
		rpm_repo dnf-verbs-3 provider-rpm libibverbs &&
		copy_of "$rpm_root" "$rpm_test"
}

# provider_line NUMBER: ours is named so often, and last, which libibverbs tries first.
provider_line() {
	local file=$rpm_test/etc/libibverbs.d/siw.driver line
	line="driver $(in_root "$rpm_test" rpm --eval '%{_libdir}')/siw-provider/libsiw"
	cat "$file"
	[ "$(grep -cxF "$line" "$file")" = "$1" ] && grep -qx 'driver siw' "$file" || return 1
	[ "$1" = 0 ] || [ "$(tail -n 1 "$file")" = "$line" ]
}

provider_rpm_install() {
	local lib
	dnf_in "$rpm_test" dnf-verbs-1 install libibverbs siw-provider &&
		provider_line 1 || return 1
	lib=$(in_root "$rpm_test" rpm -ql siw-provider | grep '\.so$')
	# All that it wants of libibverbs is there.
	in_root "$rpm_test" python3 -c \
		'import ctypes, os, sys; ctypes.CDLL(sys.argv[1], os.RTLD_NOW)' "$lib" &&
		dnf_in "$rpm_test" dnf-verbs-1 reinstall siw-provider && provider_line 1
}

# With libibverbs' update it stays, and it comes back into a new file; an update that
# cannot load it does not come in.
provider_rpm_update() {
	dnf_in "$rpm_test" dnf-verbs-2 update && provider_line 1 &&
		in_root "$rpm_test" rpm -q libibverbs-2 || return 1
	rm "$rpm_test"/etc/libibverbs.d/siw.driver*
	dnf_in "$rpm_test" dnf-verbs-2 reinstall libibverbs && provider_line 1 || return 1
	dnf_in "$rpm_test" dnf-verbs-3 update
	in_root "$rpm_test" rpm -q libibverbs-2 siw-provider && provider_line 1
}

# And what was held back comes.
provider_rpm_erase() {
	dnf_in "$rpm_test" dnf-verbs-2 remove siw-provider && provider_line 0 &&
		in_root "$rpm_test" rpm -V libibverbs --nomtime &&
		dnf_in "$rpm_test" dnf-verbs-3 update &&
		in_root "$rpm_test" rpm -q libibverbs-3
}

stage_rpm() {
	need diffoscope-minimal mmdebstrap debian-archive-keyring
	rpm_test=$out/roots/rpm
	check root-rpm rpm_root_ready && check rpms rpms_ready || return
	check rpmlint rpms_lint
	check kmod-source kmod_prepare && {
		check kmod-lint kmod_lint
		check kmod-of-fedora kmod_fedora
		check kmod-of-el kmod_el
		check kmod-of-suse kmod_suse
		rm -rf "$out/share/kmod"
	}
	check root-elsewhere elsewhere_ready "$rpm_root" && check again rpm_again
	rm -rf "$elsewhere_root" "$out/share/elsewhere"
	check rpms-of-an-older-release rpm_older && check prepare rpm_prepare &&
		check install rpm_install && check update rpm_update && {
		check runner vm_runner_ready && check guest rpm_in_guest
		check erase rpm_erase
	}
	check provider-source provider_fetched "$(provider_rpm_source)" &&
		check provider provider_rpm && check provider-lint provider_lint &&
		check provider-prepare provider_rpm_prepare &&
		check provider-install provider_rpm_install &&
		check provider-update provider_rpm_update &&
		check provider-erase provider_rpm_erase
	rm -rf "$rpm_test"
}
