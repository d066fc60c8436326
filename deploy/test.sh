#!/usr/bin/env bash
# Installs what the tests need and runs everything that must pass: format, lints, all tests. `full` then breaks halls
# long and writes docs/faults.md; FAULTS and FAULTS_HALLS say how many faults (500) in how many halls at once (4).
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/packages.sh

# Real peers: two brokers, a monitor, a paced sound card, a browser that WebDriver drives; a voice and an encoder for small
# test banks; a wall clock that can be set, and disks (mounted as root, or by sudo) that can be filled.
TEST_PACKAGES=(mosquitto mosquitto-clients rabbitmq-server xvfb x11-utils x11-xserver-utils pulseaudio pulseaudio-utils
  libasound2-plugins chromium chromium-driver espeak-ng ffmpeg openssl procps systemd faketime mount)
# It may have come with a Node.js that is not Debian's.
command -v npm >/dev/null || TEST_PACKAGES+=(npm)

need_cargo
need_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}"

# The accessibility checker of the pages' tests (MPL-2.0); never part of what is shipped.
AXE=target/axe/node_modules/axe-core/axe.min.js
[ -f "$AXE" ] || { mkdir -p target/axe && npm install --prefix target/axe --no-audit --no-fund --ignore-scripts --silent axe-core@4.14.1; }

# The same random cases for everybody: a change is judged by what it changed. Without this line every run has its own.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-20261127}"

step() { printf '\n== %s (%s)\n' "$1" "$(date +%T)"; }
step "format"; cargo fmt --check
step "lints"; cargo clippy --locked --all-targets --quiet -- -D warnings
step "without the broker"; cargo check --locked --no-default-features --quiet
step "tests"; cargo test --locked --no-fail-fast
if [ "${1:-}" = full ]; then
  step "faults"
  FAULTS_TABLE="$PWD/docs/faults.md" cargo test --locked --test faults -- --ignored --nocapture hundreds
fi
step "done"
