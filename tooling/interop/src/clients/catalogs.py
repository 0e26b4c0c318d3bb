"""Reads one table by every catalog of the embedded AWS, with PyIceberg and boto3. Prints a JSON object of what came."""

import json
import os
import sys

import boto3
from pyiceberg.catalog import load_catalog

endpoint, region, bucket_arn = sys.argv[1:4]
key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
files = {
    "s3.endpoint": endpoint,
    "s3.access-key-id": key,
    "s3.secret-access-key": secret,
    "s3.region": region,
}


def signed(service):
    return {
        "type": "rest",
        "rest.sigv4-enabled": "true",
        "rest.signing-name": service,
        "rest.signing-region": region,
        "client.access-key-id": key,
        "client.secret-access-key": secret,
        "client.region": region,
        "uri": endpoint + "/iceberg",
    }


def look(catalog):
    namespaces = [".".join(name) for name in catalog.list_namespaces()]
    (table,) = catalog.list_tables(namespaces[0])
    return {"namespaces": namespaces, "rows": catalog.load_table(table).scan().to_arrow().to_pylist()}


glue = boto3.client("glue", endpoint_url=endpoint, region_name=region)
oauth = {"type": "rest", "uri": endpoint + "/_iceberg", "credential": "me:hush-hush", "scope": "catalog"}
found = {
    "glue-rest": look(load_catalog("a", warehouse="111122223333", **signed("glue"), **files)),
    "s3-tables": look(load_catalog("b", warehouse=bucket_arn, **signed("s3tables"), **files)),
    "glue-api": look(
        load_catalog(
            "c",
            type="glue",
            **{
                "glue.endpoint": endpoint,
                "glue.region": region,
                "glue.access-key-id": key,
                "glue.secret-access-key": secret,
            },
            **files,
        )
    ),
    "rest": look(load_catalog("d", **oauth, **files)),
    "boto3": [table["Name"] for table in glue.get_tables(DatabaseName="sales")["TableList"]],
}
print(json.dumps(found))
