# shellcheck shell=bash
# Builds again, elsewhere: another path, time, time zone and locale. What comes out
# has to be the same, to the bit.

elsewhere_root=$out/roots/elsewhere

# elsewhere_ready ROOT: a copy of it, with a clock and a locale of its own.
elsewhere_ready() {
	copy_of "$1" "$elsewhere_root" &&
		in_root "$elsewhere_root" apt-get -qq update &&
		in_root "$elsewhere_root" apt-get -qq -y install \
			--no-install-recommends faketime locales &&
		in_root "$elsewhere_root" localedef -i tr_TR -f UTF-8 tr_TR.UTF-8
}

# elsewhere COMMAND...: a month later in Japan, in Turkish, below another directory.
elsewhere() {
	local tmp=elsewhere/a/longer/path
	mkdir -p "$out/share/$tmp"
	in_root "$elsewhere_root" TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 \
		LANG=tr_TR.UTF-8 "TMPDIR=/srv/$tmp" faketime -f +31d "$@"
}

# same_files A B PATTERN: each file of A is there in B, the same; diffoscope tells
# the difference.
same_files() {
	local file count=0 status=0
	for file in "$1"/$3; do
		[ -e "$file" ] || continue
		count=$((count + 1))
		cmp "$file" "$2/${file##*/}" && continue
		status=1
		diffoscope --max-report-size 20000 "$file" "$2/${file##*/}"
	done
	say "$count files"
	[ "$count" -gt 0 ] && [ "$status" = 0 ]
}
