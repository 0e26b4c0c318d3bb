"""Copies what readers of the tables need into objects/: no checksums, no metadata of former versions."""

import json
import pathlib
import shutil
import sys

import common

target = pathlib.Path(sys.argv[1])
for expected in sorted(common.EXPECTED.glob("*.ndjson")):
    head = json.loads(expected.read_text(encoding="utf-8").split("\n", 1)[0])
    keep = common.local(head["metadata"])
    folder = common.local(f"{common.LOCATION}/{head['table']}")
    for path in folder.rglob("*"):
        superseded = path.name.endswith(".metadata.json") and path != keep
        hidden = path.name.startswith((".", "_")) or path.name == "version-hint.text"
        if path.is_file() and not superseded and not hidden:
            destination = target / path.relative_to(common.ROOT / "fixtures")
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, destination)
