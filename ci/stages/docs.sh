# shellcheck shell=bash
# The command blocks of docs/tutorials and docs/how-to, run in a guest, and their
# output compared (docs/run-blocks).

docs_row=bookworm

# Every relative link leads somewhere.
docs_links() {
	local file link status=0
	for file in "$top"/docs/*.md "$top"/docs/{tutorials,how-to,explanation,samples}/*.md; do
		while read -r link; do
			[ -e "${file%/*}/${link%%#*}" ] && continue
			say "$file: $link leads nowhere"
			status=1
		done < <(grep -o ']([^)]*)' "$file" | sed 's/](\(.*\))/\1/' |
			grep -v '^https\?:')
	done
	return "$status"
}

# What the documents install, as an archive the guest can reach.
docs_debs() {
	local dir=$out/share/docs-debs root
	root=$(root "$docs_row" full)
	[ -s "$dir/Packages" ] && return
	rm -rf "$dir" "$out/share/docs-lists"
	mkdir -p "$dir/partial" "$out/share/docs-lists/partial"
	set -- -o Dir::Cache::archives=/srv/docs-debs \
		-o Dir::State::lists=/srv/docs-lists -o APT::Sandbox::User=root
	in_root "$root" apt-get -qq "$@" update &&
		in_root "$root" apt-get -qq -y "$@" --download-only \
			--no-install-recommends install nfs-kernel-server \
			nfs-common &&
		in_root "$root" sh -ec 'cd /srv/docs-debs
			rm -rf partial lock
			for deb in *%3a*; do
				mv "$deb" "${deb%%_*}_${deb#*%3a}"
			done
			dpkg-scanpackages . >Packages'
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
		--total-limit 1800 "/payload/docs-guest $*" </dev/null
}

# stage_docs [WORD]: all, or the documents whose name holds it
stage_docs() {
	need mmdebstrap debian-archive-keyring
	check links docs_links
	check runner vm_runner_ready &&
		check "root-$docs_row" root_ready "$docs_row" full &&
		check "image-$docs_row" try_image "$docs_row" &&
		check archive docs_debs && check payload docs_payload || return
	rm -f "$out/log/docs.xml"
	docs_run "$@"
	count_junit docs "$out/log/docs.xml"
}
