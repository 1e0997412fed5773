#!/bin/sh
# Installs the command `cortex`: from a release, or, in a checkout of the sources, built here.
#
#   sh install.sh                 install, or replace what is there
#   sh install.sh --uninstall     remove it again
#
#   CORTEX_INSTALL_DIR   where to; default ~/.local/bin
#   CORTEX_VERSION       which release; default the latest
#   CORTEX_RELEASE_URL   where releases lie, CORTEX_RELEASE_KEY the key they are signed with (an OpenSSH public key);
#                        a published copy of this file knows both
#
# A release is installed only if its list of checksums bears that key's signature and its archive is on the list.
# The manual page goes into share/man beside a folder that is called bin. Nothing else is written but a temporary
# folder, which is removed.
set -eu

bun_version=1.4.5
release_url=${CORTEX_RELEASE_URL:-}
release_key=${CORTEX_RELEASE_KEY:-}
target_dir=${CORTEX_INSTALL_DIR:-"${HOME:?HOME is not set}/.local/bin"}
target="$target_dir/cortex"
# `man` looks beside every bin folder of the PATH.
manual=
case "$target_dir" in */bin) manual="${target_dir%/bin}/share/man/man1/cortex.1" ;; esac

say() { printf '%s\n' "$*" >&2; }
refuse() { # what is wrong, what to do
  printf 'install: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '  next: %s\n' "$2" >&2
  exit 1
}
has() { command -v "$1" > /dev/null 2>&1; }

uninstall() {
  [ -e "$target" ] || refuse "there is no $target" "set CORTEX_INSTALL_DIR to where it was installed"
  rm -f "$target"
  # Folders that were made for it, if nothing else has come to lie in them.
  if [ -n "$manual" ]; then
    rm -f "$manual"
    prefix=${target_dir%/bin}
    for folder in share/man/man1 share/man share; do rmdir "$prefix/$folder" 2> /dev/null || break; done
  fi
  if rmdir "$target_dir" 2> /dev/null; then rmdir "$(dirname "$target_dir")" 2> /dev/null || :; fi
  say "removed $target. Configuration, keys and state are yours and were not touched: ~/.config/cortex, ~/.local/state/cortex, or where you put them."
}

platform() {
  case "$(uname -s)" in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) refuse "there is no build for $(uname -s)" "build it: run this file in a checkout of the sources" ;;
  esac
  case "$(uname -m)" in
    x86_64 | amd64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) refuse "there is no build for $(uname -m)" "build it: run this file in a checkout of the sources" ;;
  esac
  libc=
  if [ "$os" = linux ]; then
    for loader in /lib/ld-musl-*; do [ -e "$loader" ] && libc=-musl; done
  fi
  printf '%s-%s%s' "$os" "$arch" "$libc"
}

fetch() { # url file
  if has curl; then
    curl -fsSL --proto '=https,http' --retry 2 --connect-timeout 10 -o "$2" "$1"
  elif has wget; then
    wget -q -T 30 -O "$2" "$1"
  else
    refuse 'neither curl nor wget is installed' 'install one of them'
  fi
}

sha256() { # file
  if has sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

from_release() {
  if [ -z "$release_url" ] || [ -z "$release_key" ]; then
    refuse 'this copy knows no release and no key to verify one with' \
      'take install.sh from the release you want, or run it in a checkout of the sources'
  fi
  has ssh-keygen || refuse 'ssh-keygen is missing: the signature cannot be verified' 'install the OpenSSH client'
  name="cortex-$(platform).tar.gz"
  if [ -n "${CORTEX_VERSION:-}" ]; then base="$release_url/download/v${CORTEX_VERSION#v}"; else base="$release_url/latest/download"; fi

  for file in SHA256SUMS SHA256SUMS.sig; do
    fetch "$base/$file" "$work/$file" || refuse "no $file at $base" 'look at CORTEX_VERSION and your connection'
  done
  printf 'cortex-release %s\n' "$release_key" > "$work/signers"
  ssh-keygen -Y verify -f "$work/signers" -I cortex-release -n file -s "$work/SHA256SUMS.sig" \
    < "$work/SHA256SUMS" > /dev/null 2>&1 ||
    refuse "the signature of $base/SHA256SUMS is not that of the release key" 'do not use this release; tell its publishers'
  wanted=$(awk -v name="$name" '$2 == name { print $1 }' "$work/SHA256SUMS")
  [ -n "$wanted" ] || refuse "the release has no $name" 'build it: run this file in a checkout of the sources'

  say "downloading $name"
  fetch "$base/$name" "$work/$name" || refuse "$base/$name could not be downloaded whole" 'run this again'
  [ "$(sha256 "$work/$name")" = "$wanted" ] ||
    refuse "$name is not the file that was signed" 'run this again; if it stays so, do not use this release'
  tar -xzf "$work/$name" -C "$work" cortex || refuse "$name holds no cortex"
  built="$work/cortex"
  # Older releases have none.
  tar -xzf "$work/$name" -C "$work" cortex.1 2> /dev/null || :
  page="$work/cortex.1"
}

from_checkout() { # folder
  # Caches of package managers are no business of whoever only wants the command.
  export BUN_INSTALL_CACHE_DIR="$work/bun-cache" npm_config_cache="$work/npm-cache" npm_config_update_notifier=false
  if has bun && [ "$(bun --version)" = "$bun_version" ]; then
    run_bun() { bun "$@"; }
  elif has npx; then
    run_bun() { npx -y "bun@$bun_version" "$@"; }
  else
    refuse "neither Bun $bun_version nor npx is here" 'install Node.js 20 with npm, or Bun'
  fi
  say "building in $1; this takes half a minute"
  (cd "$1" && run_bun install --frozen-lockfile --silent && run_bun run build) > "$work/build.log" 2>&1 || {
    tail -n 20 "$work/build.log" >&2
    refuse 'the build failed; its last lines are above'
  }
  built="$1/dist/cortex"
  page="$1/docs/cortex.1"
}

case "${1:-}" in
  --uninstall)
    uninstall
    exit 0
    ;;
  '') ;;
  *) refuse "unknown argument $1" 'sh install.sh, or sh install.sh --uninstall' ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# Piped into a shell, `$0` is that shell and no checkout is near.
here=$(dirname -- "$0")
if [ -f "$here/install.sh" ] && [ -f "$here/bin/cortex.ts" ] && [ -z "$release_url" ]; then
  from_checkout "$(cd -- "$here" && pwd)"
else
  from_release
fi

version=$("$built" --version) || refuse 'the command does not run on this machine' 'tell its publishers, with the output of uname -a'
mkdir -p "$target_dir"
# Beside its place first, then moved: nobody ever starts half a file, and a running one is not disturbed.
cp "$built" "$target.new.$$"
chmod 755 "$target.new.$$"
mv -f "$target.new.$$" "$target"
if [ -n "$manual" ] && [ -f "$page" ]; then
  # A command without its page is better than none.
  { mkdir -p "$(dirname "$manual")" && cp "$page" "$manual" && chmod 644 "$manual"; } 2> /dev/null ||
    say "the manual page could not be written to $manual"
fi
say "$version is installed as $target"
case ":$PATH:" in
  *":$target_dir:"*) ;;
  *) say "  next: put it on your PATH: export PATH=\"$target_dir:\$PATH\"" ;;
esac
say '  next: cortex demo'
