#!/usr/bin/env python3
"""Measures what `hullward watch` costs what it watches, what it loses, and what it needs itself.

Prints Markdown tables. Runs with and without the sensor are interleaved, and ratios are taken within a round, since machines
are noisy. Needs root, a C compiler, and redis-server with redis-benchmark for that part; says what it leaves out."""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Watch:
    """The program under test, watching; its statistics once it ended."""

    def __init__(self, command, folder):
        self.file = folder / "statistics.json"
        self.errors = folder / "watch.log"
        self.file.unlink(missing_ok=True)
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen([*command, "--statistics", self.file], stdout=subprocess.DEVNULL, stderr=errors)
        for _ in range(600):
            if b"watching" in self.errors.read_bytes():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        sys.exit(f"{' '.join(map(str, command))} does not watch: {self.errors.read_text(errors='replace')[-2000:]}")

    def memory(self):
        """Resident and peak resident MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        kib = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith(("VmRSS", "VmHWM"))}
        return kib["VmRSS"] / 1024, kib["VmHWM"] / 1024

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        return json.loads(self.file.read_text())


def loop(load, *arguments):
    return int(subprocess.run([load, *map(str, arguments)], check=True, capture_output=True, text=True).stdout)


def redis(port, requests):
    """Requests a second of GET and SET."""
    output = subprocess.run(
        ["redis-benchmark", "-p", str(port), "-t", "set,get", "-n", str(requests), "--csv"], check=True, capture_output=True, text=True
    ).stdout
    rates = [float(line.split('","')[1].strip('"')) for line in output.splitlines() if line.startswith(('"SET"', '"GET"'))]
    return statistics.harmonic_mean(rates)


def cost(watch_command, works, rounds, folder):
    """Each work's rate without and with the sensor, interleaved; lines of a table."""
    rates = {name: ([], []) for name, _ in works}
    for _ in range(rounds):
        for name, work in works:
            rates[name][0].append(work())
        watch = Watch(watch_command, folder)
        for name, work in works:
            rates[name][1].append(work())
        watch.stop()
    print("| work | without, a second | with, a second | cost | spread |\n| --- | --- | --- | --- | --- |")
    for name, (without, with_sensor) in rates.items():
        costs = sorted(1 - b / a for a, b in zip(without, with_sensor))
        print(
            f"| {name} | {statistics.median(without):,.0f} | {statistics.median(with_sensor):,.0f} | "
            f"**{statistics.median(costs):.1%}** | {costs[0]:.1%} to {costs[-1]:.1%} |"
        )


def flood(watch_command, load, seconds, rate, path, folder):
    """Two producers open a file at a known rate; what arrives and what is counted as lost."""
    watch = Watch(watch_command, folder)
    before = watch.processor_seconds()
    producers = [subprocess.Popen([load, "open", str(seconds), str(rate // 2), path], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    made = sum(int(producer.communicate()[0]) for producer in producers)
    resident, peak = watch.memory()
    used = watch.processor_seconds() - before
    time.sleep(1)
    result = watch.stop()
    received, lost = result["events"].get("open", 0) + result["events"].get("openat", 0), sum(result["lost"].values())
    print("| opens made | asked a second | received | lost, counted | detections | processor | memory, peak |\n| --- | --- | --- | --- | --- | --- | --- |")
    print(f"| {made:,} | {rate:,} | {received:,} | {lost:,} | {result['detections']:,} | {used / seconds:.0%} of one | {resident:.0f} MiB, {peak:.0f} MiB |")
    if received + lost < made:
        print(f"\nNOT ACCOUNTED FOR: {made - received - lost:,}")


def memory(watch_command, load, count, folder):
    idle = subprocess.Popen([load, "idle", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    idle.stdout.readline()
    watch = Watch(watch_command, folder)
    time.sleep(2)
    resident, peak = watch.memory()
    watch.stop()
    idle.stdin.close()
    idle.kill()
    print(f"| {count:,} | {resident:.0f} MiB | {peak:.0f} MiB |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hullward", type=Path, default=HERE.parent / "target/release/hullward")
    parser.add_argument("--rules", type=Path, action="append", help="rule files; without them Hullward's own rules")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=60, help="length of the flood")
    parser.add_argument("--parts", default="cost,flood,memory,churn")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("loading eBPF programs needs root")
    rules = [argument for file in options.rules or [] for argument in ("--rules", file)]
    watch_command = [options.hullward, "watch", *rules, "--format", "json"]
    parts = options.parts.split(",")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load = folder / "load"
        subprocess.run(["cc", "-O2", "-o", load, HERE / "load.c"], check=True)
        if "cost" in parts:
            works = [
                ("open, read, close", lambda: loop(load, "files", 3) / 3),
                ("fork, exec, wait", lambda: loop(load, "exec", 3, "/bin/true") / 3),
            ]
            server = None
            if shutil.which("redis-server") and shutil.which("redis-benchmark"):
                server = subprocess.Popen(["redis-server", "--port", "16379", "--save", ""], stdout=subprocess.DEVNULL)
                time.sleep(1)
                works.append(("redis, SET and GET", lambda: redis(16379, 150_000)))
            else:
                print("redis-server and redis-benchmark are not installed: that part is left out\n")
            try:
                cost(watch_command, works, options.rounds, folder)
            finally:
                if server:
                    server.terminate()
            print()
        if "flood" in parts:
            flood(watch_command, load, options.seconds, 200_000, "/etc/hostname", folder)
            print()
        if "memory" in parts:
            print("| processes | resident | peak |\n| --- | --- | --- |")
            for count in (1_000, 20_000):
                memory(watch_command, load, count, folder)
            print()
        if "churn" in parts:
            watch = Watch(watch_command, folder)
            print("| short-lived processes so far | resident |\n| --- | --- |")
            made = 0
            for _ in range(5):
                made += loop(load, "exec", 12, "/bin/true")
                print(f"| {made:,} | {watch.memory()[0]:.1f} MiB |")
            watch.stop()


if __name__ == "__main__":
    main()
