#!/usr/bin/env bash
# Makes the pictures of README.md from the recordings in tests/scenes. A test fails while they are not those of the recordings.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --locked
moiso="${CARGO_TARGET_DIR:-target}/debug/moiso"
"$moiso" render tests/scenes/busy.jsonl --size 1920x1080 --out docs/board.png
"$moiso" render tests/scenes --sheet --size 1280x720 --out docs/sheet.png
