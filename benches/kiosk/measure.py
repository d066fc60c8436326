#!/usr/bin/env python3
"""Measures moiso beside a browser in kiosk mode that shows an equal page, by what reaches the glass.

Both draw full screen on a virtual display of their own whose framebuffer is a mapped file, so that a change is seen in the
pixels and nothing asks the program. They run in turn, each time in the other order: on a machine that is busy with other
things, only figures of one pair compare. Called by run.sh, which fetches what it needs.
"""

import argparse
import contextlib
import datetime
import json
import mmap
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import paho.mqtt.client as mqtt

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PREFIX = "moiso/bench"
COUNTERS = 11
DWELL_S = 8
# Of the ticker on a board of 1080 lines.
TICKER_PX_S = 120
CALL_GAP_S = 0.75
# Longer than an announcement.
HEARD_GAP_S = 11


class Glass:
    """A virtual display and its pixels."""

    def __init__(self, size):
        self.w, self.h = size
        self.folder = tempfile.mkdtemp(prefix="glass-")
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{self.w}x{self.h}x24", "-fbdir", self.folder,
                   "-nolisten", "tcp", "-noreset"]
        self.process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as told:
            self.display = ":" + told.readline().strip()
        with open(f"{self.folder}/Xvfb_screen0", "rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        # XWD: the length of the header and the number of colours, each of twelve bytes, come before the pixels.
        header, = struct.unpack(">I", self.map[:4])
        colours, = struct.unpack(">I", self.map[76:80])
        pixels = np.frombuffer(self.map, np.uint32, self.w * self.h, header + 12 * colours)
        self.pixels = pixels.reshape(self.h, self.w)

    def part(self, left, top, right, bottom, rows):
        """Bytes of some rows of a part, whose sides are shares of the picture."""
        x0, x1 = int(left * self.w), int(right * self.w)
        ys = np.linspace(top * self.h, bottom * self.h, rows).astype(int)
        return self.pixels[ys, x0:x1].tobytes()

    def counters(self):
        """A row through the numbers of the counters, without the frames of those who are called."""
        rows = [int((0.158 + 0.13 * row) * self.h) for row in range(6)]
        numbers = [slice(int(left * self.w), int((left + 0.1) * self.w)) for left in (0.52, 0.787)]
        return b"".join(self.pixels[rows, columns].tobytes() for columns in numbers)

    def board(self):
        """All but the clock and the ticker."""
        return self.part(0.01, 0.105, 0.985, 0.90, 60)

    def line(self):
        """One row through the letters of the ticker, right of its head."""
        return self.pixels[int(0.958 * self.h), int(0.15 * self.w):] & 0xFFFFFF

    def save(self, path):
        rgb = self.pixels.copy().view(np.uint8).reshape(self.h, self.w, 4)[:, :, 2::-1]
        convert = ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{self.w}x{self.h}",
                   "-i", "-", str(path)]
        subprocess.run(convert, input=rgb.tobytes(), check=True)

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Tree:
    """A process and all that come of it."""

    def __init__(self, command, environment, log):
        self.root = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)

    def pids(self):
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
                    parents[int(entry)] = int(stat.rsplit(")", 1)[1].split()[1])
        found = [self.root.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def threads(self):
        for pid in self.pids():
            with contextlib.suppress(OSError):
                yield from (f"/proc/{pid}/task/{task}" for task in os.listdir(f"/proc/{pid}/task"))

    def used(self):
        """Seconds of processor, and how often a thread went to sleep and was woken, until now."""
        nanos = wakes = 0
        for thread in self.threads():
            with contextlib.suppress(OSError, IndexError):
                nanos += int(pathlib.Path(thread, "schedstat").read_text().split()[0])
                status = pathlib.Path(thread, "status").read_text()
                wakes += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", status)[1])
        return nanos / 1e9, wakes

    def during(self, span_s, meanwhile=lambda: None):
        """Cores and wake-ups a second over a span."""
        (cpu, wakes), start = self.used(), time.perf_counter()
        meanwhile()
        time.sleep(max(0.0, start + span_s - time.perf_counter()))
        (cpu_after, wakes_after), took = self.used(), time.perf_counter() - start
        return (cpu_after - cpu) / took, (wakes_after - wakes) / took

    def pss_mb(self):
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += int(re.search(r"\nPss:\s+(\d+)", rollup)[1])
        return total * 1024 / 1e6

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.root.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.root.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.root.pid, signal.SIGKILL)
        self.root.wait()


class Card:
    """A sound card that keeps time: PulseAudio with a null sink, reached through ALSA."""

    def __init__(self, folder):
        self.home = folder / "sound"
        (self.home / "run").mkdir(parents=True, mode=0o700)
        (self.home / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
        self.environment = {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.home / "run")}
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-level=error",
                   "-L", "module-native-protocol-unix", "-L", "module-null-sink sink_name=hall rate=48000 channels=2"]
        environment = {**os.environ, **self.environment}
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        while subprocess.run(["pactl", "info"], env=environment, capture_output=True).returncode:
            time.sleep(0.1)

    def close(self):
        self.process.terminate()
        self.process.wait()


class Broker:
    def __init__(self, folder):
        self.port, self.web = free_port(), free_port()
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nlistener {self.web} 127.0.0.1\nprotocol websockets\n"
                          "allow_anonymous true\nmax_queued_messages 0\nset_tcp_nodelay true\n")
        log = open(folder / "mosquitto.log", "w")
        self.process = subprocess.Popen(["mosquitto", "-c", str(config)], stdout=log, stderr=log)
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.max_inflight_messages_set(1000)
        for _ in range(100):
            try:
                self.client.connect("127.0.0.1", self.port)
                break
            except OSError:
                time.sleep(0.05)
        self.client.loop_start()
        self.calls = 0
        for counter in range(1, COUNTERS + 1):
            state = {"state": "open", "ticket": f"A{counter:03}", "at": wall()}
            self.client.publish(f"{PREFIX}/counter/{counter}", json.dumps(state), qos=1, retain=True).wait_for_publish()

    def call(self):
        """Calls the next ticket; no two that follow each other look alike. Returns when it was given to the broker."""
        self.calls += 1
        n = self.calls
        call = {"id": f"{os.getpid()}-{n}", "ticket": "ABCDE"[n % 5] + f"{n * 37 % 900 + 100:03}",
                "counter": str(n % COUNTERS + 1), "kind": "call", "at": wall()}
        payload = json.dumps(call)
        at = time.perf_counter()
        self.last = self.client.publish(f"{PREFIX}/call", payload, qos=1)
        return at

    def close(self):
        self.client.loop_stop()
        self.process.terminate()
        self.process.wait()


def wall():
    return datetime.datetime.now().astimezone().isoformat()


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def moiso(args, broker, size, folder, ticker, sound=False):
    environment = {"MOISO_MQTT_BROKERS": f"mqtt://127.0.0.1:{broker.port}", "MOISO_PATHS_STATE": str(folder / "state"),
                   "MOISO_SCREEN_SIZE": f"{size[0]}x{size[1]}"}
    environment.update(pair.split("=", 1) for pair in args.env)
    config = folder / "board.toml"
    text = (HERE / "board.toml").read_text()
    if sound:
        # Each call is heard once, so that the next finds the loudspeakers free.
        text = text.replace("[audio]\nenabled = false\n", f"[speech]\nrepeats = 1\n\n[paths]\nsounds = '{ROOT}/sounds'\n")
    config.write_text(text + ("" if ticker else "\n[board]\nidle_ticker = []\n"))
    return [args.binary, "run", "--config", str(config)], environment


def chromium(args, broker, size, folder, ticker):
    place = folder / "page"
    place.mkdir()
    for source, name in [(HERE / "page.html", "page.html"), (args.mqtt_js, "mqtt.min.js"), (ROOT / "fonts", "fonts")]:
        (place / name).symlink_to(source)
    flags = ["--no-sandbox", "--disable-gpu", "--kiosk", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-quic", "--disable-features=Translate",
             "--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}",
             f"--window-size={size[0]},{size[1]}", "--window-position=0,0"]
    page = f"file://{place}/page.html#{broker.web}" + ("" if ticker else ",still")
    return ["chromium", *flags, page], {}


SUBJECTS = {"moiso": moiso, "chromium": chromium}


def settle(glass, since, quiet_s=3.0, within_s=40.0):
    """When the board last changed: start to first complete board."""
    seen, changed = None, None
    while time.perf_counter() - since < within_s:
        now = glass.board()
        if now != seen:
            seen, changed = now, time.perf_counter()
        elif changed - since > 0.05 and len(set(now[::4])) > 3 and time.perf_counter() - changed > quiet_s:
            return changed - since
        time.sleep(0.002)
    raise TimeoutError("the board does not settle")


def until_changed(look, before, since, within_s=3.0):
    while time.perf_counter() - since < within_s:
        if look() != before:
            return time.perf_counter() - since
        time.sleep(0.0003)
    return None


def latencies(glass, broker, count):
    """Milliseconds from a publish to the first changed pixel of its counter's number, and calls that changed none. The
    counters show every call at once; where many come, the place for the newest makes some wait until others were read."""
    for _ in range(5):
        broker.call()
        time.sleep(CALL_GAP_S)
    out, missed = [], 0
    for _ in range(count):
        # Not in step with anything that the program does at a fixed rate.
        time.sleep(CALL_GAP_S + random.uniform(0, 0.1))
        before = glass.counters()
        took = until_changed(glass.counters, before, broker.call())
        if took is None:
            missed += 1
        else:
            out.append(took * 1000)
    return out, missed


def ticker(glass, span_s):
    """Distinct frames a second, the largest pause between two, and how far the line was from where an even motion has it."""
    scale = min(glass.w / 1920, glass.h / 1080)
    frames, end = [(time.perf_counter(), glass.line().copy())], time.perf_counter() + span_s
    while time.perf_counter() < end:
        line, now = glass.line(), time.perf_counter()
        if not np.array_equal(line, frames[-1][1]):
            frames.append((now, line.copy()))
        time.sleep(0.001)
    place, places, steps = 0, [], []
    for (_, old), (_, new) in zip(frames, frames[1:]):
        moved = shift(old, new, int(60 * scale))
        place += moved
        places.append(place)
        steps.append(moved)
    times = np.array([at for at, _ in frames[1:]])
    # An even motion through the middle of what was seen.
    errors = np.array(places) - (times - times[0]) * TICKER_PX_S * scale
    errors -= np.median(errors)
    return {"ticker_fps": len(steps) / span_s, "ticker_pause_ms": float(np.diff(times).max() * 1000),
            "ticker_step_px": max(steps), "ticker_error_px": float(np.abs(errors).max()),
            "ticker_error_p95_px": float(np.percentile(np.abs(errors), 95))}


def shift(old, new, most):
    """By how many pixels a row has moved to the left: what fits best."""
    channel = lambda row: (row >> 8 & 0xFF).astype(np.int32)
    old, new = channel(old), channel(new)
    width = len(old) - most
    return min(range(most), key=lambda by: int(np.abs(old[by:by + width] - new[:width]).sum()))


def burst(glass, broker, tree, count):
    """Seconds from the first of many calls to the last change that they made, and what it took of the processor."""
    (cpu, _), start = tree.used(), time.perf_counter()
    for _ in range(count):
        broker.call()
    broker.last.wait_for_publish()
    published = time.perf_counter() - start
    seen, changed = glass.counters(), time.perf_counter()
    while time.perf_counter() - changed < 3:
        now = glass.counters()
        if now != seen:
            seen, changed = now, time.perf_counter()
        time.sleep(0.002)
    return {"burst_published_s": published, "burst_shown_s": changed - start, "burst_cpu_s": tree.used()[0] - cpu}


def stages(trace):
    """What the program's own trace tells: stages with their begin and end in microseconds."""
    lines = [line.rstrip(",\n") for line in trace.read_text().splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines if line.endswith("}")]


def from_packet(found, name, after="hub"):
    """Milliseconds from the packet of each call to the end of the first stage of a name that begins after another has."""
    begins = lambda stage: sorted((event["ts"], event["ts"] + event.get("dur", 0)) for event in found if event["name"] == stage)
    reads, there, between = begins("read"), begins(name), begins(after)
    out = []
    for call in sorted(event["ts"] for event in found if event["name"] == "hub" and event.get("args", {}).get("about")):
        read = max((ts for ts, _ in reads if ts <= call), default=None)
        passed = min((ts for ts, _ in between if ts >= call), default=None)
        end = min((end for ts, end in there if passed is not None and ts >= passed), default=None)
        if read is not None and end is not None:
            out.append((end - read) / 1000)
    return out


def with_sound(args, size):
    """moiso alone with its voice: how long a call takes to be heard, and the memory after ten thousand calls."""
    out = {"subject": "moiso", "size": f"{size[0]}x{size[1]}"}
    with tempfile.TemporaryDirectory(prefix="kiosk-") as folder:
        folder = pathlib.Path(folder)
        card, trace = Card(folder), folder / "trace"
        try:
            with running("moiso", args, size, True, {**card.environment, "MOISO_TRACE": str(trace)}) as (glass, broker, tree, start, _):
                settle(glass, start)
                for _ in range(args.heard + 1):
                    broker.call()
                    time.sleep(HEARD_GAP_S + random.uniform(0, 0.1))
                heard = from_packet(stages(trace), "first sample")
                known = len(heard)
                # The first one gave the loudspeakers time to wake, which is silence.
                out["sound_ms"] = heard[1:]
                latencies(glass, broker, args.calls)
                out["inside_ms"] = from_packet(stages(trace), "present", "draw")[known:]
                if args.burst:
                    burst(glass, broker, tree, args.burst)
                    time.sleep(DWELL_S + 1)
                out["pss_sound_mb"] = tree.pss_mb()
        finally:
            card.close()
    return out


@contextlib.contextmanager
def running(name, args, size, with_ticker, more=None):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kiosk-"))
    broker, glass = Broker(folder), Glass(size)
    tree = None
    try:
        options = {"sound": True} if more else {}
        command, extra = SUBJECTS[name](args, broker, size, folder, with_ticker, **options)
        extra.update(more or {})
        environment = {**os.environ, "DISPLAY": glass.display, **extra}
        for variable in ("WAYLAND_DISPLAY", "WAYLAND_SOCKET"):
            environment.pop(variable, None)
        with open(folder / "log", "w") as log:
            start = time.perf_counter()
            tree = Tree(command, environment, log)
        yield glass, broker, tree, start, folder / "log"
    finally:
        if tree:
            tree.close()
        glass.close()
        broker.close()
        shutil.rmtree(folder, ignore_errors=True)


def adapter(name, log):
    found = re.search(r'gpu="([^"]*)" present="([^"]*)"', re.sub(r"\x1b\[[0-9;]*m", "", log.read_text()))
    if found:
        return f"{found[1]}, {found[2]}"
    return "software compositor (--disable-gpu)" if name == "chromium" else "unknown"


def measure(name, args, size):
    out = {"subject": name, "size": f"{size[0]}x{size[1]}", "load_before": os.getloadavg()[0]}
    with running(name, args, size, True) as (glass, broker, tree, start, log):
        out["start_s"] = settle(glass, start)
        time.sleep(1)
        out["adapter"] = adapter(name, log)
        out["cpu_ticker"], out["wakes_ticker"] = tree.during(args.span)
        out.update(ticker(glass, args.span))
        out["latencies_ms"], out["missed"] = latencies(glass, broker, args.calls)
        time.sleep(DWELL_S + 1)
        out["pss_mb"] = tree.pss_mb()
        broker.call()
        time.sleep(0.5)
        out["cpu_call"], _ = tree.during(DWELL_S - 1.0)
        glass.save(args.out / f"{name}-{out['size']}.png")
        if args.burst:
            out.update(burst(glass, broker, tree, args.burst))
            time.sleep(DWELL_S + 1)
            out["pss_after_burst_mb"] = tree.pss_mb()
    with running(name, args, size, False) as (glass, broker, tree, start, log):
        settle(glass, start)
        # What a program still does after its start is not what it does all day.
        time.sleep(args.span)
        out["cpu_idle"], out["wakes_idle"] = tree.during(2 * args.span)
    return out


# Figure, name of the row, unit, digits.
ROWS = [
    ("start_s", "start to first complete board", "s", 2),
    ("latency_p50_ms", "call to pixel, p50", "ms", 1),
    ("latency_p99_ms", "call to pixel, p99", "ms", 1),
    ("ticker_fps", "ticker, distinct frames a second", "", 1),
    ("ticker_error_px", "ticker, farthest from an even motion", "px", 1),
    ("ticker_pause_ms", "ticker, longest time between two frames", "ms", 0),
    ("cpu_ticker", "processor, ticker moving", "cores", 4),
    ("cpu_call", "processor, a call breathing over the ticker", "cores", 4),
    ("cpu_idle", "processor, nothing moving", "cores", 4),
    ("wakes_idle", "wake-ups a second, nothing moving", "", 1),
    ("pss_mb", "memory (PSS of the tree)", "MB", 1),
    ("pss_after_burst_mb", "memory after the burst", "MB", 1),
    ("burst_shown_s", "burst of calls, first published to last shown", "s", 2),
    ("burst_cpu_s", "processor for the burst", "s", 2),
]


def summary(runs):
    """Medians over the runs, with their span; latencies are taken over all calls of all runs."""
    out = {}
    for size in dict.fromkeys(run["size"] for run in runs):
        for name in SUBJECTS:
            own = [run for run in runs if run["size"] == size and run["subject"] == name]
            if not own:
                continue
            table = {key: [run[key] for run in own if key in run] for key, *_ in ROWS}
            calls = sorted(ms for run in own for ms in run["latencies_ms"])
            for key, share in (("latency_p50_ms", 50), ("latency_p99_ms", 99)):
                each = [float(np.percentile(run["latencies_ms"], share)) for run in own]
                table[key] = {"median": float(np.percentile(calls, share)), "least": min(each), "most": max(each)}
            for key, values in table.items():
                if isinstance(values, list) and values:
                    table[key] = {"median": statistics.median(values), "least": min(values), "most": max(values)}
            out.setdefault(size, {})[name] = {key: value for key, value in table.items() if value}
            out[size][name]["calls"], out[size][name]["missed"] = len(calls), sum(run["missed"] for run in own)
            out[size][name]["adapter"] = own[0]["adapter"]
    return out


def markdown(table, runs):
    lines = []
    for size, of in table.items():
        names = [name for name in SUBJECTS if name in of]
        count = max(sum(run["subject"] == name and run["size"] == size for run in runs) for name in names)
        load = statistics.median(run["load_before"] for run in runs)
        lines += [f"{size}, {count} runs each in turn, {os.cpu_count()} cores, load before a run {load:.1f} (median); median (least to most), of call to pixel that of all calls (of each run)", ""]
        lines += [f"- {name}: {of[name]['adapter']}; {of[name]['calls']} calls, {of[name]['missed']} not seen" for name in names]
        lines += ["", "| | " + " | ".join(names) + (" | ratio |" if len(names) > 1 else " |"), "|---" * (len(names) + 1 + (len(names) > 1)) + "|"]
        for key, title, unit, digits in ROWS:
            if not all(key in of[name] for name in names):
                continue
            cells = [f"{of[name][key]['median']:.{digits}f} {unit} ({of[name][key]['least']:.{digits}f} to {of[name][key]['most']:.{digits}f})"
                     for name in names]
            if len(names) > 1:
                below = of["chromium"][key]["median"]
                cells.append(f"{of['moiso'][key]['median'] / below:.2f}" if below else "")
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "target/release/moiso"))
    parser.add_argument("--mqtt-js", type=pathlib.Path, required=True, help="mqtt.min.js of the npm package mqtt")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "target/kiosk/out")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--calls", type=int, default=60, help="of each run")
    parser.add_argument("--span", type=float, default=10, help="seconds of each measured span")
    parser.add_argument("--burst", type=int, default=10_000, help="calls at once; 0 leaves it out")
    parser.add_argument("--heard", type=int, default=15, help="calls of the run with sound; 0 leaves it out")
    parser.add_argument("--size", action="append", help="1920x1080; may be given again")
    parser.add_argument("--only", choices=SUBJECTS)
    parser.add_argument("--env", action="append", default=[], help="MOISO_…=… for moiso")
    args = parser.parse_args()
    # Whoever is stopped stops what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    args.mqtt_js = args.mqtt_js.resolve()
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    runs = []
    for number in range(args.runs):
        for size in args.size or ["1920x1080"]:
            names = [args.only] if args.only else list(SUBJECTS)
            for name in names if number % 2 == 0 else reversed(names):
                run = measure(name, args, tuple(map(int, size.split("x"))))
                runs.append(run)
                short = {key: round(value, 4) for key, value in run.items() if isinstance(value, float)}
                print(f"run {number + 1}: {name} {size}: {json.dumps(short)}", file=sys.stderr, flush=True)
                table = summary(runs)
                (args.out / "kiosk.json").write_text(json.dumps({"summary": table, "runs": runs}, indent=1))
                (args.out / "kiosk.md").write_text(markdown(table, runs))
    text = markdown(summary(runs), runs)
    if args.heard and args.only != "chromium":
        heard = with_sound(args, tuple(map(int, (args.size or ["1920x1080"])[0].split("x"))))
        (args.out / "sound.json").write_text(json.dumps(heard, indent=1))
        inside = np.percentile(heard["inside_ms"], [50, 99])
        text += (f"\nInside the program, from the packet of a call to its frame handed over, {len(heard['inside_ms'])} calls: "
                 f"p50 {inside[0]:.1f} ms, p99 {inside[1]:.1f} ms.\n"
                 f"\nWith its voice (a virtual sound card, {len(heard['sound_ms'])} calls): call to first sample p50 "
                 f"{np.percentile(heard['sound_ms'], 50):.1f} ms, at most {max(heard['sound_ms']):.1f} ms; memory in the end "
                 f"{heard['pss_sound_mb']:.1f} MB.\n")
        (args.out / "kiosk.md").write_text(text)
    print(text)


main()
