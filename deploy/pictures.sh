#!/usr/bin/env bash
# Makes the pictures of README.md: the board's from the recordings in tests/scenes, those of the pages in Chromium as a test
# sees them. A test fails while the board's are not those of the recordings. Needs what deploy/test.sh installs.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --locked
moiso="${CARGO_TARGET_DIR:-target}/debug/moiso"
"$moiso" render tests/scenes/busy.jsonl --size 1920x1080 --out docs/board.png
"$moiso" render tests/scenes --sheet --size 1280x720 --out docs/sheet.png

shots="$(mktemp -d)"
trap 'rm -rf "$shots"' EXIT
MOISO_PICTURES="$shots" cargo test --locked --test control_views -- nothing_in_the_console nothing_on_the_phones

# page NAME WIDTH HEIGHT FILE: the top of a page, at most that large, in the colours that it has.
page() {
  ffmpeg -v error -y -i "$shots/$1.png" -frames:v 1 -update 1 \
    -vf "crop=iw:min(ih\\,$3):0:0,scale=$2:-1:flags=lanczos,split[a][b];[a]palettegen=max_colors=220:stats_mode=full[p];[b][p]paletteuse=dither=none" \
    "docs/$4"
}
page sanh-1440-light 1000 1300 console.png
page thong-bao-1440-light 720 1000 console-notices.png
page suc-khoe-yeu-1440-dark 720 1000 console-health.png
page sanh-360-light 360 1100 console-360.png
page now-A016-360-light 360 780 now.png
