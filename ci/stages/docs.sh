# shellcheck shell=bash
# The command blocks of docs/tutorials and docs/how-to, run in a guest, and their
# output compared (docs/run-blocks). Those that build and install run in a chroot
# (ci/docs-place): a guest has no compiler, and no network.

docs_row=bookworm
docs_files=("$top"/docs/{tutorials,how-to}/*.md)

# Every relative link leads somewhere.
docs_links() {
	local file link status=0
	for file in "$top"/docs/*.md "$top"/docs/{tutorials,how-to,explanation,reference,samples}/*.md; do
		while read -r link; do
			[ -e "${file%/*}/${link%%#*}" ] && continue
			say "$file: $link leads nowhere"
			status=1
		done < <(grep -o ']([^)]*)' "$file" | sed 's/](\(.*\))/\1/' |
			grep -v '^https\?:')
	done
	return "$status"
}

# docs_marks FILE...: a block says by its mark whether it is run, and where, or why
# not. A line that is only indented would be a block without a mark.
docs_marks() {
	awk '
		function wrong(why) {
			print FILENAME ":" FNR ": " why ": " $0
			status = 1
		}
		FNR == 1 { inside = 0 }
		/^```/ && inside { inside = 0; next }
		/^```/ {
			inside = 1
			if (!/^```(c|text|console siw-test(=(server|daemon|fails|builder|client))?|console untested: .+)$/)
				wrong("not a mark")
			next
		}
		!inside && /^(    |\t)/ { wrong("a block without mark") }
		END { exit status }' "$@"
}

# What is quoted of a sample is in it.
docs_quotes() {
	local line status=0
	while IFS= read -r line; do
		grep -qF -- "$line" "$top"/docs/samples/*.c && continue
		say "in no sample: $line"
		status=1
	done < <(sed -n '/^```c$/,/^```$/{/^```/d;s/^ *//;p}' "${docs_files[@]}")
	return "$status"
}

# The checks can fail: what is wrong is told.
docs_refuses() {
	local file=$out/docs-wrong.md said
	printf '# Wrong\n\n```console siw-test\n# echo yes\nno\n```\n' >"$file"
	docs_marks "$file" || return 1
	! said=$("$top/docs/run-blocks" "$file") &&
		grep -x '1[.][.]1' <<<"$said" && grep '^not ok 1 ' <<<"$said" || return 1
	printf '\n```console siw-test=client\n# echo\tyes\nyes\n```\n' >>"$file"
	said=$("$top/docs/run-blocks" -p client "$file") &&
		grep -x '1[.][.]1' <<<"$said" && grep '^ok 1 ' <<<"$said" || return 1
	printf '\n```console untested: a reason\n# false\n```\n' >>"$file"
	said=$("$top/docs/run-blocks" "$file")
	grep '^ok 2 .* # SKIP a reason$' <<<"$said" || return 1
	printf '\n```console siw-test=nowhere\n# true\n```\n' >>"$file"
	! docs_marks "$file" || return 1
	printf '# Wrong\n\n    a command\n' >"$file"
	! docs_marks "$file"
}

# docs_of PLACE [WORD]: the documents that have blocks for a place.
docs_of() {
	(cd "$top" && grep -l "^\`\`\`console siw-test=$1\$" \
		"${docs_files[@]#"$top/"}" | grep -e "${2:-}")
}

# The tree as a clone has it, with a release and the packages of an older one.
docs_clone() {
	local dir=$out/share/docs-clone
	rm -rf "$dir" "$out/share/www"
	all_debs_ready && source_package && older_debs || return 1
	"$top/packaging/make-source.sh" "$dir" || return 1
	mkdir -p "$dir/release" "$dir/old"
	cp "$(repo_of "$docs_row")"/*.deb "$out"/share/source-package/siw_*.dsc \
		"$out"/share/source-package/siw_*.tar.xz "$dir/release/" &&
		cp "$out"/share/older/debs/siw_*.deb \
			"$out"/share/older/debs/siw-dkms_*.deb "$dir/old/" || return 1
	find "$dir/release" -name '*-dbgsym_*' -delete
	rm -rf "$out/share/older"
}

# docs_place PLACE [WORD]: the blocks of it, in a Debian that has nothing of ours.
docs_place() {
	local place=$1 root=$out/roots/docs files status
	mapfile -t files < <(docs_of "$@")
	copy_of "$(root "$docs_row" bare)" "$root" &&
		cp -r "$out/share/docs-clone" "$root/root/siw" &&
		cp "$top/ci/docs-place" "$root/root/" &&
		in_root "$root" /root/docs-place "$place" "${files[@]}"
	status=$?
	[ ! -e "$root/tmp/siw/siw.ko" ] ||
		cp "$root/tmp/siw/siw.ko" "$out/share/docs-siw.ko"
	[ "$place" != client ] || module_installed "$root" || status=1
	rm -rf "$root"
	return "$status"
}

# What the documents install, as an archive the guest can reach.
docs_installs='nfs-kernel-server nfs-common tshark'
docs_debs() {
	local dir=$out/share/docs-debs root state
	root=$(root "$docs_row" full)
	state=$(say "$docs_installs" | cat - "$root.stamp" | sha256sum)
	[ "$(cat "$dir/.state" 2>/dev/null)" = "$state" ] && return
	rm -rf "$dir" "$out/share/docs-lists"
	mkdir -p "$dir/partial" "$out/share/docs-lists/partial"
	set -- -o Dir::Cache::archives=/srv/docs-debs \
		-o Dir::State::lists=/srv/docs-lists -o APT::Sandbox::User=root
	# shellcheck disable=SC2086 # a list of words
	in_root "$root" apt-get -qq "$@" update &&
		in_root "$root" apt-get -qq -y "$@" --download-only \
			--no-install-recommends install $docs_installs &&
		in_root "$root" sh -ec 'cd /srv/docs-debs
			rm -rf partial lock
			for deb in *%3a*; do
				mv "$deb" "${deb%%_*}_${deb#*%3a}"
			done
			dpkg-scanpackages . >Packages' || return 1
	say "$state" >"$dir/.state"
}

docs_payload() {
	local dir=$out/share/docs
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -r "$top/docs" "$dir/" &&
		in_root "$(root "$docs_row" full)" \
			make -C /srv/docs/docs/samples clean all &&
		cp -r "$out/share/docs-debs" "$dir/debs" &&
		cp "$top/ci/docs-guest" "$dir/" || return 1
	# Of an earlier run, if this one is of other documents.
	[ ! -e "$out/share/docs-siw.ko" ] ||
		cp "$out/share/docs-siw.ko" "$dir/siw.ko"
	rm -f "$(image_dir "$docs_row")/docs.erofs"
	mkfs.erofs --quiet "$(image_dir "$docs_row")/docs.erofs" "$dir"
}

docs_run() {
	local args
	read -ra args <<<"$(machine "$docs_row")"
	"$vm_bin" test "${args[@]}" --name docs --memory 1536 \
		--payload "$(image_dir "$docs_row")/docs.erofs" \
		--append 'ci.systemd systemd.show_status=0' \
		--junit "$out/log/docs.xml" --test-limit 400 \
		--total-limit 2400 "/payload/docs-guest $*" </dev/null
}

# stage_docs [WORD]: all, or the documents whose name holds it
stage_docs() {
	local place
	[ $# -eq 0 ] || printf '%s\n' "${docs_files[@]#"$top/"}" | grep -q -e "$1" ||
		die "no tutorial and no how-to has $1 in its name"
	need mmdebstrap debian-archive-keyring
	check links docs_links
	check marks docs_marks "${docs_files[@]}"
	check quotes docs_quotes
	check refusal docs_refuses
	check runner vm_runner_ready &&
		check "root-$docs_row" root_ready "$docs_row" full || return
	if docs_of builder "$@" >"$out/docs-places"; then
		check "root-$docs_row-bare" root_ready "$docs_row" bare &&
			check clone docs_clone || return
		for place in builder client; do
			docs_of "$place" "$@" >"$out/docs-places" || continue
			check "$place" docs_place "$place" "$@"
		done
		rm -rf "$out/share/docs-clone" "$out/share/www"
	fi
	check "image-$docs_row" installed_image "$docs_row" &&
		check archive docs_debs && check payload docs_payload || return
	rm -f "$out/log/docs.xml"
	docs_run "$@"
	count_junit docs "$out/log/docs.xml"
}
