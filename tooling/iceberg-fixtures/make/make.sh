#!/usr/bin/env bash
# Makes the fixture tables anew: Spark with the Iceberg runtime, PyIceberg. Needs Java 17, Maven and Python 3.11.
#   make/make.sh /tmp/iceberg-fixtures
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${1:?folder for the tools}
iceberg=1.11.0
mkdir -p "$work/classes"
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q 'pyiceberg[pyarrow,sql-sqlite,pyiceberg-core]==0.12.0' pyspark==3.5.6 setuptools
mvn -q dependency:copy -Dartifact=org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:$iceberg -DoutputDirectory="$work"
jars=$(echo "$work"/venv/lib/python3*/site-packages/pyspark/jars)
export ICEBERG_JAR="$work/iceberg-spark-runtime-3.5_2.12-$iceberg.jar"
javac -cp "$jars/*:$ICEBERG_JAR" -d "$work/classes" "$here"/*.java
export FIXTURE_CLASSES="$work/classes"
export FIXTURE_ROOT="$work/root" FIXTURE_EXPECTED="$here/../expected"
rm -rf "$FIXTURE_ROOT" "$FIXTURE_EXPECTED" "$here/../objects"
mkdir -p "$FIXTURE_ROOT/fixtures"
(cd "$here" && "$work/venv/bin/python" spark_tables.py && "$work/venv/bin/python" pyiceberg_tables.py)
(cd "$here" && "$work/venv/bin/python" collect.py "$here/../objects")
