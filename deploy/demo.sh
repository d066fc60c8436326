#!/usr/bin/env bash
# Installs what moiso needs, builds it, and shows a hall at work: broker, board, voice and operators' page.
# Ctrl-C ends it. Arguments go to `moiso demo`, for instance: ./deploy/demo.sh --speed 20 --minutes 5
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/packages.sh

need_cargo
need_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}"
cargo build --release --locked
exec target/release/moiso demo "$@"
