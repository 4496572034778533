"""Two machines, which are two folders here, and one S3 server between them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mock_server import COMMAND
from tests.shop import config, write_project
from tests.storage.bucket import SECRET, Bucket, serving

CASES = 80
CONCURRENCY = 4


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with serving() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A mock server in a process of its own, slow enough for segments to go up meanwhile."""
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"*": {"base": "base says so", "candidate": "so says it"}}))
    process = subprocess.Popen(
        [*COMMAND, "--answer-file", str(answers), "--port", "0",
         "--model", "base", "--model", "candidate", "--first-delay", "0.6"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(10)


def counted(url: str) -> int:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/requests-count") as response:
        found: dict[str, Any] = json.load(response)
    return int(found["count"])


def project(folder: Path, url: str, bucket: Bucket) -> Path:
    write_project(folder, url)
    settings = config(url)
    settings["generation"]["concurrency"] = CONCURRENCY
    settings["runs_dir"] = f"{bucket.url}/shop"
    (folder / "harness.yaml").write_text(json.dumps(settings))
    return folder


def start(folder: Path, bucket: Bucket, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, **bucket.environment},
    )  # fmt: skip


def done(folder: Path, bucket: Bucket, *arguments: str) -> tuple[int | None, str, str]:
    process = start(folder, bucket, *arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def put_up(bucket: Bucket) -> dict[str, bytes]:
    """Every object in the bucket."""
    import boto3

    client = boto3.client(
        "s3", endpoint_url=bucket.environment["AWS_ENDPOINT_URL"], aws_access_key_id="somebody",
        aws_secret_access_key=SECRET, region_name="us-east-1",
    )  # fmt: skip
    bucket_name = bucket.url.removeprefix("s3://")
    found = client.list_objects_v2(Bucket=bucket_name).get("Contents", [])
    names = [str(one.get("Key")) for one in found]
    return {name: client.get_object(Bucket=bucket_name, Key=name)["Body"].read() for name in names}


def lines(objects: dict[str, bytes]) -> int:
    return sum(data.count(b"\n") for name, data in objects.items() if "/attempts/" in name)


def test_a_run_killed_on_one_machine_goes_on_on_another_and_a_third_judges_it(
    tmp_path: Path, server: str, bucket: Bucket
) -> None:
    first = project(tmp_path / "a", server, bucket)
    process = start(first, bucket, "run", "base")
    while process.poll() is None and lines(put_up(bucket)) == 0:
        time.sleep(0.05)
    # It stands still, so that a slow machine cannot let it end before the second one has begun.
    process.send_signal(signal.SIGSTOP)

    second = project(tmp_path / "b", server, bucket)
    code, _, err = done(second, bucket, "run", "base")
    assert code == 3
    assert "is writing this run" in err.splitlines()[-1]

    process.send_signal(signal.SIGKILL)
    process.wait(10)
    up, before = lines(put_up(bucket)), counted(server)
    assert 0 < up < CASES, "the kill must have come while the run was under way"
    code, out, err = done(second, bucket, "run", "base")
    assert code == 0, err
    assert f"{CASES} planned, {CASES} scored" in out
    assert counted(server) - before == CASES - up

    assert done(second, bucket, "run", "candidate")[0] == 0
    before = counted(server)
    third = project(tmp_path / "c", server, bucket)
    code, out, err = done(third, bucket, "gate", "--stored", "candidate")
    assert code == 1, err
    assert out.startswith("BLOCK")
    assert counted(server) == before

    objects = put_up(bucket)
    assert not [name for name in objects if "/attempts/" in name or name.endswith("lease.json")]
    everything = [*objects.values(), *(f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())]
    assert not [data for data in everything if SECRET.encode() in data]
    assert SECRET not in out + err


def test_without_credentials_nothing_is_asked(tmp_path: Path, server: str, bucket: Bucket) -> None:
    folder = project(tmp_path / "a", server, bucket)
    keyless = Bucket(
        bucket.url,
        {
            "AWS_ENDPOINT_URL": bucket.environment["AWS_ENDPOINT_URL"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(tmp_path),
        },
    )
    code, _, err = done(folder, keyless, "run", "base")
    assert code == 3
    (line,) = err.splitlines()
    assert line.startswith(f"error: {bucket.url}/shop: no credentials for it")
    assert counted(server) == 0
