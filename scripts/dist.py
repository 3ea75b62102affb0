#!/usr/bin/env python3
"""Builds what a release offers into dist/: an archive, a .deb, an .rpm, their list of components and SHA-256 sums.

TARGET names another target than that of this machine; a target without glibc gets the archive alone.
Two runs on one commit, with the same compilers, give the same bytes: docs/install.md.
"""

import email.utils
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import licences

MADE = Path("target/packages/made")
STAGE = Path("target/packages")
DIST = Path("dist")
MOST_BYTES = 20_000_000
# The versions whose output is compared with deploy/packages/files by tests.
TOOLS = {"cargo-deb": "3.8.0", "cargo-generate-rpm": "0.21.1"}


def die(text):
    sys.exit(f"dist: {text}")


def say(text):
    print(f"dist: {text}", flush=True)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def git(*arguments):
    try:
        return output("git", *arguments)
    except (OSError, subprocess.CalledProcessError):
        return ""


def version():
    return re.search(r'^version = "(.*)"$', Path("Cargo.toml").read_text(), re.MULTILINE)[1]


def environment(epoch):
    """Nothing of this machine gets into the program: no path, no clock, no locale."""
    env = dict(os.environ, SOURCE_DATE_EPOCH=str(epoch), LC_ALL="C", TZ="UTC")
    cargo = Path(env.get("CARGO_HOME", Path.home() / ".cargo")).resolve()
    here = Path.cwd().resolve()
    sources = sorted((cargo / "registry/src").glob("*"))
    maps = [(folder, "/crates") for folder in sources] + [(cargo, "/cargo"), (here, "/anp")]
    rust = [f"--remap-path-prefix={path}={name}" for path, name in reversed(maps)]
    env["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(rust)
    c = [f"-ffile-prefix-map={path}={name}" for path, name in reversed(maps)]
    env["CFLAGS"] = " ".join([env.get("CFLAGS", ""), *c]).strip()
    return env


def build(target, env):
    # The crates have to be there before their folder can be given another name.
    subprocess.run(["cargo", "fetch", "--locked", "--target", target], check=True)
    env = env | environment(int(env["SOURCE_DATE_EPOCH"]))
    command = ["cargo", "build", "--profile", "dist", "--locked", "--bin", "anp", "--target", target]
    subprocess.run(command, check=True, env=env)
    return Path("target") / target / "dist/anp"


def make(target, program, commit, epoch):
    """The files that the repository does not hold."""
    shutil.rmtree(STAGE, ignore_errors=True)
    MADE.mkdir(parents=True)
    shutil.copy(program, MADE / "anp")
    for shell, name in [("bash", "anp.bash"), ("zsh", "_anp"), ("fish", "anp.fish")]:
        (MADE / name).write_text(output(MADE / "anp", "completions", shell) + "\n")
    (MADE / "changelog.Debian").write_text(debian_changelog(epoch))
    components = licences.Components(target)
    (MADE / "THIRD-PARTY-LICENCES.txt").write_text(licences.licence_texts(components))
    name = f"anp-{version()}-{target}.cdx.json"
    (DIST / name).write_text(licences.bill_of_materials(components, target, commit, epoch))


def debian_changelog(epoch):
    who = re.search(r'^maintainer = "(.*)"$', Path("Cargo.toml").read_text(), re.MULTILINE)[1]
    when = email.utils.formatdate(epoch)
    what = "The changes are in /usr/share/doc/anp/changelog.gz."
    return f"anp ({version()}-1) unstable; urgency=medium\n\n  * {what}\n\n -- {who}  {when}\n"


def listed(package):
    """(mode, path, source) of each file of a package, from deploy/packages/files."""
    for line in Path("deploy/packages/files").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        packages, mode, path, source = line.split()
        if package in packages.split(",") or packages == "all":
            yield int(mode, 8), path, source


def content(path, source):
    source = MADE / source.removeprefix("made/") if source.startswith("made/") else Path(source)
    data = source.read_bytes()
    if path.endswith(".gz"):
        return gzip.compress(data, 9, mtime=0)
    return data


def stage(package, epoch):
    for mode, path, source in listed(package):
        file = STAGE / package / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content(path, source))
        file.chmod(mode)
        os.utime(file, (epoch, epoch))


def archive(target, epoch):
    """For any Linux: unpacked into /usr/local, each file is where its program looks for it."""
    top = f"anp-{version()}-{target}"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        folders = set()
        for mode, path, source in sorted(listed("tar"), key=lambda one: one[1]):
            name = path.replace("/usr", top, 1)
            for folder in reversed(Path(name).parents):
                if str(folder) not in folders | {"."}:
                    folders.add(str(folder))
                    tar.addfile(entry(str(folder), tarfile.DIRTYPE, 0o755, epoch))
            data = content(path, source)
            one = entry(name, tarfile.REGTYPE, mode, epoch)
            one.size = len(data)
            tar.addfile(one, io.BytesIO(data))
    file = DIST / f"{top}.tar.gz"
    file.write_bytes(gzip.compress(buffer.getvalue(), 9, mtime=epoch))
    if file.stat().st_size > MOST_BYTES:
        die(f"{file} has {file.stat().st_size} bytes, more than {MOST_BYTES}")


def entry(name, kind, mode, epoch):
    one = tarfile.TarInfo(name)
    one.type, one.mode, one.mtime = kind, mode, epoch
    one.uname = one.gname = "root"
    return one


def tool(name):
    """The path of a cargo subcommand in the version that the tests know; installs it into target/tools."""
    wanted = TOOLS[name]
    folder = Path("target/tools").resolve()
    for program in [folder / "bin" / name, shutil.which(name)]:
        if program and Path(program).exists() and wanted in tool_version(program, name):
            return str(program)
    say(f"installing {name} {wanted} into target/tools")
    command = ["cargo", "install", "--locked", "--quiet", "--root", str(folder), f"{name}@{wanted}"]
    subprocess.run(command, check=True)
    return str(folder / "bin" / name)


def tool_version(program, name):
    return output(program, name.removeprefix("cargo-"), "--version")


def packages(target, env):
    deb = [tool("cargo-deb"), "deb", "--no-build", "--no-strip", "--target", target]
    subprocess.run([*deb, "--output", f"{DIST}/", "--quiet"], check=True, env=env)
    rpm = [tool("cargo-generate-rpm"), "generate-rpm", "--target", target, "--output", f"{DIST}/"]
    subprocess.run(rpm, check=True, env=env)


def sums(target):
    """Of each target on its own: a release has the files of several machines in one place."""
    lines = []
    for file in sorted(DIST.iterdir()):
        lines.append(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n")
    (DIST / f"anp-{version()}-{target}.sha256").write_text("".join(lines))


def main():
    os.chdir(Path(__file__).parent.parent)
    os.umask(0o022)
    target = os.environ.get("TARGET") or licences.host()
    commit = git("rev-parse", "HEAD") or "unknown"
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct") or 0)
    if not epoch:
        die("no git repository: set SOURCE_DATE_EPOCH to the time of the release, in seconds since 1970")
    if git("status", "--porcelain"):
        say("the sources differ from their commit: nobody else can build the same bytes")
    env = dict(os.environ, SOURCE_DATE_EPOCH=str(epoch))
    say(f"building anp {version()} for {target}, commit {commit}")
    program = build(target, env)
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    make(target, program, commit, epoch)
    archive(target, epoch)
    if target.endswith("-linux-gnu"):
        stage("deb", epoch)
        stage("rpm", epoch)
        packages(target, env)
    sums(target)
    for file in sorted(DIST.iterdir()):
        say(f"{file.stat().st_size:>9} bytes  {file}")


if __name__ == "__main__":
    main()
