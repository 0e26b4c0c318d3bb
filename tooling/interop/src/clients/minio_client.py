import json
import os
import sys
from urllib.parse import urlsplit

from minio import Minio
from minio.commonconfig import CopySource

endpoint, bucket, operation, *args = sys.argv[1:]
s3 = Minio(
    endpoint=urlsplit(endpoint).netloc,
    access_key=os.environ["AWS_ACCESS_KEY_ID"],
    secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    secure=False,
)


def put(key, file):
    s3.fput_object(bucket_name=bucket, object_name=key, file_path=file, part_size=5 << 20)


def get(key, file):
    s3.fget_object(bucket_name=bucket, object_name=key, file_path=file)


def list_(prefix):
    return [entry.object_name for entry in s3.list_objects(bucket_name=bucket, prefix=prefix, recursive=True)]


def copy(source, to):
    s3.copy_object(bucket_name=bucket, object_name=to, source=CopySource(bucket_name=bucket, object_name=source))


def remove(key):
    s3.remove_object(bucket_name=bucket, object_name=key)


def presign(key):
    return s3.presigned_get_object(bucket_name=bucket, object_name=key)


operations = {"put": put, "get": get, "list": list_, "copy": copy, "remove": remove, "presign": presign}
print(json.dumps(operations[operation](*args)))
