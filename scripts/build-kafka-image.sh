#!/usr/bin/env bash
# Builds a Kafka image that the container tests can use where no image hub is reachable: Debian's minimal system with a
# Java runtime, and the jars that Maven resolves, at the path the official image has them (/opt/kafka/libs).
#
#   scripts/build-kafka-image.sh [VERSION] [NAME]     (as root, with debootstrap and a Docker engine; takes about a minute)
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-4.4.0}
name=${2:-kafkawire/kafka:$version}
if docker image inspect "$name" >/dev/null 2>&1; then
  echo "$name exists"
  exit 0
fi

jars=$(npx tsx -e "import('./test/java/jars.ts').then(async jars => console.log(await jars.kafkaJars('$version')))")
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

java=openjdk-17-jre-headless
[ "$codename" = trixie ] && java=openjdk-21-jre-headless
debootstrap --variant=minbase --include="$java" "$codename" "$root" "$mirror" >"$root.log" 2>&1 ||
  { tail -n 20 "$root.log" >&2; rm -f "$root.log"; exit 1; }
rm -f "$root.log"
mkdir -p "$root/opt/kafka/libs"
cp "$jars"/*.jar "$root/opt/kafka/libs/"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
tar c -C "$root" . | docker import - "$name" >/dev/null
echo "$name built"
