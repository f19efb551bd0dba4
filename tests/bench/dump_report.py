# SPDX-License-Identifier: GPL-2.0
"""What came of tests/bench/dump: a table, a chart, JSON, and each run as CSV."""

import csv
import json
import os
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where output goes."""
    name: str
    folder: Path


@dataclass(frozen=True)
class Run:
    work: str
    place: str
    program: str
    threads: int
    """0: makedumpfile's, which is run without --num-threads: its best."""
    wall_s: float
    cpu_s: float
    rss_mb: float
    output_bytes: int


@dataclass(frozen=True)
class Limit:
    """One core's times for what no dumper gets around."""
    work: str
    place: str
    compress_s: float
    write_s: float


@dataclass(frozen=True)
class Result:
    """Medians of one kind of work at one number of threads."""
    work: str
    threads: int
    ours_s: float
    peer_s: float | None
    limit_s: float | None
    rss_mb: float


@dataclass(frozen=True)
class Target:
    """With two threads on two CPUs, at most so much of the peer's time and of the limit."""
    of_peer: float
    of_limit: float | None = None


TARGETS = {"-l -d 31": Target(0.50, 1.4), "-c -d 31": Target(0.30, 1.15), "-z -d 31": Target(0.50, 1.15),
           "-p -d 31": Target(0.50, 1.4), "-l -d 1": Target(0.45, 1.2), "-c -d 1": Target(0.25, 1.15),
           "-d 0": Target(0.50), "--dry-run -d 31": Target(0.25)}
TARGET_THREADS = 2


def median(values: list[float]) -> float | None:
    return round(statistics.median(values), 4) if values else None


def full_name(work: str, place: str) -> str:
    return work if place == "tmpfs" else f"{work}, to {place}"


def of(runs: list[Run], name: str, threads: int) -> list[Run]:
    return [run for run in runs if full_name(run.work, run.place) == name and run.threads == threads]


def limit_of(limits: list[Limit], name: str, threads: int) -> float | None:
    mine = [limit for limit in limits if full_name(limit.work, limit.place) == name]
    if not mine:
        return None
    both = median([limit.compress_s for limit in mine]) + median([limit.write_s for limit in mine])
    return round(both / min(threads, len(os.sched_getaffinity(0))), 4)


def results_of(runs: list[Run], limits: list[Limit]) -> list[Result]:
    names = dict.fromkeys((full_name(run.work, run.place), run.threads) for run in runs if run.threads)
    return [Result(name, threads, median([run.wall_s for run in of(runs, name, threads)]),
                   median([run.wall_s for run in of(runs, name, 0)]), limit_of(limits, name, threads),
                   round(max(run.rss_mb for run in of(runs, name, threads)), 1))
            for name, threads in names]


def ratio(ours: float, other: float | None, most: float | None) -> str:
    """With what it may be at most, where that is told."""
    if not other:
        return "–"
    text = f"{ours / other:.2f}"
    return text if most is None else f"**{text}** (≤ {most})" if ours / other <= most else f"{text} (**not** ≤ {most})"


def table(runs: list[Run], results: list[Result]) -> str:
    lines = ["| work | threads | ours s | its s | limit s | of its | of the limit | CPU s | RSS MB, ours / its | "
             "output MB, ours / its |", "|---|---|---|---|---|---|---|---|---|---|"]
    for result in results:
        ours, peers = of(runs, result.work, result.threads), of(runs, result.work, 0)
        target = TARGETS.get(result.work) if result.threads == TARGET_THREADS else None
        lines.append("| " + " | ".join([
            result.work, str(result.threads), f"{result.ours_s:.3f}",
            f"{result.peer_s:.3f}" if result.peer_s else "–", f"{result.limit_s:.3f}" if result.limit_s else "–",
            ratio(result.ours_s, result.peer_s, target.of_peer if target else None),
            ratio(result.ours_s, result.limit_s, target.of_limit if target else None),
            f"{median([run.cpu_s for run in ours]):.3f}",
            f"{result.rss_mb:.1f} / " + (f"{max(run.rss_mb for run in peers):.1f}" if peers else "–"),
            f"{ours[0].output_bytes / 1e6:.1f} / " + (f"{peers[0].output_bytes / 1e6:.1f}" if peers else "–"),
        ]) + " |")
    return "\n".join(lines)


def chart(results: list[Result]) -> str:
    """Bars: wall time as a share of makedumpfile's; a mark where the limit is."""
    shown = [result for result in results if result.peer_s]
    width, left, scale, line = 900, 190, 560, 18
    parts = []
    for n, result in enumerate(shown):
        y = 40 + n * line
        share = result.ours_s / result.peer_s
        color = {1: "#9ecae1", 2: "#3182bd"}.get(result.threads, "#08519c")
        parts.append(f'<text x="{left - 8}" y="{y + 11}" text-anchor="end">{result.work}, {result.threads} thr.</text>')
        parts.append(f'<rect x="{left}" y="{y}" width="{share * scale:.1f}" height="{line - 5}" fill="{color}"/>')
        parts.append(f'<text x="{left + share * scale + 6:.1f}" y="{y + 11}">{share:.2f}</text>')
        if result.limit_s:
            x = left + result.limit_s / result.peer_s * scale
            parts.append(f'<path d="M{x:.1f} {y - 2}v{line - 1}" stroke="#d62728" stroke-width="2"/>')
    height = 40 + len(shown) * line + 10
    head = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
            'font-size="11">', f'<rect width="{width}" height="{height}" fill="white"/>',
            f'<text x="{left}" y="18" font-size="13">Wall time as a share of makedumpfile\'s (1.0 = the line); '
            'red: the limit</text>',
            f'<path d="M{left + scale} 28V{height - 6}" stroke="#888" stroke-dasharray="4 3"/>']
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def write(folder: Path, runs: list[Run], limits: list[Limit], about: str) -> str:
    """The table."""
    results = results_of(runs, limits)
    text = "\n\n".join([
        "# pmakedumpfile against makedumpfile", about, table(runs, results),
        "The limit: what one core takes to compress just the pages that are kept and to write as many bytes with large "
        "writes, by the number of CPUs in use. Output is on tmpfs unless said otherwise."]) + "\n"
    (folder / "dump.md").write_text(text)
    (folder / "dump.svg").write_text(chart(results))
    (folder / "dump.json").write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
    with (folder / "dump.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, asdict(runs[0]).keys())
        writer.writeheader()
        writer.writerows(asdict(run) for run in runs)
    return text
