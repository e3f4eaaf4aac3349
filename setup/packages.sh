# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Installs Debian packages for ./run and ./check. To be sourced, not run.
# doc/dependencies.md gives the reason for each package.

build_packages=(gcc pkg-config meson ninja-build liburcu-dev libmsgpack-dev libxxhash-dev
	liblo-dev libexpat1-dev zlib1g-dev libwebsockets-dev libjansson-dev libncurses-dev
	libmicrohttpd-dev libprotobuf-c-dev protobuf-c-compiler
	python3 python3-msgpack python3-websockets)
check_packages=("${build_packages[@]}" g++ clang libclang-rt-14-dev libcmocka-dev
	libgmp-dev python3-jsonschema python3-pyte python3-prometheus-client protobuf-compiler
	prometheus mandoc uthash-dev libpcp-mmv1-dev libpcp3-dev gnuplot-nox jq strace
	openssl clang-tidy cppcheck bash-completion systemd chromium fonts-dejavu-core)
# tests/arm64/run alone; the libraries for arm64 are unpacked, not installed.
arm64_packages=(gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user jq)
arm64_libraries=(liburcu-dev liburcu8 libmsgpack-dev libmsgpackc2 libxxhash-dev libcmocka-dev
	libcmocka0 libjansson-dev libjansson4 libgmp-dev libgmp10)
valgrind_packages=(valgrind jq) # tests/valgrind/run alone
coverage_packages=(gcovr) # tests/coverage/run alone
# tests/package/run alone
package_packages=(dpkg-dev debhelper fakeroot lintian bash-completion systemd strace)

missing_packages() {
	local package
	for package; do
		dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null |
			grep -qx installed || printf '%s\n' "$package"
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

can_install() {
	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		echo "This is not Debian (no apt-get): install the packages of" \
			"doc/dependencies.md by hand." >&2
		return 1
	fi
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		echo "Neither root nor sudo: ask root to run: apt-get install $*" >&2
		return 1
	fi
}

# A package may bring a daemon (prometheus does, of which we want promtool
# alone). invoke-rc.d and deb-systemd-invoke ask this file before they start one.
policy=/usr/sbin/policy-rc.d
forbid_daemons() {
	[ -e "$policy" ] && return
	as_root sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy"
	trap allow_daemons EXIT
}

allow_daemons() {
	as_root rm -f "$policy"
	trap - EXIT
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -q --no-install-recommends "$@"
}

# The first try needs no network but for the packages; it fails where the lists
# were never fetched (a fresh container) or are too old.
install_missing() {
	apt_install "$@" >/dev/null 2>&1 && return
	as_root apt-get update -q && apt_install "$@"
}

install_packages() {
	local missing
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -eq 0 ] && return
	can_install "${missing[@]}" || return
	echo "Installing ${missing[*]}"
	forbid_daemons
	local status=0
	install_missing "${missing[@]}" || status=$?
	[ "$(trap -p EXIT)" = "trap -- 'allow_daemons' EXIT" ] && allow_daemons
	if [[ " ${missing[*]} " = *" prometheus "* ]] && command -v systemctl >/dev/null; then
		as_root systemctl disable prometheus >/dev/null 2>&1 || true
	fi
	return "$status"
}
