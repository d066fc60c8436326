#!/usr/bin/env python3
"""How the cost of each part grows: runs the benches and draws docs/growth.svg, one plot for each bench with a number as its
argument, beside a line from zero to the last: where no point lies below it, the cost
grows in proportion at most. `benches/growth.py [FILE]` takes the benches' output
from a file. Prints a table in Markdown."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNITS = {"ns": 1e-3, "µs": 1.0, "ms": 1e3, "s": 1e6}
WHAT = {
    "a_thousand_calls": "1000 calls to the board, by counters",
    "view_of_a_board": "view of the board, by counters",
    "scene_of_a_changed_view": "scene of a changed view, by counters",
    "damage_of_a_call": "what a call changes, by counters",
    "draw_a_board": "whole board by the processor, by counters",
    "draw_a_call": "a call by the processor, by counters",
    "step_of_a_motion": "a step of a breath, by counters",
    "scene_with_notices": "scene, by notices",
    "a_thousand_calls_through_hub_and_journal": "1000 calls through hub and journal, by counters",
    "a_view_to_all_sessions": "a view to all sessions, by sessions",
}
W, H, COLUMNS = 300, 170, 3


def series(text):
    """Name of a bench to its (argument, median in microseconds)."""
    found, name = {}, None
    for line in text.splitlines():
        row = re.match(r"^[│├╰─ ]*[├╰]─ (\S+)\s*(.*)$", line)
        if not row:
            continue
        label, rest = row.groups()
        times = re.findall(r"([\d.]+) (ns|µs|ms|s)\b", rest)
        if not times:
            name = label
        elif label.isdigit() and len(times) >= 3:
            value, unit = times[2]
            found.setdefault(name, []).append((int(label), float(value) * UNITS[unit]))
    return {name: points for name, points in found.items() if name in WHAT and len(points) > 2}


def plot(x0, y0, title, points):
    left, right, top, bottom = x0 + 52, x0 + W - 14, y0 + 34, y0 + H - 26
    most_x, most_y = points[-1][0], max(y for _, y in points) * 1.1
    px = lambda x: left + (right - left) * x / most_x
    py = lambda y: bottom - (bottom - top) * y / most_y
    bx, by = points[-1]
    dots = "".join(f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="3"/>' for x, y in points)
    path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in points)
    ticks = "".join(f'<text x="{px(x):.1f}" y="{bottom + 16}" text-anchor="middle">{x}</text>' for x, _ in points if x in (points[0][0], bx) or px(x) - px(points[0][0]) > 40)
    label = lambda y: f"{y / 1e3:.3g} ms" if y >= 1000 else f"{y:.3g} µs"
    return (f'<g><text x="{x0 + 8}" y="{y0 + 18}" font-weight="bold">{title}</text>'
            f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#999"/>'
            f'<line x1="{left}" y1="{bottom}" x2="{px(bx):.1f}" y2="{py(by):.1f}" stroke="#c33" stroke-dasharray="4 4"/>'
            f'<polyline points="{path}" fill="none" stroke="#036" stroke-width="2"/><g fill="#036">{dots}</g>{ticks}'
            f'<text x="{left - 5}" y="{py(by):.1f}" text-anchor="end">{label(by)}</text>'
            f'<text x="{left - 5}" y="{bottom}" text-anchor="end">0</text></g>')


def main():
    if len(sys.argv) > 1:
        text = pathlib.Path(sys.argv[1]).read_text()
    else:
        command = ["cargo", "bench", "--locked", "--bench", "core", "--bench", "hall"]
        text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = series(text)
    rows = -(-len(found) // COLUMNS)
    cells = [plot(n % COLUMNS * W, n // COLUMNS * H, WHAT[name], points) for n, (name, points) in enumerate(found.items())]
    svg = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * W}" height="{rows * H}" font-family="sans-serif" font-size="11">'
           f'<rect width="100%" height="100%" fill="#fff"/>{"".join(cells)}</svg>\n')
    (ROOT / "docs/growth.svg").write_text(svg)
    print("| cost | " + "µs, by the number |\n|---|---|")
    for name, points in found.items():
        print(f"| {WHAT[name]} | " + ", ".join(f"{x}: {y:.3g}" for x, y in points) + " |")


main()
