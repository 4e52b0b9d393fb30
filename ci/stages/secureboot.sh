# shellcheck shell=bash
# A kernel that takes signed modules alone: in a guest with Secure Boot, whose firmware
# trusts the key that DKMS signs with, and in one that was told so on its command line,
# which does not trust it (ci/secureboot).

secureboot_row=bookworm
secureboot_image=secureboot

# The machine's owner, and somebody else. DKMS has made a key of its own, and has to be
# left as it is.
secureboot_keys() {
	local name
	for name in owner stranger; do
		openssl req -new -x509 -newkey rsa:2048 -nodes -sha256 -days 2 \
			-subj "/CN=siw test $name/" -keyout "$1/$name.key" \
			-out "$1/$name.pem" || return 1
	done
	openssl x509 -inform DER -in "$2/var/lib/dkms/mok.pub" -out "$1/dkms.pem"
}

# The firmware's variables: the owner's key may sign what boots, and that of DKMS is
# enrolled. It stands in "db", since "MokListRT" is made by shim at each boot, which
# there is none of here; kernels of Debian and Fedora take keys for modules from both.
secureboot_variables() {
	local root guid=ad1f0a5e-3a60-4c4e-9f0e-7d8f5d0c7f11
	root=$(suite_root trixie full)
	cp "$1"/*.pem /usr/share/OVMF/OVMF_VARS_4M.fd "$out/share/secureboot-tool/" &&
		copy_of "$root" "$out/roots/secureboot-tool" &&
		in_root "$out/roots/secureboot-tool" apt-get -qq update &&
		in_root "$out/roots/secureboot-tool" apt-get -qq -y install \
			--no-install-recommends python3-virt-firmware &&
		in_root "$out/roots/secureboot-tool" sh -c "cd /srv/secureboot-tool &&
			virt-fw-vars --input OVMF_VARS_4M.fd --output vars.fd \
				--set-pk $guid owner.pem --add-kek $guid owner.pem \
				--add-db $guid owner.pem --add-db $guid dkms.pem --sb" &&
		mv "$out/share/secureboot-tool/vars.fd" "$1/vars.fd"
}

# As installed by apt; and the module without a signature, and with a stranger's.
secureboot_prepare() {
	local root=$out/roots/secureboot dir kernel module signer
	dir=$(image_dir "$secureboot_image")
	rm -rf "$dir" "$out/share/secureboot-tool"
	mkdir -p "$dir/payload" "$out/share/secureboot-tool"
	open_root "$secureboot_row" "$root" && install_siw "$root" &&
		pack_image "$secureboot_image" "$root" by-hand &&
		secureboot_keys "$dir" "$root" || return 1
	kernel=$(kernel_of "$root")
	module=$root/lib/modules/$kernel/updates/dkms/siw.ko
	modinfo -F signer "$module" | grep DKMS || {
		say 'DKMS has not signed the module'
		return 1
	}
	# What follows the ELF file is the signature.
	objcopy -g "$module" "$dir/payload/siw-unsigned.ko" &&
		! modinfo -F signer "$dir/payload/siw-unsigned.ko" | grep . &&
		cp "$dir/payload/siw-unsigned.ko" "$out/share/secureboot-tool/stranger.ko" &&
		cp "$dir"/stranger.* "$out/share/secureboot-tool/" || return 1
	signer=$(find "$root/usr/lib/" -path '*linux-kbuild-*/scripts/sign-file' -printf '/usr/lib/%P\n')
	in_root "$root" "$signer" sha256 /srv/secureboot-tool/stranger.key \
		/srv/secureboot-tool/stranger.pem /srv/secureboot-tool/stranger.ko &&
		modinfo -F signer "$out/share/secureboot-tool/stranger.ko" | grep stranger &&
		mv "$out/share/secureboot-tool/stranger.ko" "$dir/payload/siw-stranger.ko" &&
		cp "$top/ci/secureboot" "$dir/payload/" &&
		mkfs.erofs --quiet "$dir/payload.erofs" "$dir/payload" || return 1
	mv "$dir/vmlinuz" "$dir/vmlinuz.debian"
	sbsign --key "$dir/owner.key" --cert "$dir/owner.pem" \
		--output "$dir/vmlinuz.owner" "$dir/vmlinuz.debian" &&
		secureboot_variables "$dir"
	local status=$?
	rm -rf "$root" "$out/roots/secureboot-tool" "$out/share/secureboot-tool"
	return "$status"
}

# secureboot_guest NAME KERNEL APPEND [OPTION...]: what ci/secureboot says there.
secureboot_guest() {
	local name=$1 kernel=$2 append=$3 dir args
	dir=$(image_dir "$secureboot_image")
	shift 3
	cp "$dir/vmlinuz.$kernel" "$dir/vmlinuz"
	read -ra args <<<"$(machine "$secureboot_image")"
	"$vm_bin" test "${args[@]}" --name "$name" --memory 1024 \
		--payload "$dir/payload.erofs" --junit "$out/log/$name.xml" \
		--boot-limit 300 --test-limit 120 --total-limit 900 \
		--append "ci.systemd systemd.show_status=0 $append" "$@" \
		"/payload/secureboot $name" </dev/null
}

secureboot_on() {
	secureboot_guest secure-boot owner '' \
		--firmware /usr/share/OVMF/OVMF_CODE_4M.secboot.fd \
		--variables "$(image_dir "$secureboot_image")/vars.fd"
}

stage_secureboot() {
	need binutils debian-archive-keyring erofs-utils kmod mmdebstrap openssl ovmf \
		sbsigntool
	check runner vm_runner_ready && check debs debs_ready &&
		check root-bookworm root_ready "$secureboot_row" full &&
		check root-trixie suite_ready trixie full &&
		check prepare secureboot_prepare || return
	secureboot_guest enforced debian module.sig_enforce=1
	count_junit enforced "$out/log/enforced.xml"
	secureboot_on
	count_junit secure-boot "$out/log/secure-boot.xml"
	rm -rf "$(image_dir "$secureboot_image")"
}
