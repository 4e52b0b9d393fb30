# shellcheck shell=bash
# Two hosts that talk RDMA over Ethernet, from nothing.

demo_row=bookworm

# demo_payload ROW [MODULE]: the program that breaks the rules on purpose, built
# where it will run, and another module that a host shall load in place of ours.
demo_payload() {
	local name=$1 dir=$out/share/demo
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$top/ci/demo/wrong-rkey.c" "$dir/"
	[ -z "${2:-}" ] || cp "$2" "$dir/peer.ko"
	in_root "$(root "$name" full)" gcc -O2 -Wall -Werror \
		-o /srv/demo/wrong-rkey /srv/demo/wrong-rkey.c \
		-lrdmacm -libverbs || return 1
	rm -f "$(image_dir "$name")/demo.erofs"
	mkfs.erofs --quiet "$(image_dir "$name")/demo.erofs" "$dir"
}

prepare_demo() {
	local debs root=1
	need mmdebstrap debian-archive-keyring
	# shellcheck disable=SC2086 # a list of words
	need $deb_needs
	check 'VM runner' vm_runner_ready || return 1
	# The one compiles, the other waits for the archive and the disk.
	check 'Debian packages of siw' debs_ready &
	debs=$!
	check "Debian root ($demo_row)" root_ready "$demo_row" full && root=0
	wait "$debs" && [ "$root" -eq 0 ] &&
		check 'image, siw installed by apt' installed_image "$demo_row" &&
		check 'demo programs' demo_payload "$demo_row"
}

stage_demo() {
	local args shell=() mode=all
	case ${1:-} in
	'') ;;
	--shell)
		mode=shell
		shell=(--shell a)
		;;
	*) usage ;;
	esac
	say '== preparing'
	prepare_demo || return 1
	read -ra args <<<"$(machine "$demo_row")"
	say "== booting hosts a and b ($(acceleration "$demo_row"))"
	if [ "$mode" = shell ]; then
		cat <<'EOF'
You will be root on host a (192.0.2.1); host b (192.0.2.2) runs as well and
answers `rping -c -a 192.0.2.2 -C 5 -v`. Leave with `exit`.
EOF
	fi
	SIW_VM=$vm_bin "$vm_bin" hosts "${args[@]}" --memory 1024 \
		--payload "$(image_dir "$demo_row")/demo.erofs" \
		--append 'ci.systemd systemd.show_status=0' --host a --host b "${shell[@]}" \
		"$top/ci/demo/script" "$mode"
	local status=$?
	say
	if [ "$status" -ne 0 ]; then
		say "demo: something failed; logs: $out/log"
		return "$status"
	fi
	say 'demo: all worked'
}
