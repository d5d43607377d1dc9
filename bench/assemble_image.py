#!/usr/bin/env python3
"""Assembles the benchmark image: a docker-loadable OCI archive of real packages, one layer each for the operating system,
a Python tree, a node_modules tree and fat jars.

Needs debootstrap, pip, npm and mvn with access to their registries. Everything stays below the folder given."""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

PYTHON = ["numpy", "pandas", "scipy", "matplotlib", "django", "flask", "requests", "cryptography", "sqlalchemy", "boto3",
          "scikit-learn", "pillow", "lxml", "jinja2", "pyyaml", "aiohttp", "celery", "fastapi", "pydantic", "urllib3"]
NODE = ["express", "webpack", "typescript", "eslint", "react-scripts", "@angular/core", "next", "jest", "lodash", "axios",
        "moment", "socket.io", "mongoose", "prisma", "aws-sdk"]
JARS = ["org.apache.hadoop:hadoop-client-runtime:3.3.6", "org.jruby:jruby-complete:9.4.2.0",
        "io.netty:netty-all:4.1.94.Final", "org.apache.logging.log4j:log4j-core:2.14.1",
        "org.apache.spark:spark-core_2.12:3.4.1", "org.apache.hive:hive-exec:3.1.3", "org.elasticsearch:elasticsearch:8.8.0", "com.google.guava:guava:31.1-jre",
        "org.apache.tomcat.embed:tomcat-embed-core:9.0.70", "org.springframework:spring-core:5.3.20",
        "com.fasterxml.jackson.core:jackson-databind:2.13.2"]


def run(*command, **options):
    print("+", " ".join(str(part) for part in command), file=sys.stderr)
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr, **options)


def system(root):
    run("debootstrap", "--variant=minbase", "--include=openssl,curl,git,nginx-light,python3,perl,vim-tiny,ca-certificates",
        "bookworm", root)
    shutil.rmtree(root / "var/cache/apt", ignore_errors=True)


def python(root):
    target = root / "usr/local/lib/python3.11/site-packages"
    target.mkdir(parents=True)
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", target, *PYTHON)


def node(root):
    app = root / "srv/app"
    app.mkdir(parents=True)
    (app / "package.json").write_text('{"name":"bench","version":"1.0.0","private":true}\n')
    run("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps", *NODE, cwd=app)


def jars(root):
    target = root / "opt/java"
    target.mkdir(parents=True)
    for coordinates in JARS:
        run("mvn", "-q", "-B", "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={target}")


def layer(folder, blobs, epoch=1700000000):
    """One gzip layer of a folder, with fixed owners and times; returns its descriptor and diff id."""
    plain = blobs / "layer.tar"

    def fixed(info):
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mtime = epoch
        return info

    with tarfile.open(plain, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(os.listdir(folder)):
            archive.add(folder / name, arcname=name, filter=fixed)
    diff_id = hashlib.sha256(plain.read_bytes()).hexdigest()
    packed = blobs / "layer.tar.gz"
    with open(plain, "rb") as source, open(packed, "wb") as out, gzip.GzipFile("", "wb", 6, out, epoch) as stream:
        shutil.copyfileobj(source, stream, 1 << 20)
    size = packed.stat().st_size
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    packed.rename(blobs / digest)
    uncompressed = plain.stat().st_size
    plain.unlink()
    print(f"{folder.name}: {uncompressed >> 20} MiB, {size >> 20} MiB packed", file=sys.stderr)
    return {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": f"sha256:{digest}", "size": size}, f"sha256:{diff_id}"


def blob(value, blobs, media_type):
    data = json.dumps(value, sort_keys=True).encode()
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    work = parser.parse_args().work.resolve()
    layout = work / "image"
    if (layout / "index.json").exists():
        print(f"{layout} is there already", file=sys.stderr)
        return
    trees = work / "trees"
    blobs = layout / "blobs/sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    layers, diff_ids, history = [], [], []
    for make, instruction in [(system, "ADD rootfs.tar /"), (python, "RUN pip install"), (node, "RUN npm install"), (jars, "COPY *.jar /opt/java/")]:
        root = trees / make.__name__
        if not (trees / f"{make.__name__}.done").exists():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir(parents=True)
            make(root)
            (trees / f"{make.__name__}.done").touch()
        descriptor, diff_id = layer(root, blobs)
        layers.append(descriptor)
        diff_ids.append(diff_id)
        history.append({"created_by": instruction})
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": blob(config, blobs, "application/vnd.oci.image.config.v1+json"), "layers": layers}
    descriptor = blob(manifest, blobs, manifest["mediaType"])
    descriptor["annotations"] = {"org.opencontainers.image.ref.name": "bench:1"}
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [descriptor]}))


if __name__ == "__main__":
    main()
