#!/usr/bin/env bash
# Installs what the tests need and runs them. `./deploy/test.sh full` adds format, lints and the tests that need
# real peers (a broker, a monitor, a sound card, a browser).
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/packages.sh

TEST_PACKAGES=(espeak-ng ffmpeg openssl procps)
# Real peers: a broker, a monitor, a paced sound card, a browser.
PEER_PACKAGES=(mosquitto mosquitto-clients xvfb x11-utils x11-xserver-utils pulseaudio pulseaudio-utils
  libasound2-plugins chromium)

need_cargo
need_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}"

step() { printf '\n== %s (%s)\n' "$1" "$(date +%T)"; }
if [ "${1:-}" = full ]; then
  need_packages "${PEER_PACKAGES[@]}"
  step "format"; cargo fmt --check
  step "lints"; cargo clippy --locked --all-targets --quiet -- -D warnings
  step "all tests"; cargo test --locked --no-fail-fast
else
  step "build"; cargo build --quiet
  step "tests of the core"; cargo test --lib -- config:: speech:: clock:: board::
fi
step "done"
