# shellcheck shell=bash
# The signed repositories: apt and dnf install from them as a user would, and
# refuse what is unsigned, tampered with, of another key or out of date. The keys
# are made for the test and forgotten.

repo_needs="$rpm_needs apt-utils gnupg locales"
repo_root="$cache/roots/row-bookworm-repo"

repo_root_make() {
	copy_of "$rpm_root" "$1"
	# shellcheck disable=SC2086 # a list of words
	in_root "$1" apt-get -qq update &&
		in_root "$1" apt-get -qq -y install --no-install-recommends \
			$repo_needs || return 1
	in_root "$1" apt-get -qq clean
	rm -rf "$1"/var/lib/apt/lists/* "$1"/etc/apt/apt.conf.d/*mmdebstrap
}

repo_root_ready() {
	rpm_root_ready && cached "$repo_root" "$({
		cat "$rpm_root.stamp"
		say "$repo_needs"
	} | sha256sum)" repo_root_make
}

# here COMMAND...: in the root that signs and installs. Its keys are in /srv.
here() { in_root "$repo_test" env GNUPGHOME=/srv/repo-test/gnupg "$@"; }

make_keys() {
	local name
	mkdir -p "$repo_dir/gnupg"
	chmod 700 "$repo_dir/gnupg"
	for name in siw stranger; do
		test_key "$name" here gpg || return 1
	done
	test_key expired here gpg --faked-system-time 20250601T000000
}

# apt_make KEY NAME [OPTION...]
apt_make() {
	local key=$1 name=$2
	shift 2
	# shellcheck disable=SC2046 # a list of words
	here "${apt_by:-env}" /srv/source/packaging/repo/make-apt.sh "$@" \
		"$key@siw.invalid" "/srv/repo-test/$name" \
		$(cd "$out/share" && find repo provider source-package \
			\( -name '*.deb' -o -name '*.dsc' \) \
			! -name '*dbgsym*' -printf '/srv/%p ' 2>/dev/null)
}

# apt_made NAME [OPTION...]: a repository that is as it should be.
apt_made() {
	rm -rf "${repo_dir:?}/$1"
	apt_make siw "$@"
}

# repo_kept KIND: one that is being served, as KIND-kept: if it cannot be made anew it
# stays as it was, nothing is left beside it, and a file of others is not lost.
repo_kept() {
	local kind=$1 dir=$repo_dir/$1-kept status=0
	broken_copy "$kind" "$kind-kept" true || return 1
	! "${kind}_make" nobody "$kind-kept" || status=1
	touch "$dir/index.html"
	! "${kind}_make" siw "$kind-kept" || status=1
	rm "$dir/index.html" || status=1
	diff -r "$repo_dir/$kind" "$dir" || status=1
	"${kind}_make" siw "$kind-kept" || status=1
	[ "$(echo "$dir"*)" = "$dir" ] || status=1
	return "$status"
}

apt_kept() { repo_kept apt && apt_gets apt-kept; }

# apt_gets NAME: would apt install from it? It downloads, so that it has seen all.
apt_gets() {
	local dir=$repo_dir/$1 etc=$repo_test/etc/apt
	rm -rf "$etc/sources.list.d"/* "$repo_test/var/lib/apt/lists" \
		"$repo_test"/var/cache/apt/archives/siw*
	mkdir -p "$etc/keyrings"
	cp "$repo_dir/apt/siw.asc" "$etc/keyrings/"
	sed "s,^URIs:.*,URIs: file:/srv/repo-test/$1," "$repo_dir/apt/stable.sources" \
		>"$etc/sources.list.d/siw.sources"
	in_root "$repo_test" apt-get -q -o Dir::Etc::SourceList=/dev/null \
		--error-on=any update &&
		in_root "$repo_test" apt-get -q -y --no-install-recommends \
			--download-only -o Acquire::Retries=0 \
			-o Debug::NoLocking=true install siw &&
		in_root "$repo_test" sh -c 'cd /tmp && apt-get -q download siw siw-dkms &&
			rm -f siw_*.dsc siw_*.tar.* && apt-get -q source --download-only siw'
}

# apt_refuses NAME WORDS: it does not, and says why.
apt_refuses() {
	local said
	if said=$(apt_gets "$1" 2>&1); then
		say "$said"
		say 'apt takes it'
		return 1
	fi
	say "$said"
	grep -qiE "$2" <<<"$said"
}

# broken_copy OF NAME COMMAND...: a copy in which something was changed.
broken_copy() {
	rm -rf "${repo_dir:?}/$2"
	cp -r "$repo_dir/$1" "$repo_dir/$2"
	(cd "$repo_dir/$2" && "${@:3}")
}

# flip DIR PATTERN: two octets of each file, with all sizes as they were.
flip() {
	local file at
	find "$1" -name "$2" | grep . || return 1
	while read -r file; do
		at=$(($(stat -c %s "$file") / 2))
		printf '\377\376' | dd of="$file" bs=1 seek="$at" conv=notrunc \
			status=none
	done < <(find "$1" -name "$2")
}

# apt_case NAME WORDS COMMAND...: broken by the command, it is refused by words.
apt_case() {
	broken_copy apt "apt-$1" "${@:3}" && apt_refuses "apt-$1" "$2"
}

apt_stranger_signs() {
	local dir=/srv/repo-test/apt-stranger/dists/stable
	here gpg --batch --yes --local-user stranger@siw.invalid --clearsign \
		--output "$dir/InRelease" "$dir/Release" &&
		here gpg --batch --yes --local-user stranger@siw.invalid --armor \
			--detach-sign --output "$dir/Release.gpg" "$dir/Release"
}

# The provider of a source, as `ci/run provider` has left it, or made now.
repo_provider() {
	compgen -G "$out/share/provider/$1/siw-provider_$(cat "$top/VERSION")+*.deb" ||
		{ provider_fetched "$1" && provider_build "$1"; }
}

# Each suite has the provider of its rdma-core, and no other.
apt_suites() {
	local suite source
	(cd "$repo_dir/apt/pool" && ls -- *)
	for suite in stable sid; do
		source=sid
		[ "$suite" = sid ] || source=trixie
		[ "$(find "$repo_dir/apt/pool/$suite" -name 'siw_*.deb' | wc -l)" = 1 ] &&
			[ "$(find "$repo_dir/apt/pool/$suite" -name 'siw_*.dsc' | wc -l)" = 1 ] &&
			diff <(cd "$out/share/provider/$source" && ls siw-provider_*.deb) \
				<(cd "$repo_dir/apt/pool/$suite" && ls siw-provider_*) ||
			return 1
	done
}

# What apt source brings is what was built, and it unpacks.
apt_source() {
	apt_gets apt && in_root "$repo_test" sh -c 'cd /tmp && rm -rf siw-source &&
		cmp siw_*.dsc /srv/source-package/siw_*.dsc &&
		cmp siw_*.tar.xz /srv/source-package/siw_*.tar.xz &&
		dpkg-source -x siw_*.dsc siw-source && ls siw-source/debian/control'
}

apt_expired() { apt_made apt-expired -d -1 && apt_refuses apt-expired expired; }

# By one who speaks another language, and whose files are his own.
apt_made_by_others() {
	local by=$repo_dir/other
	printf '%s\n' '#!/bin/sh' 'umask 077' 'export LC_ALL=fr_FR.UTF-8' \
		'[ "$(date -d 2026-11-29 +%a)" != Sun ] || exit' 'exec "$@"' >"$by"
	chmod 755 "$by"
	here localedef -i fr_FR -f UTF-8 fr_FR.UTF-8
	apt_by=/srv/repo-test/other apt_made apt-other && apt_gets apt-other &&
		! find "$repo_dir/apt-other" ! -perm -004 | grep .
}

apt_tests() {
	check apt-made apt_made apt && check apt-suites apt_suites || return
	check apt-takes-it apt_gets apt
	check apt-source apt_source
	check apt-made-by-others apt_made_by_others
	check apt-kept apt_kept
	check apt-unsigned apt_case unsigned 'not signed' \
		rm dists/stable/InRelease dists/stable/Release.gpg
	check apt-tampered-index apt_case index 'BADSIG|invalid' \
		sed -i 's/^Label: .*/Label: Debian/' dists/stable/InRelease
	check apt-tampered-list apt_case list 'Hash Sum|unexpected size|failed' \
		flip dists 'Packages*'
	check apt-tampered-package apt_case package 'Hash Sum' \
		flip pool 'siw-dkms*'
	check apt-tampered-source apt_case source 'Hash Sum' \
		flip pool 'siw_*.tar.xz'
	check apt-other-key apt_case stranger NO_PUBKEY apt_stranger_signs
	check apt-expired apt_expired
	check apt-installs apt_installs
}

# As a user does, with the rest of Debian.
apt_installs() {
	apt_gets apt && in_root "$repo_test" apt-get -q update &&
		install_siw "$repo_test" && module_installed "$repo_test" &&
		in_root "$repo_test" siw explain SIW-MPA-KEY &&
		in_root "$repo_test" apt-get -q -y --no-install-recommends install \
			siw-provider &&
		in_root "$repo_test" apt-get -q -y purge siw siw-dkms siw-provider
}

# dnf_make KEY NAME
dnf_make() {
	# shellcheck disable=SC2046 # a list of words
	here /srv/source/packaging/repo/make-dnf.sh "$1@siw.invalid" \
		"/srv/repo-test/$2" \
		$(cd "$out/share" && find rpm rpm-base -name '*.rpm' ! -name '*.src.rpm' \
			-printf '/srv/%p ')
}

# dnf_does NAME ARGUMENT...: with that repository alone and the key of the first.
dnf_does() {
	local name=$1
	shift
	rm -rf "$repo_test/etc/yum.repos.d" "$repo_test"/var/cache/dnf
	mkdir -p "$repo_test/etc/yum.repos.d"
	sed "s,^baseurl=.*,baseurl=file:///srv/repo-test/$name," \
		"$repo_dir/${dnf_key:-dnf}/siw.repo" >"$repo_test/etc/yum.repos.d/siw.repo"
	in_root "$repo_test" dnf -y --releasever 12 \
		--setopt=install_weak_deps=False "$@"
}

dnf_refuses() {
	local name=$1 words=$2 said
	if said=$(dnf_does "$name" install siw 2>&1); then
		say "$said"
		say 'dnf takes it'
		return 1
	fi
	say "$said"
	grep -qiE "$words" <<<"$said" || return 1
	! in_root "$repo_test" rpm -q siw
}

# dnf_case NAME WORDS COMMAND...
dnf_case() {
	broken_copy dnf "dnf-$1" "${@:3}" && dnf_refuses "dnf-$1" "$2"
}

# An index that is signed, of packages that are not.
dnf_unsign_packages() {
	here sh -c 'cd /srv/repo-test/dnf-package && rm -r repodata &&
		rpmsign --delsign packages/*.rpm && createrepo_c -q . &&
		gpg --batch --local-user siw@siw.invalid --armor \
			--detach-sign repodata/repomd.xml'
}

dnf_stranger_signs() {
	here gpg --batch --yes --local-user stranger@siw.invalid --armor \
		--output /srv/repo-test/dnf-stranger/repodata/repomd.xml.asc \
		--detach-sign /srv/repo-test/dnf-stranger/repodata/repomd.xml
}

# An index of dnf has no date of expiry: the key has one.
dnf_expired() {
	broken_copy dnf dnf-expired rm repodata/repomd.xml.asc &&
		here sh -c 'cd /srv/repo-test/dnf-expired &&
		gpg --batch --faked-system-time 20250601T120000 \
			--local-user expired@siw.invalid --armor --detach-sign \
			repodata/repomd.xml &&
		gpg --batch --armor --export expired@siw.invalid >siw.asc' || return 1
	sed -i 's,^gpgkey=.*,gpgkey=file:///srv/repo-test/dnf-expired/siw.asc,' \
		"$repo_dir/dnf-expired/siw.repo"
	dnf_key=dnf-expired dnf_refuses dnf-expired 'GPG|signature|key'
}

dnf_tests() {
	check dnf-made dnf_make siw dnf || return
	check dnf-kept repo_kept dnf
	check dnf-unsigned dnf_case unsigned repomd.xml \
		rm repodata/repomd.xml.asc
	check dnf-tampered-index dnf_case index 'signature|GPG' \
		sed -i 's/<revision>/<revision>1/' repodata/repomd.xml
	check dnf-tampered-package dnf_case flipped 'checksum|digest|signature' \
		flip packages 'siw-dkms*'
	check dnf-other-key dnf_case stranger 'signature|GPG' dnf_stranger_signs
	check dnf-unsigned-package dnf_case package 'not signed' \
		dnf_unsign_packages
	check dnf-expired-key dnf_expired
	check dnf-installs dnf_installs
}

dnf_installs() {
	dnf_does dnf install siw && module_installed "$repo_test" &&
		in_root "$repo_test" siw explain SIW-MPA-KEY &&
		dnf_does dnf remove siw siw-dkms
}

stage_repo() {
	local source
	repo_test=$out/roots/repo
	repo_dir=$out/share/repo-test
	need mmdebstrap debian-archive-keyring kmod
	check debs debs_ready && check source-package source_package &&
		check root-repo repo_root_ready &&
		check rpms rpms_ready && check base rpm_base &&
		check copy-of-root copy_of "$repo_root" "$repo_test" || return
	for source in $provider_sources; do
		check "provider-$source" repo_provider "$source" || return
	done
	rm -rf "$repo_dir" "$out/share/source"
	check source "$top/packaging/make-source.sh" "$out/share/source" &&
		check keys make_keys || return
	apt_tests
	dnf_tests
	rm -rf "$repo_test" "$repo_dir"
}
