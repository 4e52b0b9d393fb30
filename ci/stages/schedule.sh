# shellcheck shell=bash
# What packaging/support.toml claims: is it so, and until when? SIW_TODAY is
# another day to ask for, SIW_MATRIX where `ci/run matrix` left its rows.

schedule_days=180
support_page=$top/docs/reference/support.md

# release_field NAME KEY
release_field() {
	local kernel_table=$top/packaging/support.toml
	field release "$@"
}

releases() {
	local kernel_table=$top/packaging/support.toml
	rows release
}

# line_field NAME KEY
line_field() {
	local kernel_table=$top/packaging/support.toml
	field line "$@"
}

release_lines() {
	local kernel_table=$top/packaging/support.toml
	rows line
}

# last_day NAME: of the support that its distribution gives everybody.
last_day() {
	local extended
	extended=$(release_field "$1" extended)
	say "${extended:-$(release_field "$1" end)}"
}

# info_column SERIES FILE COLUMN: of distro-info-data, by the column's name.
info_column() {
	awk -F, -v series="$1" -v column="$3" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$3 == series { print at[column] ? $at[column] : "" }' \
		"/usr/share/distro-info/$2.csv"
}

# same_day NAME KEY COLUMN: what we say is what distro-info-data has, if it has.
same_day() {
	local name=$1 key=$2 column=$3 ours theirs distribution series
	read -r distribution series <<<"$(release_field "$name" info)"
	ours=$(release_field "$name" "$key")
	theirs=$(info_column "$series" "$distribution" "$column")
	[ "$ours" = "$theirs" ] && return
	say "$name: $key is ${ours:-empty}, distro-info-data says ${theirs:-nothing}"
	return 1
}

dates_agree() {
	local name distribution series status=0
	while read -r name; do
		read -r distribution series <<<"$(release_field "$name" info)"
		[ -n "$distribution" ] || continue
		[ -n "$(info_column "$series" "$distribution" series)" ] || {
			say "$name: distro-info-data has no $distribution $series"
			status=1
			continue
		}
		same_day "$name" released release || status=1
		same_day "$name" end eol || status=1
		[ "$distribution" != debian ] ||
			same_day "$name" extended eol-lts || status=1
	done < <(releases)
	return "$status"
}

# Words that the table knows, and rows that there are.
table_is_sound() {
	local name row status=0
	while read -r name; do
		case $(release_field "$name" level) in
		supported) [ -n "$(last_day "$name")" ] || {
			say "$name: supported without end"
			status=1
		} ;;
		tested | untested | no) [ -n "$(release_field "$name" why)" ] || {
			say "$name: not supported, and no reason"
			status=1
		} ;;
		*)
			say "$name: no such level"
			status=1
			;;
		esac
		for row in $(release_field "$name" rows); do
			[ -n "$(kernel_field "$row" suite)" ] || {
				say "$name: no row $row in ci/kernels.toml"
				status=1
			}
		done
	done < <(releases)
	[ -n "$(releases)" ] && return "$status"
}

# The line of VERSION is the newest, and supported.
lines_are_sound() {
	local name version status=0
	version=$(cat "$top/VERSION")
	while read -r name; do
		case $(line_field "$name" level) in
		supported) ;;
		ended | drill) [ -n "$(line_field "$name" why)" ] || {
			say "$name: not supported, and no reason"
			status=1
		} ;;
		*)
			say "$name: no such level"
			status=1
			;;
		esac
	done < <(release_lines)
	release_lines | sort -V -C || {
		say 'the lines are not in order'
		status=1
	}
	name=$(release_lines | tail -n 1)
	[ "$name" = "${version%.*}" ] &&
		[ "$(line_field "$name" level)" = supported ] || {
		say "the newest line is ${name:-not there}, and VERSION $version"
		status=1
	}
	return "$status"
}

# What is still tested and has ended says so.
none_has_ended() {
	local name day status=0
	while read -r name; do
		day=$(last_day "$name")
		[ -n "$day" ] && [[ $day < $today ]] || continue
		case $(release_field "$name" level):$(release_field "$name" why) in
		supported:*) say "$name: ended on $day, and is still claimed" ;;
		tested:ended*) continue ;;
		tested:*) say "$name: ended on $day, and its reason does not begin with that" ;;
		*) continue ;;
		esac
		status=1
	done < <(releases)
	return "$status"
}

# row_current DIR: it ran the module as it is here.
row_current() {
	local commit
	commit=$(sed -n 's/^commit=//p' "$1/row")
	[[ $commit =~ ^[0-9a-f]{40}$ ]] || {
		say "of no commit: ${commit:-none is told}"
		return 1
	}
	git -C "$top" diff --quiet "$commit" -- siw packaging/compat packaging/dkms || {
		say "of $commit: the module is another now"
		return 1
	}
}

# row_green DIR: it ended, and each of its documents has all results of its plan, one
# at least that is no skip, and no failure. Its module is that of this tree.
row_green() {
	local document
	grep -q '^seconds=' "$1/row" 2>/dev/null || {
		say 'no result'
		return 1
	}
	row_current "$1" || return 1
	for document in "$1"/*.ktap; do
		awk '/^1\.\.[0-9]+$/ { plan = substr($0, 4) }
			/^(not )?ok / { told++ }
			/^ok / && !/# SKIP/ { passed++ }
			END { exit !(passed && told == plan) }' "$document" || {
			say "${document##*/} has no result, or not all of its plan"
			return 1
		}
		! grep -am 1 -E '^[[:space:]]*not ok ' "$document" || return 1
	done
}

# supported_is_green NAME
supported_is_green() {
	local row said status=0
	[ -n "$(release_field "$1" rows)" ] || {
		say 'no row proves it'
		return 1
	}
	for row in $(release_field "$1" rows); do
		said=$(row_green "${SIW_MATRIX:-$out/matrix}/$row") || {
			say "$row: $said"
			status=1
		}
	done
	return "$status"
}

# The checks can fail: when all have ended that say when, and when each has.
ended_refused() {
	local today=9999-12-31 said
	said=$(none_has_ended) && return 1
	grep '^Debian 12: .* still claimed$' <<<"$said" || return 1
	! grep '^Debian 11' <<<"$said" || return 1
	last_day() { say 2000-01-01; }
	said=$(none_has_ended) && return 1
	grep '^Debian testing (14): .* does not begin with that$' <<<"$said"
}

# A tree of one file, and a row that ran it.
rows_refused() {
	local top=$out/schedule-tree row=$out/schedule-row commit
	rm -rf "$top"
	mkdir -p "$top/siw"
	say one >"$top/siw/main.c"
	git init -q "$top" && git -C "$top" add siw &&
		git -C "$top" -c user.name=ci -c user.email=ci@siw.invalid \
			commit -q -m one || return 1
	row_begin "$row" 20-vm.ktap
	row_step "$row" build/root true
	printf '%s\n' 'KTAP version 1' 1..2 'ok 1 one' 'ok 2 two # SKIP why' >"$row/20-vm.ktap"
	row_refused "$row" 'no result' || return 1
	row_end "$row"
	row_green "$row" || return 1
	sed -i 's/^ok 1/not ok 1/' "$row/20-vm.ktap"
	row_refused "$row" 'no result, or not all' || return 1
	sed -i -e 's/^not ok 1/ok 1/' -e 's/1\.\.2/1..3/' "$row/20-vm.ktap"
	row_refused "$row" 'not all of its plan' || return 1
	sed -i -e 's/1\.\.3/1..2/' -e '2i\    not ok 1 - within' "$row/20-vm.ktap"
	row_refused "$row" 'not ok 1 - within' || return 1
	sed -i '2d' "$row/20-vm.ktap"
	row_green "$row" || return 1
	say two >"$top/siw/main.c"
	row_refused "$row" 'the module is another now' || return 1
	say one >"$top/siw/main.c"
	commit=$(git -C "$top" rev-parse HEAD)
	sed -i "s/^commit=$commit/&-dirty/" "$row/row"
	row_refused "$row" "of no commit: $commit-dirty" || return 1
	sed -i '/^commit=/d' "$row/row"
	row_refused "$row" 'none is told' || return 1
	rm -rf "$top" "$row"
}

# row_refused DIR WORDS
row_refused() {
	local said
	! said=$(row_green "$1") && grep -F "$2" <<<"$said" && return
	say "not refused as it should be ($2): ${said:-green}"
	return 1
}

# Ended, and in the matrix all the same.
ended_tested() {
	local name
	while read -r name; do
		[ "$(release_field "$name" level)" = tested ] || continue
		[ -z "$(last_day "$name")" ] || [[ $(last_day "$name") > $today ]] ||
			say "$name ended on $(last_day "$name"), and is still tested"
	done < <(releases)
}

# The days ahead, in order.
coming() {
	local name key what day
	while read -r name; do
		for key in released end extended; do
			day=$(release_field "$name" "$key")
			case $key in
			released) what='is released' ;;
			end) what='leaves its own support' ;;
			extended) what='leaves the support that followed' ;;
			esac
			[ -z "$day" ] || [[ $day < $today ]] || [[ $day > $horizon ]] ||
				say "$day $name $what ($(release_field "$name" level))"
		done
	done < <(releases) | sort
}

support_table() {
	local name level end row
	cat <<'END'
# Supported releases

Made by `ci/run schedule` of `packaging/support.toml`: change that.

## Ours

| line | level |
|---|---|
END
	while read -r name; do
		level=$(line_field "$name" level)
		case $level in
		drill) ;;
		supported) say "| $name | supported |" ;;
		*) say "| $name | $level: $(line_field "$name" why) |" ;;
		esac
	done < <(release_lines)
	cat <<'END'

Each supported line gets a fix of what is reported, as a release of its own.

## Of distributions

| release | level | released | ends | kernels | rdma-core | proved by |
|---|---|---|---|---|---|---|
END
	while read -r name; do
		level=$(release_field "$name" level)
		[ "$level" = supported ] || level+=": $(release_field "$name" why)"
		end=$(release_field "$name" end)
		[ -z "$(release_field "$name" extended)" ] ||
			end+=", LTS $(release_field "$name" extended)"
		row=$(release_field "$name" rows)
		say "| $name | $level | $(release_field "$name" released) | $end" \
			"| $(release_field "$name" kernels)" \
			"| $(release_field "$name" rdma_core)" \
			"| ${row:+\`${row// /\` \`}\`} |"
	done < <(releases)
	cat <<'END'

| level | |
|---|---|
| supported | we fix what is reported, until its last day |
| tested | the matrix runs it (the rows of `ci/kernels.toml` that are named); nothing is promised |
| untested | it may work; nobody has run it |
| no | it cannot work |

Dates of Debian and Ubuntu are checked against the package distro-info-data, others by nothing.
What enters or leaves support in the next 180 days, and whether each supported release has a green row: `ci/run schedule`.
END
}

# Render the page; it should have been so.
page_is_current() {
	support_table >"$out/support.md"
	cmp "$out/support.md" "$support_page" && return
	cp "$out/support.md" "$support_page"
	say "$support_page was made anew: commit it"
	return 1
}

stage_schedule() {
	local today horizon name
	need distro-info-data
	today=${SIW_TODAY:-$(date -u +%F)}
	horizon=$(date -u -d "$today + $schedule_days days" +%F)
	check table table_is_sound
	check lines lines_are_sound
	check dates dates_agree
	check not-ended none_has_ended
	check ended-refused ended_refused
	check rows-refused rows_refused
	check page page_is_current
	while read -r name; do
		[ "$(release_field "$name" level)" != supported ] ||
			check "green-$name" supported_is_green "$name"
	done < <(releases)
	ended_tested | sed 's/^/# /'
	say "# until $horizon:"
	coming | sed 's/^/# /'
}
