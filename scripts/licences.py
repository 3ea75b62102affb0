"""What anp is made of: the licence texts of all dependencies, and a list of components (SBOM).

Both are made from `cargo metadata` and the sources of the crates, so they need no further tool.
Only crates that are linked into the program count: no build scripts, no tests.
"""

import datetime
import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

LICENCE_FILE = re.compile(r"^(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)", re.IGNORECASE)
# Folders of C sources that a crate brings along, each with a licence of its own.
BUNDLED = ["zstd", "third_party/fiat", "c"]


class Components:
    """The crates of one target, sorted by name."""

    def __init__(self, target):
        command = ["cargo", "metadata", "--locked", "--format-version", "1"]
        command += ["--filter-platform", target]
        metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        self.packages = {package["id"]: package for package in metadata["packages"]}
        self.root = self.packages[metadata["resolve"]["root"]]
        self.uses = {}
        nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
        waiting = [self.root["id"]]
        while waiting:
            package = waiting.pop()
            if package in self.uses:
                continue
            self.uses[package] = sorted(
                dependency["pkg"]
                for dependency in nodes[package]["deps"]
                if any(kind["kind"] is None for kind in dependency["dep_kinds"])
            )
            waiting += self.uses[package]
        others = [self.packages[key] for key in self.uses if key != self.root["id"]]
        self.others = sorted(others, key=lambda one: (one["name"], one["version"]))


def licence_files(package):
    folder = Path(package["manifest_path"]).parent
    found = [path for path in folder.iterdir() if LICENCE_FILE.match(path.name)]
    for bundled in BUNDLED:
        if (folder / bundled).is_dir():
            found += [path for path in (folder / bundled).iterdir() if LICENCE_FILE.match(path.name)]
    return sorted(path for path in found if path.is_file())


def licence_texts(components):
    """One text: the crates with their licences, then each text once, with the crates it is of."""
    texts = {}
    without = []
    for package in components.others:
        name = f"{package['name']} {package['version']}"
        files = licence_files(package)
        if not files:
            without.append(f"{name}: {package['license']}, {', '.join(package['authors']) or package['repository']}")
        for path in files:
            text = path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip()
            # Texts differ in how they are wrapped.
            texts.setdefault(" ".join(text.split()), (text, []))[1].append(name)
    lines = ["anp contains these crates, and the standard library of Rust (MIT OR Apache-2.0).", ""]
    lines += [f"{one['name']} {one['version']}: {one['license']}" for one in components.others]
    lines += ["", "These crates bring no file with their licence. Its text is below, with another crate:", ""]
    lines += without
    for text, names in sorted(texts.values(), key=lambda found: (found[1], found[0])):
        lines += ["", "=" * 80, *sorted(set(names)), "-" * 80, text]
    return "\n".join(lines) + "\n"


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def checksums():
    """(name, version) → SHA-256 of the crate, from Cargo.lock."""
    found = {}
    for block in Path("Cargo.lock").read_text().split("[[package]]"):
        fields = dict(re.findall(r'^(name|version|checksum) = "(.*)"$', block, re.MULTILINE))
        if "checksum" in fields:
            found[fields["name"], fields["version"]] = fields["checksum"]
    return found


def component(package, kind, hashes):
    one = {
        "type": kind,
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "licenses": [{"expression": package["license"].replace("/", " OR ")}],
        "purl": purl(package),
    }
    if checksum := hashes.get((package["name"], package["version"])):
        one["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        one["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return one


def bill_of_materials(components, target, commit, epoch):
    """CycloneDX 1.5."""
    hashes = checksums()
    root = component(components.root, "application", hashes)
    root["properties"] = [
        {"name": "anp:commit", "value": commit},
        {"name": "anp:target", "value": target},
    ]
    time = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{purl(components.root)}#{commit}/{target}')}",
        "version": 1,
        "metadata": {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": root},
        "components": [component(one, "library", hashes) for one in components.others],
        "dependencies": sorted(
            (
                {
                    "ref": purl(components.packages[package]),
                    "dependsOn": sorted(purl(components.packages[used]) for used in uses),
                }
                for package, uses in components.uses.items()
            ),
            key=lambda one: one["ref"],
        ),
    }
    return json.dumps(bill, indent=1) + "\n"


def host():
    shown = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return re.search(r"^host: (.*)$", shown, re.MULTILINE)[1]


if __name__ == "__main__":
    sys.stdout.write(licence_texts(Components(host())))
