#!/usr/bin/env bash
# Takes the figures and the outputs of docs/voice.md anew, and docs/eleven-calls.svg. The page's own words stay; what lies
# between "<!-- begin NAME -->" and "<!-- end -->" is replaced. Needs espeak-ng and ffmpeg; MOISO names a program that is
# built already.
#   deploy/voice-page.sh [own|shipped|eleven|loudness|memory ...]
set -euo pipefail
cd "$(dirname "$0")/.."
repo=$PWD
if [ -z "${MOISO:-}" ]; then
	cargo build --locked
	MOISO="${CARGO_TARGET_DIR:-target}/debug/moiso"
fi
moiso=$(realpath "$MOISO")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/blocks"
export MOISO_PATHS_SOUNDS="$repo/sounds"
: >"$work/empty.toml"

# Runs a command and keeps what it used: seconds of processor, and MiB resident at most.
used() {
	python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[2:], check=True)
of = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write(f"{of.ru_utime + of.ru_stime:.2f} {of.ru_maxrss // 1024}")' "$work/used" "$@"
}
peak() {
	used "$@" >/dev/null
	cut -d' ' -f2 "$work/used"
}
# A block of the page from the standard input.
block() { cat >"$work/blocks/$1"; }
# A command as it is typed, and what it says; its exit code where that is not 0.
typed() {
	local word line="    \$ moiso" code=0
	for word in "$@"; do
		case $word in *" "*) line+=" \"$word\"" ;; *) line+=" $word" ;; esac
	done
	echo "$line"
	"$moiso" "$@" >"$work/said" 2>&1 || code=$?
	sed "s|$work/hall/||g; s/^/    /" "$work/said"
	if [ $code != 0 ]; then echo "    (exit code $code)"; fi
}

# A voice of one's own: a hall of two counters, read by espeak-ng as one long recording.
own() {
mkdir -p "$work/hall/sounds" "$work/hall/takes" "$work/lines"
cd "$work/hall"
cp -r "$repo/sounds/chimes" sounds/
cat >moiso.toml <<'TOML'
[[counter]]
id = "1"
[[counter]]
id = "2"
[[series]]
id = "A"
TOML
unset MOISO_PATHS_SOUNDS
"$moiso" voice script --compact >script.md
{
	typed voice script --compact | sed -n 1,24p
	echo "    …"
} | block script
sed -n 's/^\([0-9]*\)\. /\1\t/p' script.md >lines.tsv
while IFS=$'\t' read -r number text; do
	espeak-ng -v vi -s 150 -w "$work/lines/$(printf %04d "$number").wav" "$text"
done <lines.tsv
ffmpeg -v error -y -f lavfi -i "anoisesrc=amplitude=0.0004:sample_rate=22050:seed=1" -t 1.5 -ac 1 "$work/lines/pause.wav"
record() { # the lines whose numbers come on the standard input, one after the other, into a file
	while read -r number; do
		echo "file '$work/lines/$number.wav'"
		echo "file '$work/lines/pause.wav'"
	done >"$work/list"
	ffmpeg -v error -y -f concat -safe 0 -i "$work/list" -c copy "$1"
}
all() { cut -f1 lines.tsv | xargs printf '%04d\n'; }
all | record takes/session.wav
{
	typed voice import takes --compact --out sounds/lan --title "Giọng chị Lan"
	typed voice check sounds/lan
} | block import
# The same with mistakes: a line left out, then one that is far too soft and one that was cut short.
all | grep -v 0008 | record takes/session.wav
typed voice import takes --compact --out sounds/lan | block left-out
all | record takes/session.wav
ffmpeg -v error -y -i "$work/lines/0003.wav" -af volume=0.05 takes/0003.wav
ffmpeg -v error -y -i "$work/lines/0005.wav" -t 0.4 takes/0005.wav
{
	typed voice import takes --compact --out sounds/lan
	rm sounds/lan/0004.opus
	printf 'no sound' >sounds/lan/0006.opus
	typed voice check sounds/lan
} | block mistakes
cd "$repo"
export MOISO_PATHS_SOUNDS="$repo/sounds"
}

# The shipped voices against a hall with the defaults.
shipped() {
{
	for voice in north south english; do typed voice check "sounds/$voice"; done
} | block shipped
{
	echo "| voice | clips | minutes | on the disk |"
	echo "|---|---|---|---|"
	for voice in north south english chimes; do
		clips=$(find "sounds/$voice" -name '*.opus' | wc -l)
		frames=$(cat "sounds/$voice"/*.toml | sed -n 's/.*frames = \([0-9]*\).*/\1/p' | awk '{ sum += $1 } END { print sum }')
		bytes=$(find "sounds/$voice" -name '*.opus' -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
		awk -v v="$voice" -v c="$clips" -v f="$frames" -v b="$bytes" \
			'BEGIN { printf "| %s | %d | %.1f | %.1f MB |\n", v, c, f / 48000 / 60, b / 1e6 }'
	done
} | block size

}

# Eleven calls at once, as WAV and as a picture.
eleven() {
used "$moiso" replay tests/scenes/eleven.jsonl --wav "$work/eleven.wav" --timeline docs/eleven-calls.svg >"$work/said"
{
	echo "    \$ moiso replay tests/scenes/eleven.jsonl --wav eleven.wav --timeline eleven-calls.svg"
	sed 's/^/    /' "$work/said"
} | block eleven
length=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$work/eleven.wav")
awk -v took="$(cut -d' ' -f1 "$work/used")" -v length_s="$length" \
	'BEGIN { printf "%.1f s of sound were planned, decoded, mixed and written in %.2f s of one processor.\n", length_s, took }' |
	block faster
}

# Loudness: fifty calls of random tickets, as they leave the mixer at full volume, chime and all.
loudness() {
RANDOM=7
series=(A B C D Đ E G H I K L M N O P Q R S T U V X Y)
for n in $(seq 50); do
	ticket="${series[RANDOM % ${#series[@]}]}$(printf %03d $((RANDOM % 1000)))"
	if [ $((n % 5)) = 0 ]; then ticket=$((RANDOM % 9999 + 1)); fi
	"$moiso" say "$ticket" --counter $((RANDOM % 11 + 1)) --wav "$work/one.wav" >/dev/null
	ffmpeg -hide_banner -nostats -i "$work/one.wav" -af ebur128=peak=true -f null - 2>&1 |
		awk '/Summary:/ { found = 1 } found && $1 == "I:" { i = $2 } found && $1 == "Peak:" { p = $2 } END { print i, p }'
done >"$work/loud"
sort -n "$work/loud" | awk '
	{ i[NR] = $1; sum += $1; if (NR == 1 || $2 > top) top = $2 }
	END { printf "Integrated from %.1f to %.1f LUFS, %.1f on average, a spread of %.1f LU; highest true peak %.1f dBTP.\n",
		i[1], i[NR], sum / NR, i[NR] - i[1], top }' | block loudness
}

# Memory: what the program needs to say one call and to play eleven.
memory() {
{
	echo "| | resident at most |"
	echo "|---|---|"
	echo "| \`moiso read A012\` (no clip is read) | $(peak "$moiso" read A012) MiB |"
	echo "| \`moiso say A012 --wav\` | $(peak "$moiso" say A012 --wav "$work/one.wav") MiB |"
	echo "| \`moiso replay\` of the eleven calls | $(peak "$moiso" replay tests/scenes/eleven.jsonl --wav "$work/eleven.wav") MiB |"
} | block memory
}

for part in ${@:-own shipped eleven loudness memory}; do
	# The hall of the page has no config but the defaults, except its own.
	if [ "$part" = own ]; then unset MOISO_CONFIG; else export MOISO_CONFIG="$work/empty.toml"; fi
	"$part"
done

awk -v blocks="$work/blocks" '
	/^<!-- begin / {
		print; file = blocks "/" $3
		if ((getline line < file) > 0) {
			print ""
			do print line; while ((getline line < file) > 0)
			print ""; skip = 1
		}
		next
	}
	/^<!-- end/ { skip = 0 }
	!skip { print }' docs/voice.md >"$work/page"
cp "$work/page" docs/voice.md
