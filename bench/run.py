#!/usr/bin/env python3
"""Measures Hullward against its limit (decompressing the same layers) and against other scanners on PATH.

Prints a Markdown table. All runs are interleaved in one go, and ratios are taken within a round, since machines are noisy."""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Decompressors, fastest first where it is known; the fastest of those on PATH in a trial is the limit.
DECOMPRESSORS = [["igzip", "-d", "-c"], ["libdeflate-gunzip", "-c"], ["pigz", "-d", "-c"], ["gzip", "-d", "-c"]]


def timed(command, env=None, ok=(0,)):
    """Seconds, peak resident MiB and standard output of one run of a command."""
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, env=env)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        code = os.waitstatus_to_exitcode(status)
        if code not in ok:
            sys.exit(f"{' '.join(map(str, command))} ended with {code}: {errors.decode(errors='replace')[-2000:]}")
        out.seek(0)
        return seconds, usage.ru_maxrss / 1024, out.read()


def layers(layout):
    manifest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"].split(":")[1]
    blobs = layout / "blobs/sha256"
    return [blobs / layer["digest"].split(":")[1] for layer in json.loads((blobs / manifest).read_text())["layers"]]


def decompress_all(command, files):
    """Decompresses all files, two at a time, largest first; seconds."""
    waiting = sorted(files, key=lambda file: -file.stat().st_size)
    running = []
    started = time.perf_counter()
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            running.append(subprocess.Popen([*command, waiting.pop(0)], stdout=subprocess.DEVNULL))
        running[0].wait() if len(running) == 1 else time.sleep(0.002)
        if any(process.poll() not in (None, 0) for process in running):
            sys.exit(f"{command[0]} failed")
        running = [process for process in running if process.poll() is None]
    return time.perf_counter() - started


def sbom(path, count):
    components = [{"type": "library", "name": f"package-{i}", "version": f"1.{i % 50}.0", "purl": f"pkg:npm/package-{i}@1.{i % 50}.0"} for i in range(count - 4)]
    for name, version in [("lodash", "4.17.4"), ("minimist", "1.2.5"), ("axios", "0.21.0"), ("express", "4.17.1")]:
        components.append({"type": "library", "name": name, "version": version, "purl": f"pkg:npm/{name}@{version}"})
    path.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--hullward", type=Path, default=HERE.parent / "target/release/hullward")
    parser.add_argument("--feeds", type=Path, default=Path(os.environ.get("HULLWARD_TEST_DATA", HERE.parent / "crates/advisory/starter")))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    layout = work / "image"
    if not (layout / "index.json").exists():
        subprocess.run([sys.executable, HERE / "assemble_image.py", work], check=True)
    hullward = str(arguments.hullward)
    database = work / "advisories.db"
    build_seconds, build_memory, _ = timed([hullward, "db", "build", "--from", str(arguments.feeds / "osv" if (arguments.feeds / "osv").is_dir() else arguments.feeds), "--out", str(database)])
    files = layers(layout)
    packed = sum(file.stat().st_size for file in files) >> 20
    cache = work / "cache"
    env = dict(os.environ, HULLWARD_DB=str(database), HULLWARD_CACHE_DIR=str(cache))
    tools = [command for command in DECOMPRESSORS if shutil.which(command[0])]
    trials = {command[0]: decompress_all(command, files) for command in tools}
    limit_tool = min(tools, key=lambda command: trials[command[0]])
    # OSV-SCALIBR reads no OCI layouts, and lists packages only: both are asked for that, of the archive that docker save makes.
    archive = work / "image.tar"
    asks_scalibr = all(shutil.which(name) for name in ("scalibr", "skopeo"))
    if asks_scalibr and not archive.exists():
        subprocess.run(["skopeo", "copy", "--quiet", f"oci:{layout}", f"docker-archive:{archive}:bench:1"], check=True)
    document = work / "10000.cdx.json"
    sbom(document, 10_000)
    scan = [hullward, "scan", "--quiet", "--format", "json", f"oci:{layout}"]
    rows = {}

    def note(name, seconds, memory=None):
        rows.setdefault(name, []).append((seconds, memory))

    for _ in range(arguments.rounds):
        note("limit", decompress_all(limit_tool, files))
        shutil.rmtree(cache, ignore_errors=True)
        seconds, memory, report = timed(scan, env)
        note("cold scan", seconds, memory)
        seconds, memory, _ = timed(scan, env)
        note("warm scan", seconds, memory)
        note("version", *timed([hullward, "--version"])[:2])
        note("SBOM of 10,000 components", *timed([hullward, "scan", "--quiet", "--format", "json", f"sbom:{document}"], env)[:2])
        if asks_scalibr:
            note("packages of the docker archive", *timed([hullward, "sbom", "--quiet", "--no-cache", "--format", "cyclonedx-json", f"archive:{archive}"])[:2])
            listed = ["scalibr", "scan", "--offline", "--image-tarball", str(archive), "-o", f"cdx-json={work / 'scalibr.json'}"]
            note("the same by OSV-SCALIBR", *timed(listed)[:2])
        if shutil.which("trivy"):
            note("trivy, cold", *timed(["trivy", "image", "--quiet", "--offline-scan", "--skip-db-update", "--format", "json", "--input", str(layout)], env)[:2])
        if shutil.which("syft") and shutil.which("grype"):
            bom = work / "syft.json"
            seconds, memory, text = timed(["syft", f"oci-dir:{layout}", "-q", "-o", "json"])
            bom.write_bytes(text)
            more, more_memory, _ = timed(["grype", f"sbom:{bom}", "-q", "-o", "json"])
            note("syft, then grype", seconds + more, max(memory, more_memory))
    limit = statistics.median(seconds for seconds, _ in rows["limit"])
    report = json.loads(report)
    print(f"Image: {packed} MiB packed in {len(files)} layers, {len(report['packages'])} packages, {len(report['findings'])} findings. "
          f"Limit: {limit_tool[0]} ({', '.join(f'{name} {seconds:.2f} s' for name, seconds in trials.items())} in a trial). Rounds: {arguments.rounds}.")
    print(f"Database: built in {build_seconds:.1f} s with {build_memory:.0f} MiB, {database.stat().st_size >> 20} MiB large. "
          f"Binary: {Path(hullward).stat().st_size / (1 << 20):.1f} MiB.\n")
    print("| what | median | spread | of the limit | peak memory |\n| --- | --- | --- | --- | --- |")
    for name, runs in rows.items():
        seconds = [run[0] for run in runs]
        ratio = statistics.median(run[0] / limit_run[0] for run, limit_run in zip(runs, rows["limit"]))
        memory = max((run[1] or 0 for run in runs), default=0)
        print(f"| {name} | {statistics.median(seconds) * 1000:.0f} ms | {min(seconds) * 1000:.0f}–{max(seconds) * 1000:.0f} ms | {ratio:.2f} | {f'{memory:.0f} MiB' if memory else ''} |")


if __name__ == "__main__":
    main()
