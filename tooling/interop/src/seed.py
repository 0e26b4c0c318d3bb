"""Puts and deletes objects with boto3: seed.py ENDPOINT REGION BUCKET PLAN, keys in the environment.

PLAN is a JSON file: {"create": bool, "put": [{"key": ..., "file": ...}], "delete": [...], "large": {"key", "file"}}.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

endpoint, region, bucket, plan = sys.argv[1:]
with open(plan, encoding="utf-8") as file:
    plan = json.load(file)
s3 = boto3.client(
    "s3",
    endpoint_url=endpoint,
    region_name=region,
    config=Config(
        s3={"addressing_style": "path"},
        # Older servers know no trailing checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    ),
)
if plan.get("create"):
    s3.create_bucket(Bucket=bucket)


def put(entry):
    with open(entry["file"], "rb") as body:
        s3.put_object(Bucket=bucket, Key=entry["key"], Body=body.read())


with ThreadPoolExecutor(8) as pool:
    list(pool.map(put, plan.get("put", [])))
for key in plan.get("delete", []):
    s3.delete_object(Bucket=bucket, Key=key)
if "large" in plan:
    config = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20)
    s3.upload_file(plan["large"]["file"], bucket, plan["large"]["key"], Config=config)
