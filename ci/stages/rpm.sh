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

rpm_lint() {
	rm -rf "$out/share/rpmlint"
	mkdir -p "$out/share/rpmlint"
	cp "$top"/packaging/rpm/* "$out/share/rpmlint/"
	in_root "$rpm_root" sh -c 'rpmlint --strict -c /srv/rpmlint/rpmlint.toml \
		/srv/rpmlint/siw.spec /srv/rpm/*.rpm'
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
		copy_of "$rpm_root" "$rpm_test" &&
		dnf_in "$rpm_test" dnf-old install debian-base &&
		files_of "$rpm_test" >"$out/files.rpm"
}

rpm_install() {
	dnf_in "$rpm_test" dnf-old install siw && rpm_module 0.0.9
}

# A changed file stays; one module is left, the new one.
rpm_update() {
	say 'siw0 eth9' >>"$rpm_test/etc/siw/links.conf"
	dnf_in "$rpm_test" dnf-new update &&
		rpm_module "$(cat "$top/VERSION")" &&
		! in_root "$rpm_test" dkms status siw | grep -F 0.0.9 &&
		grep -x 'siw0 eth9' "$rpm_test/etc/siw/links.conf" &&
		in_root "$rpm_test" siw explain SIW-MPA-KEY &&
		dnf_in "$rpm_test" dnf-new install siw-selftests siw-doc &&
		in_root "$rpm_test" /usr/libexec/siw/kselftest/siw_verbs -l
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

stage_rpm() {
	need diffoscope-minimal mmdebstrap debian-archive-keyring
	rpm_test=$out/roots/rpm
	check root-rpm rpm_root_ready && check rpms rpms_ready || return
	check rpmlint rpm_lint
	check root-elsewhere elsewhere_ready "$rpm_root" && check again rpm_again
	rm -rf "$elsewhere_root" "$out/share/elsewhere"
	check rpms-of-an-older-release rpm_older && check prepare rpm_prepare &&
		check install rpm_install && check update rpm_update &&
		check erase rpm_erase
	rm -rf "$rpm_test"
}
