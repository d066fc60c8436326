#!/bin/sh
# Make the chimes and the three voices, and judge each voice. Run it again
# after an interruption: finished clips are kept.
# Needs python 3.11 or newer, npm (to fetch the style tables) and ffmpeg with libopus.
#   ./make.sh            everything
#   ./make.sh --urgent   only the first group of clips
set -eu
cd "$(dirname "$0")"
mkdir -p work
if [ ! -x work/venv/bin/python ]; then
	python3 -m venv work/venv
fi
if ! cmp -s requirements.txt work/requirements.done; then
	work/venv/bin/pip install -q -r requirements.txt
	cp requirements.txt work/requirements.done
fi
if [ ! -d work/kokoro-js/package/voices ]; then
	(cd work && npm pack --silent kokoro-js@1.2.1 >/dev/null && mkdir -p kokoro-js && tar xzf kokoro-js-1.2.1.tgz -C kokoro-js)
fi
python=work/venv/bin/python
$python chimes.py
$python bank.py north "$@"
$python judge.py
$python bank.py south
$python judge.py south --sentences 60
$python bank.py english
$python judge_english.py
