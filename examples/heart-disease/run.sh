#!/usr/bin/env bash
# The parties of the example as services on one machine: an authority, a coordinator, three hospitals run by
# "sotto client", and Cleveland, which embeds the client in client.ts. Needs sotto and Node 24 on the PATH.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf .sotto && mkdir .sotto
trap 'kill $(jobs -p) 2> /dev/null || true' EXIT

sotto authority --config authority.yaml > .sotto/authority.log &
until test -s .sotto/tokens/va.token; do sleep 0.2; done # in life, a person hands each party its token

sotto coordinator --config coordinator.yaml > .sotto/coordinator.log &
coordinator=$!
sotto client --config hungary.yaml > .sotto/hungary.log &
sotto client --config switzerland.yaml > .sotto/switzerland.log &
sotto client --config va.yaml > .sotto/va.log &
node client.ts cleveland.yaml > .sotto/cleveland.log &

wait "$coordinator" # ends when the run is exported
tail -n 1 .sotto/cleveland.log
sotto verify .sotto/export --trust .sotto/trust.json
