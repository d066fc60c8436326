#!/usr/bin/env bash
# moiso beside a browser in kiosk mode, by their pixels: builds moiso, fetches the browser's MQTT client and the driver's two
# packages into target/kiosk, and measures. Arguments go to measure.py (--help); the tables come out in target/kiosk/out.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/packages.sh

NEEDED=(mosquitto xvfb chromium ffmpeg python3-venv pulseaudio pulseaudio-utils libasound2-plugins)
command -v npm >/dev/null || NEEDED+=(npm)
need_packages "${RUN_PACKAGES[@]}" "${NEEDED[@]}"

place=target/kiosk
mkdir -p "$place"
[ -x "$place/venv/bin/python" ] || python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check paho-mqtt numpy
[ -f "$place/node_modules/mqtt/dist/mqtt.min.js" ] ||
  npm install --prefix "$place" --no-audit --no-fund --ignore-scripts --silent mqtt@5

case " $* " in
  *" --binary"*) ;;
  *) need_cargo; need_packages "${BUILD_PACKAGES[@]}"; cargo build --release --locked ;;
esac
exec "$place/venv/bin/python" benches/kiosk/measure.py --mqtt-js "$place/node_modules/mqtt/dist/mqtt.min.js" "$@"
