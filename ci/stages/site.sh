# shellcheck shell=bash
# The documents as a site: build/ci/site.

site_build() {
	rm -rf "$out/site" "$out/site-doctrees"
	sphinx-build -q -W --keep-going -c "$top/packaging/site" \
		-d "$out/site-doctrees" "$top" "$out/site"
}

# The check can fail: a link that leads nowhere is named, one to a page, one
# within a page, and one that Sphinx does not look at.
site_refuses() {
	local tree=$out/site-broken log=$out/site-broken.log link
	for link in '[a](missing.md)' '[a](#missing)' '<a href="missing.html">a</a>'; do
		rm -rf "$tree" "$tree-out"
		mkdir -p "$tree/docs" "$tree/packaging"
		cp "$top/VERSION" "$tree/"
		cp -r "$top/packaging/site" "$tree/packaging/"
		printf '# Documents\n\n%s\n' "$link" >"$tree/docs/README.md"
		if sphinx-build -q -W --keep-going -c "$tree/packaging/site" \
			-d "$tree-out/doctrees" "$tree" "$tree-out" >"$log" 2>&1 ||
			! grep -F missing "$log"; then
			say "was not refused: $link"
			return 1
		fi
	done
}

stage_site() {
	need python3-myst-parser python3-sphinx
	check build site_build
	check refusal site_refuses
}
