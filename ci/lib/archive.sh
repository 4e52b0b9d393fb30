# shellcheck shell=bash
# Which kernels the archive has: apt's lists of all suites in kernels.toml.

archive=$cache/archive

# archive_sources: one line per pocket.
archive_sources() {
	local suite arches keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	for suite in $(rows suite); do
		arches=$(field suite "$suite" arches)
		sources "$suite" "signed-by=$keyring${arches:+ arch=$arches}"
	done
}

archive_apt() {
	"$1" -o Dir::State="$archive" -o Dir::State::Lists="$archive/lists" \
		-o Dir::Cache="$archive" -o Dir::Etc::SourceList="$archive/list" \
		-o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Parts=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o Acquire::Languages=none -o Acquire::Check-Valid-Until=false \
		-o APT::Sandbox::User=root "${@:2}"
}

# archive_unread: what to say of an archive that this run could not read.
archive_unread() {
	[ "$archive/unread" -nt "$out/started" ] && cat "$archive/unread"
}

# archive_ready: ask the archive, once per run, and note what has headers and an
# image: pocket, series, version, release and flavour in $archive/kernels. An archive
# that does not answer is taken as it was, which summary() tells.
archive_ready() {
	[ "$archive/kernels" -nt "$out/started" ] && return
	need debian-archive-keyring
	mkdir -p "$archive/lists/partial"
	# Every checkout of this user has the same cache.
	(flock 8 && archive_read) 8>"$archive/lock"
}

archive_read() {
	local pocket file unread=
	archive_sources >"$archive/list"
	rm -f "$archive/unread"
	# What cannot be fetched is a warning to apt, and no error, unless it is told so.
	archive_apt apt-get -q -o APT::Update::Error-Mode=any update || unread=1
	# shellcheck disable=SC2016 # apt's own variables
	archive_apt apt-get indextargets --format '$(RELEASE) $(FILENAME)' \
		'Created-By: Packages' >"$archive/files"
	[ -z "$unread" ] || archive_is_kept || return
	while read -r pocket file; do
		/usr/lib/apt/apt-helper cat-file "$file" | awk -v pocket="$pocket" '
			/^Package: / { name = $2; ours = name ~ /^linux-/ }
			!ours { next }
			/^Version: / { version = $2 }
			/^Depends: / { depends = $0 }
			/^$/ {
				if (name ~ /^linux-image-/)
					image[substr(name, 13)]
				# The packages without number follow the newest.
				if (name ~ /^linux-headers-/ && depends ~ /-common/)
					headers[substr(name, 15)] = version
				name = version = depends = ""
			}
			END {
				for (release in headers) {
					if (!(release in image))
						continue
					flavour = release
					sub(/^[0-9][^-]*-([0-9][^-]*-)?/, "", flavour)
					split(headers[release], v, /[.~+-]/)
					print pocket, v[1] "." v[2], headers[release],
						release, flavour
				}
			}'
	done <"$archive/files" | sort >"$archive/kernels.new"
	[ -s "$archive/kernels.new" ] || {
		say 'no kernel with headers in any suite of kernels.toml'
		return 1
	}
	mv "$archive/kernels.new" "$archive/kernels"
}

# archive_is_kept: apt has lists of every pocket from before; else which it lacks.
archive_is_kept() {
	local mirror pocket file lacks='' said='the archive could not be read'
	while read -r mirror pocket; do
		file=$(sed -n "s/^$pocket //p" "$archive/files" | head -n 1)
		[ -s "$file" ] || lacks+=" $mirror $pocket;"
	done < <(awk '{ print $(NF - 2), $(NF - 1) }' "$archive/list")
	[ -z "$lacks" ] || {
		say "$said:${lacks%;}"
		return 1
	}
	say "$said ($(awk '{ print $(NF - 2) }' "$archive/list" | sort -u | xargs)):" \
		"its kernels are taken to be those of an earlier run" | tee "$archive/unread"
}

# in_version_order POINT: of lines of $archive/kernels, the oldest or newest.
in_version_order() {
	sort -t' ' -k3,3V | if [ "$1" = oldest ]; then
		head -n 1
	else
		tail -n 1
	fi
}

# resolve NAME: the line of $archive/kernels that a row stands for.
resolve() {
	local name=$1 suite series point flavour
	suite=$(kernel_field "$name" suite)
	series=$(kernel_field "$name" series)
	point=$(kernel_field "$name" point)
	flavour=$(kernel_field "$name" flavour)
	[ -n "$suite" ] || die "no kernel \"$name\" in ci/kernels.toml"
	awk -v pockets=" $(field suite "$suite" pockets) " -v series="$series" \
		-v flavour="$flavour" '
		index(pockets, " " $1 " ") && $2 == series && $5 == flavour' \
		"$archive/kernels" | in_version_order "$point" | grep . || {
		say "$name: no linux-headers of $series, flavour $flavour, in" \
			"$(field suite "$suite" pockets)" >&2
		return 1
	}
}
