# shellcheck shell=bash
# Our RPMs, built on Debian. Those of an architecture need its libraries by Debian's
# names, and are for the tests alone.

rpm_needs="$deb_needs createrepo-c dnf rpm rpmlint"
rpm_root="$cache/roots/row-bookworm-rpm"

rpm_root_make() {
	copy_of "$(root bookworm full)" "$1"
	# shellcheck disable=SC2086 # a list of words
	in_root "$1" apt-get -qq update &&
		in_root "$1" apt-get -qq -y install --no-install-recommends \
			$rpm_needs || return 1
	in_root "$1" apt-get -qq clean
	rm -rf "$1"/var/lib/apt/lists/*
}

rpm_root_ready() {
	root_ready bookworm full && cached "$rpm_root" "$({
		cat "$(root bookworm full).stamp"
		say "$rpm_needs"
	} | sha256sum)" rpm_root_make
}

# rpm_build SOURCE DIR [OPTION...]: names under build/ci/share. What it was built
# with is told by DIR/buildinfo, as dpkg-buildpackage does.
#
# rpmbuild works in /var/tmp, by a name that has to be the same each time: another
# checkout's build, and what one that was ended left there, is not seen.
rpm_build() {
	local source=$1 dir=$2
	shift 2
	rm -rf "$out/share/$dir" "$out/share/rpm-tmp"
	mkdir -p "$out/share/$dir" "$out/share/rpm-tmp"
	# shellcheck disable=SC2016 # expands inside
	in_root "$rpm_root" sh -c 'mount --bind /srv/rpm-tmp /var/tmp && exec "$@"' \
		sh "/srv/$source/packaging/build-rpm.sh" "/srv/$dir" --nodeps "$@" &&
		{
			say 'Installed-Build-Depends:'
			in_root "$rpm_root" dpkg-query -W -f ' ${Package} (= ${Version}),\n'
		} >"$out/share/$dir/buildinfo"
}

# What is installed and updated to. The source package has all that make-source.sh takes.
rpms_ready() {
	local state
	state=$({
		cd "$top" && find CHANGELOG.md CMakeLists.txt LICENSES README.md SECURITY.md \
			VERSION docs libsiw packaging security selftests siw tools \
			-type f -print0 | sort -z |
			xargs -0 sha256sum
		declare -f rpm_build
	} | sha256sum)
	[ "$(cat "$out/share/rpm/.state" 2>/dev/null)" = "$state" ] && return
	rm -rf "$out/share/source"
	"$top/packaging/make-source.sh" "$out/share/source" &&
		rpm_build source rpm || return 1
	say "$state" >"$out/share/rpm/.state"
}

# A release before this one, as SUSE 15 has it: without the command, and with another
# links.conf.
rpm_older() {
	rm -rf "$out/share/older-rpm-source"
	"$top/packaging/make-source.sh" "$out/share/older-rpm-source" || return 1
	say 0.0.9 >"$out/share/older-rpm-source/VERSION"
	say '# Of an older release.' \
		>>"$out/share/older-rpm-source/packaging/debian/links.conf"
	sed -i 's/^\(Version: *\).*/\10.0.9/' \
		"$out/share/older-rpm-source/packaging/rpm/siw.spec"
	rpm_build older-rpm-source older-rpm --without command
}

# rpm_base [DIR...]: what the Debian of the root has, by the names that the
# packages of these directories ask for.
rpm_base() {
	local dir=$out/share/rpm-base files
	[ $# -gt 0 ] || set -- rpm older-rpm
	files=$(cd "$out/share" && find "$@" -name '*.rpm' ! -name '*.src.rpm' \
		-printf '/srv/%p ')
	rm -rf "$dir"
	mkdir -p "$dir"
	{
		printf '%s\n' 'Name: debian-base' 'Version: 12' 'Release: 1' \
			'Summary: What Debian has' 'License: none' 'BuildArch: noarch'
		# shellcheck disable=SC2086 # a list of words
		in_root "$rpm_root" rpm -qp --requires $files |
			grep -v -e '^rpmlib(' -e '^siw' -e '^config(' | sort -u |
			sed 's/^/Provides: /'
		printf '%s\n' '%description' 'What Debian has.' '%files'
	} >"$dir/base.spec"
	in_root "$rpm_root" rpmbuild -bb --define '_topdir /srv/rpm-base' \
		/srv/rpm-base/base.spec
}
