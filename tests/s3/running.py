"""Starts the S3 store of tests, or uses the one that the environment names, and looks into its bucket."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from gateway.file_settings import S3Settings
from tests.s3.server import ACCESS_KEY, BUCKET, SECRET_KEY

END_S = 10
ROOT = Path(__file__).parents[2]


@dataclass
class RunningS3:
    """A store with a bucket."""

    url: str
    bucket: str
    access_key: str
    secret_key: str
    # None if it isn't ours.
    process: subprocess.Popen[str] | None = None

    def settings(self, **changes: Any) -> S3Settings:
        """Returns a gateway's settings for this store."""
        given = {"url": self.url, "public_url": self.url, "bucket": self.bucket, "region": "us-east-1"}
        keys = {"access_key": self.access_key, "secret_key": self.secret_key}
        return S3Settings(**{**given, **keys, **changes})

    def variables(self) -> dict[str, str]:
        """Returns a gateway's environment for this store."""
        prefix = "MESSENGER_FILES_S3_"
        return {
            f"{prefix}URL": self.url,
            f"{prefix}BUCKET": self.bucket,
            f"{prefix}ACCESS_KEY": self.access_key,
            f"{prefix}SECRET_KEY": self.secret_key,
        }

    def client(self) -> Any:
        """Returns a client for tests to look into the bucket."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def all_keys(self) -> list[str]:
        """Returns the keys of all objects, and of all uploads under way with `…` behind them."""
        client = self.client()
        objects = client.list_objects_v2(Bucket=self.bucket).get("Contents", ())
        uploads = client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", ())
        return [item["Key"] for item in objects] + [f"{item['Key']}…" for item in uploads]

    @classmethod
    def start(cls, port: int = 0) -> RunningS3:
        """Starts a store with an empty bucket."""
        argv = [sys.executable, "-P", "-m", "tests.s3.server", str(port)]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env)
        assert process.stdout is not None
        with process.stdout as printed:
            url = f"http://127.0.0.1:{int(printed.readline())}"
        store = cls(url, BUCKET, ACCESS_KEY, SECRET_KEY, process)
        store.client().create_bucket(Bucket=BUCKET)
        return store

    def end(self) -> None:
        """Ends the store, which keeps nothing."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(END_S)

    def start_again(self) -> None:
        """Starts an empty store at the same address."""
        self.process = self.start(int(self.url.rpartition(":")[2])).process


@contextmanager
def running_s3() -> Iterator[RunningS3]:
    """Yields a store of its own with an empty bucket.

    MESSENGER_TEST_S3="URL BUCKET ACCESS_KEY SECRET_KEY" names another one, whose bucket may have objects.
    """
    if named := os.environ.get("MESSENGER_TEST_S3"):
        yield RunningS3(*named.split())
        return
    store = RunningS3.start()
    try:
        yield store
    finally:
        store.end()
