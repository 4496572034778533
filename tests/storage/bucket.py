"""A real S3 server on loopback, with one bucket."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

SECRET = "a-secret-that-nobody-may-see"


@dataclass(frozen=True)
class Bucket:
    """Its URL, and the environment in which it is reached."""

    url: str
    environment: Mapping[str, str]


@contextmanager
def serving() -> Iterator[Bucket]:
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        environment = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        session = boto3.Session("somebody", SECRET, region_name="us-east-1")
        client = session.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"])
        name = f"runs-{uuid4().hex}"  # all servers of one process share what they hold
        client.create_bucket(Bucket=name)
        yield Bucket(f"s3://{name}", environment)
    finally:
        server.stop()
