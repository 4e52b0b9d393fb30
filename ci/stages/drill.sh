# shellcheck shell=bash
# security/process.md from a report to a withdrawn advisory, with a planted bug, on
# two release lines: `ci/run drill [DIR]`. DIR is ci/drill/access, where a peer gets
# what it may not; ci/drill/leak, where a user takes memory for good; or a copy of one
# with another bug. It has
#
#	bug.patch	plants the bug in siw/ or packaging/compat, as `git diff` has
#			it (patch -p1); the fix is to take it back
#	reproducer	a program, run by root in a guest, in the directory of the
#			kselftests: KTAP, of which something is not ok with the bug and
#			ok without. `exec ./run.sh PROGRAM WORD` will do
#	advisory.toml	what security/advisories/README.md has from title to tests, and
#			[[credit]]; in ASCII, all but the description of one line, the
#			weakness by its name at MITRE, tests that this tree has
#
# What is wrong with these is told within minutes, before anything is built for it.
#
# A line is the tree as it is under a version of its own: there is no older branch
# to backport to. Below build/ci/share/drill, private is what only we see until the
# day, public what everybody does.

drill=$out/share/drill

# The affected and the fixed release of the two newest lines that
# packaging/support.toml has, the older line first.
drill_lines() {
	local name version
	version=$(cat "$top/VERSION")
	while read -r name; do
		case $name:$(line_field "$name" level) in
		"${version%.*}":*) say "$version $name.$((${version##*.} + 1))" ;;
		*:supported | *:drill) say "$name.1 $name.2" ;;
		esac
	done < <(release_lines) | tail -n 2
}

drill_time() { date -u -d "${1:-now}" +%Y-%m-%dT%H:%M:%SZ; }

# drill_field KEY: a text of the advisory.
drill_field() { sed -n "s/^$1 = \"\(.*\)\"\$/\1/p" "$drill_dir/advisory.toml"; }

# The reproducer and the tools are those of this tree: a bug planted there is in none
# of the two lines.
drill_patch() {
	local file files
	files=$(sed -n 's/^+++ \([^\t]*\).*/\1/p' "$drill_dir/bug.patch")
	for file in ${files:-nothing}; do
		case ${file#*/} in
		siw/* | packaging/compat/*) ;;
		*)
			say "$drill_dir/bug.patch: $file is not a/siw/... or" \
				'a/packaging/compat/...: it has to be of the driver'
			return 1
			;;
		esac
	done
	patch -d "$top" -p1 --dry-run --force <"$drill_dir/bug.patch" || {
		say "$drill_dir/bug.patch: does not apply to this tree"
		return 1
	}
}

drill_data() {
	local key
	[ "$(drill_lines | wc -l)" = 2 ] &&
		[[ $(drill_lines | tail -n 1) == "$(cat "$top/VERSION") "* ]] || {
		say "packaging/support.toml: no two lines, of which $(cat "$top/VERSION")" \
			'is of the newest'
		return 1
	}
	[ -s "$drill_dir/bug.patch" ] && [ -s "$drill_dir/reproducer" ] &&
		[ -s "$drill_dir/advisory.toml" ] || {
		say "$drill_dir: needs bug.patch, reproducer and advisory.toml"
		return 1
	}
	drill_patch || return 1
	! grep -nP '[^\x00-\x7f]' "$drill_dir/advisory.toml" || {
		say "$drill_dir/advisory.toml: is not ASCII"
		return 1
	}
	for key in title severity cvss cwe summary impact workaround; do
		[ -n "$(drill_field "$key")" ] || {
			say "$drill_dir/advisory.toml: no $key of one line"
			return 1
		}
	done
}

# All of ci/drill, for lint: they have to fit the driver as it is.
drills_are_sound() {
	local drill_dir
	for drill_dir in "$top"/ci/drill/*/; do
		drill_data || return 1
	done
}

# --- The record, and its clock

# drill_happens EVENT...: now.
drill_happens() {
	local event
	for event; do
		say "$event = $(drill_time)" >>"$drill/private/timeline"
	done
	drill_record
}

# The report's times alone; from its assessment on, the advisory.
drill_record() {
	local affected fixed
	{
		if grep -q '^assessed' "$drill/private/timeline"; then
			say "id = \"$drill_id\""
			cat "$drill/private/top" "$drill_dir/advisory.toml" 2>/dev/null
			while read -r affected fixed; do
				printf '\n[[affected]]\ncomponent = "siw-dkms"\n'
				printf 'introduced = "%s"\nfixed = "%s"\n' \
					"$affected" "$fixed"
			done < <(drill_lines)
			cat "$drill/private/history" 2>/dev/null
		fi
		printf '\n[timeline]\n'
		cat "$drill/private/timeline"
	} >"$drill/private/$drill_id.toml"
}

# drill_revision SUMMARY: of what is published now.
drill_revision() {
	printf '\n[[history]]\ndate = %s\nsummary = "%s"\n' "$(drill_time)" "$1" \
		>>"$drill/private/history"
}

# An advisory that lint or the validator refuses is told before an hour of builds, not
# after it: all that DIR says of it, with times as if everything had happened now.
drill_draft() {
	local event status
	for event in reported acknowledged assessed fix_ready next_release disclosed \
		merged released; do
		say "$event = $(drill_time)"
	done >"$drill/private/timeline"
	drill_first_revision
	cp -r "$drill/public/tree" "$drill/private/draft" &&
		cp "$drill/private/$drill_id.toml" \
			"$drill/private/draft/security/advisories/" &&
		"$advisory_bin" --root "$drill/private/draft" lint &&
		"$advisory_bin" --root "$drill/private/draft" build --test \
			--out "$drill/private/site" &&
		drill_documents "$drill/private/site"
	status=$?
	rm -rf "$drill/private"/{draft,site,timeline,history,"$drill_id.toml"}
	return "$status"
}

# Published is what its first revision has as its date.
drill_first_revision() {
	drill_revision 'First publication'
	sed -n 's/^date = /published = /p' "$drill/private/history" \
		>>"$drill/private/timeline"
	drill_record
}

# drill_clock [WHEN]
drill_clock() {
	"$advisory_bin" --root "$top" --now "$(drill_time "${1:-now}")" \
		clock "$drill/private/$drill_id.toml"
}

# As the lead on duty begins; nobody answers for a week, and the clock says so.
drill_reported() {
	local said
	say "reported = $(drill_time)" >"$drill/private/timeline"
	sed "s/^reported = .*/$(cat "$drill/private/timeline")/" \
		"$top/security/templates/report.toml" >"$drill/private/$drill_id.toml"
	drill_clock | grep '^acknowledge: running' || return 1
	said=$(drill_clock '7 days') && return 1
	grep '^acknowledge: overdue' <<<"$said"
}

drill_acknowledged() {
	drill_mail acknowledge "ID=$drill_id" SUBJECT='A report' NAME='Dr Ill' \
		WHO='The lead' DEPUTY='the deputy' \
		"ASSESSED-BY=$(date -u -d '5 days' +%F)" &&
		drill_happens acknowledged &&
		drill_clock | grep '^acknowledge: met'
}

drill_assessed() {
	case $(drill_field severity) in
	low | medium) say "next_release = $(drill_time '14 days')" \
		>>"$drill/private/timeline" ;;
	esac
	drill_happens assessed && drill_clock | grep '^fix-.*: running'
}

# Every rule that applies was kept, to the last.
drill_in_time() {
	local said
	said=$(drill_clock) || return 1
	say "$said"
	grep -q '^advisory: met: ' <<<"$said" && ! grep -v ': met: ' <<<"$said"
}

# --- Mails

# drill_mail NAME KEY=VALUE...: a template, filled in by one pass. A word in
# capitals that has no value is an error.
drill_mail() {
	local name=$1 mail=$drill/private/mail/$1
	shift
	# shellcheck disable=SC2016 # perl's own variables
	perl -0777 -e 'my ($file, @pairs) = @ARGV;
		my %value = map { split /=/, $_, 2 } @pairs;
		my $keys = join "|", map { quotemeta }
			sort { length $b <=> length $a } keys %value;
		open my $in, "<", $file or die "$file: $!\n";
		my $text = <$in>;
		(my $rest = $text) =~ s/$keys//g;
		$rest =~ s/\b(CVE|UTC|RDMA|CSAF)\b//g;
		$rest =~ /x_ID\b/ and die "$file: ID has no value\n";
		$rest =~ /\b([A-Z]{2,}(?:-[A-Z]+)*)\b/ and
			die "$file: $1 has no value\n";
		$text =~ s/($keys)/$value{$1}/g;
		print $text' "$top/security/templates/$name.txt" "$@" \
		>"$mail.unfolded" || return 1
	# Lines of the header are never folded.
	awk '!body { print; body = /^$/; next } { print | "fold -s -w 72" }' \
		"$mail.unfolded" | sed 's/ *$//' >"$mail"
	rm "$mail.unfolded"
	cat "$mail"
	! grep -nP '[^\x00-\x7f]' "$mail" || return 1
	case $name in
	release-note | early-warning) ;;
	*) sed '/^$/q' "$mail" | grep -q '^Subject: .' ;;
	esac
}

drill_ranges() {
	drill_lines | sed 's/\(.*\) \(.*\)/from \1 on, fixed in \2/' | paste -sd ';' |
		sed 's/;/; /g'
}

# Only for what is severe there is an embargo to ask for.
drill_has_embargo() {
	case $(drill_field severity) in
	high | critical) ;;
	*) return 1 ;;
	esac
}

drill_told() {
	drill_mail distros "ID=$drill_id" "TITLE=$(drill_field title)" \
		"SEVERITY=$(drill_field severity)" "CVE-ID=not assigned yet" \
		"CVSS-VECTOR=$(drill_field cvss)" "RANGES=$(drill_ranges)" \
		"SUMMARY=$(drill_field summary)" "IMPACT=$(drill_field impact)" \
		"WORKAROUND=$(drill_field workaround)" CREDIT='the drill' \
		"DATE-TIME=$(date -u -d '6 days' '+%F %T')" \
		"KERNELS=$(kernel_of "$(root bookworm full)")" 'IS / IS NOT=is not' \
		'KNOW / DO NOT KNOW=know' WHO-KNOWS='the reporter' WHO='The lead'
}

# What other reports would have got.
drill_other_mails() {
	drill_mail reject "ID=$drill_id" SUBJECT='A report' NAME='Dr Ill' \
		WHO='The lead' REASON='It is as it should be.' \
		WHAT-WE-SAW='Nothing.' URL=https://siw.invalid/ \
		OTHER-PROJECT='another project' CONTACT=security@siw.invalid &&
		drill_mail early-warning "ID=$drill_id" WHO='The contact' \
			CONTACT=security@siw.invalid CWE="$(drill_field cwe)" \
			"DATE-TIME=$(date -u '+%F %T')" 'YES / NO / NOT KNOWN=no' \
			ONE-SENTENCE="$(drill_field summary)" COUNTRIES='not known' \
			WHAT-THE-ATTACKER-NEEDS='a connection' \
			"SEVERITY=$(drill_field severity)" \
			"CVSS-VECTOR=$(drill_field cvss)" "RANGES=$(drill_ranges)" \
			"WORKAROUND=$(drill_field workaround)" \
			MEASURES='a drill' EMBARGO-UNTIL="$(date -u -d '6 days' +%F)" \
			ACTOR='nobody' VERSIONS="$(drill_ranges)" RELEASED='not yet'
}

drill_note() {
	drill_mail release-note "ID=$drill_id" "TITLE=$(drill_field title)" \
		"SEVERITY=$(drill_field severity)" 'CVE-ID=no CVE id yet' \
		WHO-IS-AFFECTED='Everybody'
}

drill_announced() {
	local text=$drill/public/site/text/$drill_id.txt
	[ "$(wc -L <"$text")" -le 100 ] || return 1
	drill_mail announce "FILE=${drill_id,,}.json" URL=https://siw.invalid/ \
		"ID=$drill_id" \
		"(first line of text/ID.txt)=$(sed -n '1s/^Subject: //p' "$text")" \
		"(text/ID.txt as \`siw-advisory build\` made it)=$(sed 1,2d "$text")"
}

# --- The lines

# drill_plant VERSION: that release of the line, with the bug.
drill_plant() {
	local dir=$drill/src-$1
	"$top/packaging/make-source.sh" "$dir" && say "$1" >"$dir/VERSION" &&
		sed -i "1s/([^)]*)/($1)/" "$dir/packaging/debian/changelog" &&
		sed -i "s/^\(Version: *\).*/\1$1/" "$dir/packaging/rpm/siw.spec" &&
		patch -d "$dir" -p1 --no-backup-if-mismatch \
			<"$drill_dir/bug.patch" &&
		cp -r "$dir" "$drill/public/src-${1%.*}"
}

# drill_fix AFFECTED FIXED: the line's next release, with the bug taken back.
drill_fix() {
	local dir=$drill/src-$2 note log
	cp -r "$drill/src-$1" "$dir" && patch -d "$dir" -p1 -R \
		--no-backup-if-mismatch <"$drill_dir/bug.patch" || return 1
	note=$(sed 's/^- //' "$drill/private/mail/release-note" | fold -s -w 72 |
		sed 's/ *$//')
	say "$2" >"$dir/VERSION"
	log=$(cat "$dir/CHANGELOG.md")
	NOTE="## $2"$'\n\n- '"${note//$'\n'/$'\n  '}" awk '
		/^## / && !done++ { print ENVIRON["NOTE"] "\n" }
		{ print }' <<<"$log" >"$dir/CHANGELOG.md"
	log=$(cat "$dir/packaging/debian/changelog")
	{
		printf 'siw (%s) unstable; urgency=high\n\n  * %s\n' "$2" \
			"${note//$'\n'/$'\n    '}"
		printf '\n -- The siw authors <siw@siw.invalid>  %s\n\n%s\n' \
			"$(date -uR)" "$log"
	} >"$dir/packaging/debian/changelog"
	# A macro begins with %.
	note=${note//%/%%}
	sed -i -e "s/^\(Version: *\).*/\1$2/" -e '/^%changelog/r /dev/stdin' \
		"$dir/packaging/rpm/siw.spec" <<END
* $(date -u '+%a %b %d %Y') The siw authors <siw@siw.invalid> - $2-1
- ${note//$'\n'/$'\n  '}

END
}

# drill_debs VERSION [WITHOUT...]: where the RPMs are built, too. debhelper's own
# options come by its environment.
drill_debs() {
	local version=$1 options=()
	shift
	[ $# -eq 0 ] || options=("DH_OPTIONS=${*/#/-N}")
	in_root "$rpm_root" "${options[@]}" \
		"/srv/drill/src-$version/packaging/build-deb.sh" \
		"/srv/drill/deb-$version" &&
		find "$drill/deb-$version" -name '*-dbgsym_*' -delete
}

# drill_repos WHERE VERSION: signed repositories of the line's packages.
drill_repos() {
	local where=$1 version=$2 line=${2%.*}
	# shellcheck disable=SC2046 # lists of words
	"$top/packaging/repo/make-apt.sh" -u "file:/srv/drill/$where/apt-$line" \
		"$drill_key" "$drill/$where/apt-$line" "$drill/deb-$version"/*.deb &&
		"$top/packaging/repo/make-dnf.sh" \
			-u "file:///srv/drill/$where/dnf-$line" "$drill_key" \
			"$drill/$where/dnf-$line" $(find "$drill/rpm-$version" \
			-name '*.rpm' ! -name '*.src.rpm')
}

# drill_apt WHERE VERSION: installed or upgraded by apt, that release and no other;
# the line's root becomes a guest's image.
drill_apt() {
	local repo=$drill/$1/apt-${2%.*} root=$out/roots/drill-${2%.*} status
	[ -d "$root" ] || {
		copy_of "$(root bookworm full)" "$root" && prepare_guest "$root"
	} || return 1
	install -D -m 644 -t "$root/etc/apt/keyrings" "$repo/siw.asc" &&
		cp "$repo/stable.sources" \
			"$root/etc/apt/sources.list.d/siw.sources" &&
		in_root "$root" apt-get -q --error-on=any update &&
		install_siw "$root" && module_installed "$root" || return 1
	status=$(in_root "$root" dkms status siw)
	say "$status"
	[[ $status == "siw/$2,"* && $(wc -l <<<"$status") = 1 ]] &&
		pack_image "drill-$2" "$root" drill
}

drill_dnf_ready() {
	local affected fixed dirs=()
	while read -r affected fixed; do
		dirs+=("drill/rpm-$affected" "drill/rpm-$fixed")
	done < <(drill_lines)
	rpm_base "${dirs[@]}" && rpm_repo drill/base rpm-base &&
		copy_of "$rpm_root" "$rpm_test" &&
		dnf_in "$rpm_test" drill/base install debian-base
}

# drill_dnf WHERE VERSION
drill_dnf() {
	rm -rf "$rpm_test/var/cache/dnf"
	install -D -m 644 -t "$rpm_test/etc/yum.repos.d" \
		"$drill/$1/dnf-${2%.*}/siw.repo" &&
		in_root "$rpm_test" dnf -y --releasever 12 \
			--setopt=install_weak_deps=False install "siw-$2" &&
		rpm_module "$2"
}

# drill_dnf_line AFFECTED FIXED: from what was public, by what will be.
drill_dnf_line() {
	drill_dnf public "$1" && drill_dnf private "$2" &&
		! in_root "$rpm_test" dkms status siw | grep -F "siw/$1," &&
		dnf_in "$rpm_test" drill/base remove siw siw-dkms
}

# --- The reproducer

drill_payload() {
	local dir=$drill/payload
	mkdir -p "$dir"
	cp -r "$top/selftests" "$dir/" && in_root "$(root bookworm full)" make \
		-j "$jobs" -C /srv/drill/payload/selftests/kselftest clean all &&
		install "$drill_dir/reproducer" "$dir/selftests/kselftest/" &&
		mkfs.erofs --quiet "$drill/payload.erofs" "$dir/selftests/kselftest"
}

# drill_guest VERSION FILE PAYLOAD COMMAND: in a guest with that release.
drill_guest() {
	local args slow=3 logs=$out/log/drill-$1
	[ "$(acceleration "drill-$1")" = tcg ] || slow=1
	mkdir -p "$logs"
	read -ra args <<<"$(machine "drill-$1" "$logs")"
	SIW_VM=$vm_bin "$vm_bin" hosts "${args[@]}" --memory 1536 --payload "$3" \
		--host a "$top/ci/drill/script" "$2" $((900 * slow)) \
		"export SIW_KSFT_SLOW=$slow; $4"
}

drill_reproduce() {
	rm -f "$drill/private/said-$1"
	drill_guest "$1" "$drill/private/said-$1" "$drill/payload.erofs" \
		'cd /payload && ./reproducer'
}

# Red is a test that fails, or a kernel that does, not a guest without a test, nor
# a name that no test of run.sh has.
drill_red() {
	if drill_reproduce "$1"; then
		say 'the reproducer finds nothing, with the bug planted'
		return 1
	fi
	grep -q '^KTAP version' "$drill/private/said-$1" || return 1
	! grep -E '^not ok [0-9]+ a test is named ' "$drill/private/said-$1" ||
		return 1
	grep -E '^ *not ok ' "$drill/private/said-$1" ||
		grep -E 'Kernel panic|BUG: |Oops: ' "$out/log/drill-$1/a.console"
}

# drill_green AFFECTED FIXED: what was red there is run here, and passes.
drill_green() {
	local name count=0
	drill_reproduce "$2" || return 1
	while read -r name; do
		grep -E '^ *ok [0-9]+ ' "$drill/private/said-$2" |
			grep -v '# SKIP' | grep -F -- "$name" || {
			say "did not pass: $name"
			return 1
		}
		count=$((count + 1))
	done < <(sed -nE 's/^ *not ok [0-9]+ (- )?([^#(]*[^#( ]).*/\2/p' \
		"$drill/private/said-$1")
	[ "$count" -gt 0 ] ||
		grep -E '^ *ok [0-9]+ ' "$drill/private/said-$2" | grep -v '# SKIP'
}

# --- What is published

# The public repository: advisories, documents, sources.
drill_public_tree() {
	local part
	mkdir -p "$drill/public/tree"
	cp -r "$top/security" "$top/CHANGELOG.md" "$top/SECURITY.md" \
		"$drill/public/tree/" || return 1
	for part in docs packaging selftests siw tools; do
		ln -s "$top/$part" "$drill/public/tree/$part" || return 1
	done
}

drill_site() {
	rm -rf "$drill/public/site"
	"$advisory_bin" --root "$drill/public/tree" lint &&
		"$advisory_bin" --root "$drill/public/tree" build --test \
			--sign "$drill_key" --out "$drill/public/site"
}

# drill_unpack FILE DIR: a package, or what is compressed.
drill_unpack() {
	mkdir -p "$2"
	case $1 in
	*.deb) dpkg-deb -R "$1" "$2" ;;
	# Its changelog is in its header.
	*.rpm) (cd "$2" && rpm2cpio "$1" | cpio -idm --quiet) &&
		rpm -qp --nosignature --info --changelog "$1" >"$2/header" ;;
	*) cp "$1" "$2/" ;;
	esac
}

# Where what is public names the defect: id, title, summary, in packages and in the
# indexes of repositories, too.
drill_named() {
	local file unpacked=$drill/private/unpacked count=0
	rm -rf "$unpacked"
	while read -r file; do
		count=$((count + 1))
		drill_unpack "$file" "$unpacked/$count-${file##*/}" || return 2
	done < <(find "$drill/public" -path '*/pool/stable/*.deb' -o -name '*.rpm' \
		-o -path '*/repodata/*.gz' -o -path '*/repodata/*.zst')
	# Of each line a siw and a siw-dkms in both repositories, and three indexes.
	say "$count packages and indexes"
	[ "$count" -ge 14 ] || return 2
	# Manual pages and changelogs are compressed in packages.
	find "$unpacked" -type f -name '*.gz' -exec gunzip -f {} + || return 2
	find "$unpacked" -type f -name '*.zst' -exec zstd -qdf --rm {} + || return 2
	grep -RliF -e "$drill_id" -e "$(drill_field title)" \
		-e "$(drill_field summary)" "$drill/public" "$unpacked" \
		>"$drill/private/named"
	rm -rf "$unpacked"
	cat "$drill/private/named"
	[ -s "$drill/private/named" ]
}

drill_silent() {
	drill_named
	[ $? = 1 ]
}

# Worth as much as it finds afterwards, in each kind of what is published: one that it
# cannot look into would never name the defect.
drill_named_everywhere() {
	local kind
	drill_named || return 1
	for kind in 'tree/security/advisories/[^/]*[.]toml' 'src-[^/]*/CHANGELOG[.]md' \
		'csaf/white/.*[.]json' 'site/osv/.*[.]json' 'site/text/.*[.]txt' \
		'-siw-dkms_[^/]*[.]deb/.*/changelog[^/]*' \
		'-siw-doc_[^/]*[.]deb/.*[.]html' '[.]rpm/header' \
		'other[.]xml[.]gz/[^/]*'; do
		grep -q -e "$kind\$" "$drill/private/named" || {
			say "nothing names it in $kind"
			return 1
		}
	done
}

drill_merged() {
	local affected fixed
	while read -r affected fixed; do
		rm -rf "$drill/public/src-${fixed%.*}"
		cp -r "$drill/src-$fixed" "$drill/public/src-${fixed%.*}" || return 1
	done < <(drill_lines)
	drill_happens disclosed merged
}

drill_released() {
	local affected fixed
	while read -r affected fixed; do
		drill_repos public "$fixed" </dev/null || return 1
	done < <(drill_lines)
	drill_happens released
}

# Before its time the public tree refuses it.
drill_published() {
	local said
	drill_first_revision
	cp "$drill/private/$drill_id.toml" "$drill/public/tree/security/advisories/"
	said=$("$advisory_bin" --root "$drill/public/tree" \
		--now "$(drill_time '1 hour ago')" lint) && return 1
	grep 'timeline.published: lies in the future' <<<"$said" && drill_site
}

# drill_documents SITE
drill_documents() {
	valid_by csaf.mjs "$1"/.well-known/csaf/white/*/"${drill_id,,}"*.json
}

# Everything that names the defect has a signature, which holds, and breaks when an
# octet changes.
drill_signed() {
	local file count=0
	while read -r file; do
		count=$((count + 1))
		gpg --batch --verify "$file.asc" "$file" || return 1
		sed 's/siw/sjw/' "$file" | gpg --batch --verify "$file.asc" - && {
			say "changed and taken: $file"
			return 1
		}
	done < <(find "$drill/public/site" -iname "*$drill_id*" \
		\( -name '*.json' -o -name '*.txt' \))
	say "$count documents"
	# CSAF, VEX, OSV, text
	[ "$count" = 4 ] || return 1
	for file in "$drill"/public/site/.well-known/csaf/white/*/; do
		(cd "$file" && sha256sum --strict --quiet -c ./*.sha256 &&
			sha512sum --strict --quiet -c ./*.sha512) || return 1
	done
}

# Who reads the lists of the directory finds every document, and no other.
drill_listed() {
	local white=$drill/public/site/.well-known/csaf/white there
	there=$(find "$white" -name '*.json' -printf '%P\n' | sort)
	say "$there"
	grep "${drill_id,,}-vex.json" <<<"$there" &&
		diff <(sort "$white/index.txt") - <<<"$there" &&
		diff <(cut -d '"' -f 2 "$white/changes.csv" | sort) - <<<"$there"
}

# drill_doctor VERSION CODE FILTER: what it says of the advisories, of the OSV
# document; and the exit code of `siw advisory check`.
drill_doctor() {
	local said=$drill/doctor-$1.json
	drill_guest "$1" "$said" "$drill/advisories.erofs" "modprobe siw &&
		mkdir -p /etc/siw/advisories && cp /payload/* /etc/siw/advisories/ &&
		{ siw doctor --json || [ \$? = 1 ]; } &&
		{ siw advisory check >/dev/null 2>&1; [ \$? = $2 ]; }" || return 1
	jq -e --arg id "$drill_id" --arg version "$1" ".checks[] |
		select(.what == \"advisories\") | ($3)" "$said"
}

# What an administrator puts into /etc/siw/advisories
drill_advisories() {
	mkdir "$drill/advisories" &&
		cp "$drill/public/site/osv/x_$drill_id.json" "$drill/advisories/" &&
		mkfs.erofs --quiet "$drill/advisories.erofs" "$drill/advisories"
}

drill_doctors() {
	local affected fixed
	check advisories-for-hosts drill_advisories || return
	# shellcheck disable=SC2016 # jq's own variables
	while read -r affected fixed; do
		check "doctor-reports-$affected" drill_doctor "$affected" 1 \
			'.verdict == "error" and any(.findings[];
			(.evidence | startswith($id)) and
			(.object | startswith("siw-dkms " + $version + ",")))'
		check "doctor-is-silent-on-$fixed" drill_doctor "$fixed" 0 \
			'.verdict == "ok" and (.seen | startswith("1 in "))'
	done < <(drill_lines)
}

# --- Afterwards

drill_again() {
	cp "$drill/private/$drill_id.toml" "$drill/public/tree/security/advisories/"
	drill_site && drill_documents "$drill/public/site" && drill_signed
}

# No two revisions in one second.
drill_revised() {
	sleep 2
	drill_revision 'What helps until the upgrade was made clearer'
	drill_record && drill_again &&
		jq -e '.document.tracking | .version == "2" or .version == "2.0.0"' \
			"$drill"/public/site/.well-known/csaf/white/*/"${drill_id,,}.json" &&
		grep '^Revised: ' "$drill/public/site/text/$drill_id.txt"
}

# It stays there and affects nothing any more.
drill_withdrawn() {
	local version=${1%% *}
	"$advisory_bin" --root "$drill/public/tree" check "siw-dkms=$version"
	# Affected; 2 would be that it could not be told.
	[ $? = 1 ] || return 1
	sleep 2
	say 'withdrawn = "The drill is over: there was no such defect."' \
		>"$drill/private/top"
	drill_revision 'Withdrawn'
	drill_record && drill_again &&
		jq -e .withdrawn "$drill/public/site/osv/x_$drill_id.json" &&
		"$advisory_bin" --root "$drill/public/tree" check "siw-dkms=$version"
}

# --- In order

# Both lines as users have them, and red.
drill_begin() {
	local affected fixed
	while read -r affected fixed; do
		check "plant-$affected" drill_plant "$affected" &&
			check "debs-$affected" drill_debs "$affected" siw-selftests \
				siw-doc &&
			check "rpms-$affected" rpm_build "drill/src-$affected" \
				"drill/rpm-$affected" --without command &&
			check "repos-$affected" drill_repos public "$affected" &&
			check "install-$affected" drill_apt public "$affected" &&
			check "red-$affected" drill_red "$affected" || return
	done < <(drill_lines)
}

# Each line with the fix, as packages that are signed.
drill_repair() {
	local affected fixed
	while read -r affected fixed; do
		check "fix-$fixed" drill_fix "$affected" "$fixed" &&
			check "debs-$fixed" drill_debs "$fixed" &&
			check "rpms-$fixed" rpm_build "drill/src-$fixed" \
				"drill/rpm-$fixed" &&
			check "repos-$fixed" drill_repos private "$fixed" || return
	done < <(drill_lines)
}

# Each line upgraded from what was public, and green.
drill_upgrade() {
	local affected fixed
	while read -r affected fixed; do
		check "upgrade-$fixed" drill_apt private "$fixed" &&
			check "green-$fixed" drill_green "$affected" "$fixed" || return
		rm -rf "$out/roots/drill-${fixed%.*}"
	done < <(drill_lines)
	rpm_test=$out/roots/drill-rpm
	check root-dnf drill_dnf_ready || return
	while read -r affected fixed; do
		check "dnf-update-$fixed" drill_dnf_line "$affected" "$fixed" ||
			return
	done < <(drill_lines)
	rm -rf "$rpm_test"
}

drill_ready() {
	check data drill_data && check advisory-tool advisory_tool_ready &&
		check public-tree drill_public_tree && check draft drill_draft &&
		check site-before drill_site &&
		check runner vm_runner_ready &&
		check root-bookworm root_ready bookworm full &&
		check root-rpm rpm_root_ready && check payload drill_payload
}

# drill_skip NAME WHY
drill_skip() {
	say "skip $1: $2"
	say "skip drill $1: $2" >>"$results"
}

# The figure: what lies between a fix that is ready and all that is published,
# without the tests in between.
drill_half_an_hour() {
	say "$1 s of 1800"
	[ "$1" -le 1800 ]
}

drill_steps() {
	local begun took
	drill_ready && check reported drill_reported &&
		check acknowledged drill_acknowledged && drill_begin &&
		check assessed drill_assessed && check note drill_note || return
	begun=$SECONDS
	drill_repair || return
	took=$(seconds_since "$begun")
	drill_upgrade && check fix-ready drill_happens fix_ready || return
	if drill_has_embargo; then
		check distributions-told drill_told || return
	else
		drill_skip distributions-told "$(drill_field severity)"
	fi
	check nothing-public-names-it drill_silent || return
	begun=$SECONDS
	check merged drill_merged && check released drill_released &&
		check published drill_published || return
	took=$((took + $(seconds_since "$begun")))
	say "# from the fix to what is published: $took s of 1800"
	check within-half-an-hour drill_half_an_hour "$took"
	check csaf-and-vex-valid drill_documents "$drill/public/site"
	osv_checked osv-valid "$drill/public/site/osv/x_$drill_id.json"
	check signed drill_signed && check announced drill_announced
	check listed drill_listed
	check other-mails drill_other_mails
	check public-names-it-now drill_named_everywhere
	check in-time drill_in_time
	drill_doctors
	check revised drill_revised &&
		check withdrawn drill_withdrawn "$(drill_lines | tail -n 1)"
}

# stage_drill [DIR]
stage_drill() {
	need apt-utils cmake createrepo-c debian-archive-keyring g++ gnupg jq \
		libcli11-dev libfmt-dev libtomlplusplus-dev mmdebstrap ninja-build \
		nlohmann-json3-dev patch perl rpm zstd
	command -v npm >/dev/null || need npm
	drill_key=drill@siw.invalid
	drill_dir=$(realpath "${1:-$top/ci/drill/access}")
	drill_id=SIW-$(date -u +%Y)-9901
	rm -rf "$drill" "$out"/roots/drill-* "$out"/image/drill-*
	mkdir -p "$drill/private/mail" "$drill/public"
	own_keyring
	check key test_key drill gpg && drill_steps
	forget_keyring
	rm -rf "$out"/roots/drill-* "$out"/image/drill-* "$drill"/src-* \
		"$drill"/payload*
	say "# $drill: private, public"
}
