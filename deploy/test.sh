#!/usr/bin/env bash
# Installs what the tests need and runs everything that must pass: format, lints, all tests.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/packages.sh

# Real peers for the tests: a broker, a monitor, a paced sound card, a voice and an encoder for small test banks.
TEST_PACKAGES=(mosquitto mosquitto-clients xvfb x11-utils x11-xserver-utils pulseaudio pulseaudio-utils
  libasound2-plugins espeak-ng ffmpeg openssl procps)

need_cargo
need_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}"

step() { printf '\n== %s (%s)\n' "$1" "$(date +%T)"; }
step "format"; cargo fmt --check
step "lints"; cargo clippy --locked --all-targets --quiet -- -D warnings
step "build"; cargo build --locked --all-targets --quiet
step "tests"
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --locked --no-fail-fast
else
  cargo test --locked --no-fail-fast
fi
step "done"
