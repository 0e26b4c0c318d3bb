"""Prints what boto3 reads from a bucket, as JSON: SHA-256, content type and metadata by key."""

import hashlib
import json
import sys

import boto3
from botocore.config import Config

endpoint, region, bucket = sys.argv[1:4]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name=region, config=Config(s3={"addressing_style": "path"}))
found = {}
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
    for entry in page.get("Contents", []):
        answer = s3.get_object(Bucket=bucket, Key=entry["Key"])
        digest = hashlib.sha256()
        for chunk in answer["Body"].iter_chunks(1 << 20):
            digest.update(chunk)
        found[entry["Key"]] = {
            "sha256": digest.hexdigest(),
            "type": answer.get("ContentType"),
            "metadata": answer["Metadata"],
        }
uploads = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
print(json.dumps({"objects": found, "uploads": len(uploads)}))
