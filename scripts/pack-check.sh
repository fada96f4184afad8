#!/usr/bin/env bash
# pack-check.sh FOLDER: packs every package, installs the archives into an empty project in FOLDER and runs the embedding
# example there, as somebody would who got the packages from a registry.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
folder="${1:?usage: pack-check.sh FOLDER}"
rm -rf "$folder"
mkdir -p "$folder/archives" "$folder/project"
cd "$root"
npm pack --silent --workspaces --pack-destination "$folder/archives" > /dev/null
ls "$folder/archives"
cd "$folder/project"
printf '{ "name": "embedding", "private": true, "type": "module" }\n' > package.json
# The archives depend on one another by version; overrides name the files, so that no registry is asked for them.
node - "$folder/archives" << 'JS'
const { readdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const folder = process.argv[2];
const dependencies = {};
for (const file of readdirSync(folder)) dependencies[`@sotto/${/^sotto-([a-z]+)-/.exec(file)[1]}`] = `file:${join(folder, file)}`;
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
writeFileSync('package.json', JSON.stringify({ ...manifest, dependencies, overrides: dependencies, allowScripts: { 'onnxruntime-node': false, protobufjs: false } }, null, 2));
JS
ONNXRUNTIME_NODE_INSTALL=skip npm install --no-audit --no-fund --loglevel=error
mkdir examples
cp -r "$root/examples/heart-disease" "$root/examples/data" examples/
rm -rf examples/heart-disease/.sotto
# The project's own sotto, and the Node 24 that a user would have installed.
mkdir bin
ln -s "$root/node_modules/node/bin/node" bin/node
export PATH="$PWD/node_modules/.bin:$PWD/bin:$PATH"
sotto --version
bash examples/heart-disease/run.sh
