import json
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

endpoint, bucket, operation, *args = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
transfer = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)


def put(key, file):
    s3.upload_file(file, bucket, key, Config=transfer, ExtraArgs={"Metadata": {"origin": "boto3"}})
    assert s3.head_object(Bucket=bucket, Key=key)["Metadata"] == {"origin": "boto3"}


def get(key, file):
    s3.download_file(bucket, key, file, Config=transfer)


def list_(prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def copy(source, to):
    s3.copy({"Bucket": bucket, "Key": source}, bucket, to, Config=transfer)


def remove(key):
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})
    assert not answer.get("Errors"), answer


def presign(key):
    return s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})


operations = {"put": put, "get": get, "list": list_, "copy": copy, "remove": remove, "presign": presign}
print(json.dumps(operations[operation](*args)))
