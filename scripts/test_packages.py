#!/usr/bin/env python3
"""Uses the packages of dist/ on a machine that they have to themselves: a scratch Debian below
target/scratch. Needs root, debootstrap, rpm and the network of Debian's packages. `make test-packages` runs it.

Contents against deploy/packages/files; install; the nightly job by the unit's ExecStart line and by cron's line;
the runbook, command by command; upgrade with changed settings; removal; purge; owners that are wrong before the
installation; a purge of what is linked or mounted; then the .rpm, whose scripts run too.
"""

import gzip
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dist

BASE = Path("target/scratch/bookworm.tar")
SUITE = "bookworm"
DOC = "/usr/share/doc/anp"
# systemd and a shell read it differently unless it is quoted.
PASSWORD = r"""p$a"s\s#w;d"""
JOB = ["setpriv", "--reuid=anp", "--regid=anp", "--clear-groups"]


def say(text):
    print(f"packages: {text}", flush=True)


def fail(text):
    sys.exit(f"packages: FAILED: {text}")


def check(holds, text):
    if not holds:
        fail(text)


class Root:
    """A scratch Debian, as root sees it from outside."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def path(self, path):
        return self.folder / path.lstrip("/")

    def run(self, command, code=0, user=None, env=None, cwd="/"):
        """Runs a shell command inside; returns what a terminal would show."""
        words = ["chroot", str(self.folder), "env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"]
        words += ["DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", *(env or [])]
        if user == "anp":
            words += ["HOME=/var/lib/anp", *JOB]
        elif user:
            words += [f"HOME=/home/{user}", "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        script = f"exec 2>&1; cd {cwd} || exit 99\n{command}"
        done = subprocess.run([*words, "/bin/sh", "-c", script], stdin=subprocess.DEVNULL, capture_output=True)
        shown = done.stdout.decode("utf-8", "replace")
        if code is not None and done.returncode != code:
            fail(f"exit {done.returncode}, not {code}: {command}\n{shown}{done.stderr.decode()}")
        return shown

    def stat(self, path):
        return self.run(f"stat -c '%a %U:%G' {path}").strip()

    def has(self, path, stat):
        found = self.stat(path)
        check(found == stat, f"{path} is {found}, not {stat}")

    def lacks(self, path):
        check(not os.path.lexists(self.path(path)), f"{path} is still there")

    def write(self, path, text):
        """Keeps owner and mode of a file that is there."""
        with open(self.path(path), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, path):
        return self.path(path).read_text(encoding="utf-8")


def make_root(folder):
    folder.mkdir()
    if not BASE.exists():
        BASE.parent.mkdir(parents=True, exist_ok=True)
        say(f"fetching Debian {SUITE} (once, about a minute)")
        subprocess.run(["debootstrap", "--variant=minbase", SUITE, str(folder)], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["tar", "-C", str(folder), "-cf", str(BASE), "."], check=True)
    else:
        subprocess.run(["tar", "-C", str(folder), "-xf", str(BASE)], check=True)
    root = Root(folder)
    # The machine's way to Debian's packages.
    for path in ["/etc/resolv.conf", "/etc/hosts"]:
        shutil.copy(path, root.path(path))
    for path in Path("/etc/apt").glob("*.conf.d/*"):
        if not path.name.startswith("docker"):
            shutil.copy(path, root.path(str(path)))
    authorities = "/etc/ssl/certs/ca-certificates.crt"
    root.path(authorities).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(authorities, root.path(authorities))
    # Services are installed, not started: there is no init.
    root.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
    root.path("/usr/sbin/policy-rc.d").chmod(0o755)
    for device, number in [("null", (1, 3)), ("urandom", (1, 9))]:
        if not root.path(f"/dev/{device}").exists():
            os.mknod(root.path(f"/dev/{device}"), 0o666 | 0o020000, os.makedev(*number))
    return root


def file_of(ending):
    found = list(Path("dist").glob(f"*{ending}"))
    check(len(found) == 1, f"dist/ has {len(found)} files *{ending}: run make dist first")
    return found[0]


def compare(package, found):
    wanted = {path: mode for mode, path, _ in dist.listed(package)}
    differ = [f"{path}: {found.get(path)}, not {wanted.get(path)}" for path in sorted({*wanted, *found})
              if found.get(path) != wanted.get(path)]
    check(not differ, f"the .{package} differs from deploy/packages/files:\n" + "\n".join(differ))
    say(f"{package}: its {len(found)} files are those of the list, with their modes")


def contents(deb, rpm):
    found = {}
    for line in dist.output("dpkg-deb", "--contents", deb).splitlines():
        mode, owner, _, _, _, path = line.split(None, 5)
        check(owner in ["root/root", "0/0"], line)
        if mode[0] == "-":
            found[path.removeprefix(".")] = octal(mode)
    compare("deb", found)
    found = {}
    lines = dist.output("rpm", "-qp", "--qf", r"[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\n]", rpm)
    for line in lines.splitlines():
        mode, owner, path = line.split(None, 2)
        check(owner == ("root:anp" if path.startswith("/etc/anp/") else "root:root"), line)
        if mode[0] == "-":
            found[path] = octal(mode)
    compare("rpm", found)
    conffiles = dist.output("dpkg-deb", "-I", deb, "conffiles")
    check(conffiles.split() == ["/etc/anp/anp.env", "/etc/anp/anp.yaml"], f"conffiles: {conffiles}")


def octal(mode):
    return int("".join("01"[letter != "-"] for letter in mode[1:10]), 2)


def upgrade_of(deb, folder):
    """The same package with the next version and another anp.env, as a later release has it."""
    tree = Path(folder) / "tree"
    subprocess.run(["dpkg-deb", "-R", str(deb), str(tree)], check=True)
    control = tree / "DEBIAN/control"
    text, times = re.subn(r"(?m)^Version: .*$", "Version: 99.0.0-1", control.read_text())
    check(times == 1, "no version in the control file")
    control.write_text(text)
    env = tree / "etc/anp/anp.env"
    env.write_text(env.read_text() + "# A later release.\n")
    later = Path(folder) / "later.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(tree), str(later)], check=True, stdout=subprocess.DEVNULL)
    return later


def install(root, deb):
    root.run("apt-get update -qq")
    shutil.copy(deb, root.path("/tmp/anp.deb"))
    root.run("apt-get install -y -qq /tmp/anp.deb")
    check("redis-server" in root.run("dpkg-query -f '${Package}\n' -W"), "redis-server was not recommended")
    root.has("/var/lib/anp", "750 anp:anp")
    root.has("/etc/anp", "750 root:anp")
    for file in ["anp.yaml", "anp.env"]:
        root.has(f"/etc/anp/{file}", "640 root:anp")
    account = root.run("getent passwd anp").strip().split(":")
    check(account[5:] == ["/var/lib/anp", "/usr/sbin/nologin"], str(account))
    enabled = root.run("find /etc -path '*anp*' ! -path '/etc/anp*' ! -name 'passwd*'").split()
    check(not enabled, f"something is enabled: {enabled}")
    version = root.run("anp --version")
    check("\ntarget    " in version and "\ncommit    " in version and "\nfeatures  " in version, version)
    libc = root.run("ldd --version").splitlines()[0]
    say(f"installed; starts with {libc}")


def libraries(root):
    """Size and libraries are in docs/install.md."""
    names = re.findall(r"^\s+(\S+\.so\S*)", root.run("ldd /usr/bin/anp"), re.MULTILINE)
    # The kernel brings the other one.
    names = sorted(Path(name).name for name in names if not name.startswith("linux-vdso"))
    symbols = subprocess.run(["objdump", "-T", root.path("/usr/bin/anp")], capture_output=True, text=True, check=True)
    versions = {tuple(map(int, found.split("."))) for found in re.findall(r"GLIBC_([0-9.]+)", symbols.stdout)}
    newest = ".".join(map(str, max(versions)))
    size = root.path("/usr/bin/anp").stat().st_size / 1e6
    say(f"{size:.1f} MB, libraries {' '.join(names)}, needs glibc {newest}")
    page = Path("docs/install.md").read_text()
    row = re.search(r"\| x86_64-unknown-linux-gnu \| (\d+) MB \| (.*?) \| (.*?) \|", page)
    if "x86_64" in os.uname().machine:
        check(row, "docs/install.md has no row of this target")
        check(abs(int(row[1]) - size) <= 2, f"docs/install.md says {row[1]} MB")
        check(sorted(row[2].replace("`", "").split(", ")) == names, f"docs/install.md says {row[2]}")
        check(row[3] == newest, f"docs/install.md says glibc {row[3]}")


class Server:
    """redis-server inside, with the user that the settings name."""

    def __init__(self, root):
        self.root = root
        command = ["redis-server", "--port", "0", "--unixsocket", "/run/redis.sock", "--unixsocketperm", "777"]
        command += ["--save", "", "--dir", "/tmp"]
        self.process = subprocess.Popen(["chroot", str(root.folder), *command], stdout=subprocess.DEVNULL)
        for _ in range(100):
            if "PONG" in root.run("redis-cli -s /run/redis.sock PING", code=None):
                break
            time.sleep(0.1)
        acl = re.search(r"```acl\n(.*)\n```", Path("docs/operations.md").read_text())[1]
        words = acl.replace("PASSWORD", PASSWORD).split()
        shown = root.run(f"redis-cli -s /run/redis.sock {shlex.join(words)}")
        check(shown == "OK\n", f"redis-server: {shown}")

    def keys(self):
        return int(self.root.run("redis-cli -s /run/redis.sock DBSIZE").split()[-1])

    def stop(self):
        self.process.terminate()
        self.process.wait()


def configure(root):
    """As deploy/README.md says."""
    settings = root.read("/etc/anp/anp.yaml")
    changed = settings.replace("redis://anp@cache.example.org:6379/0", "redis+unix:///run/redis.sock?user=anp")
    check(changed != settings, "anp.yaml names another server")
    root.write("/etc/anp/anp.yaml", changed)
    env = root.read("/etc/anp/anp.env")
    check("ANP_REDIS_PASSWORD=''" in env, env)
    root.write("/etc/anp/anp.env", env.replace("ANP_REDIS_PASSWORD=''", f"ANP_REDIS_PASSWORD='{PASSWORD}'"))
    root.run(f"rm -rf /srv/archive && mkdir /srv/archive && cp -r {DOC}/content /srv/archive/content && chown -R anp:anp /srv/archive/content")


def start_service(root):
    """What systemd does with the unit: its user, umask, environment and command, in /."""
    unit = root.read("/usr/lib/systemd/system/anp-import.service")
    service = dict(re.findall(r"(?m)^(\w+)=(.*)$", unit.split("[Service]")[1]))
    check(service["User"] == "anp" and "WorkingDirectory" not in service, "another user or folder")
    check(service["StateDirectory"] == "anp", "another state folder")
    env = re.findall(r"(?m)^(\w+)='(.*)'$", root.read(service["EnvironmentFile"]))
    command = shlex.join(shlex.split(service["ExecStart"]))
    return root.run(f"umask {service['UMask']}; {command}", user="anp", env=[f"{name}={value}" for name, value in env])


def run_cron(root):
    line = root.read(f"{DOC}/deploy/cron.d/anp").splitlines()[-1].split(None, 6)
    check(line[5] == "anp", "another user")
    return root.run(line[6], user="anp", cwd="/var/lib/anp")


def runs(root, user="anp"):
    listed = root.run("anp runs --all --config /etc/anp/anp.yaml", user=user)
    return re.findall(r"(?m)^\S*\d{8}T\S*", listed)


def as_operator(root):
    root.run("useradd --create-home pat")
    shown = root.run("anp runs", user="pat", cwd="/home/pat")
    check("--config /etc/anp/anp.yaml (sudo -u anp anp" in shown, shown)
    shown = root.run("anp runs --config /etc/anp/anp.yaml", user="pat", code=78)
    check("as a user who may read it (sudo -u anp anp" in shown, shown)
    shown = root.run("anp runs --state-dir /var/lib/anp", user="pat", code=74)
    check("(sudo -u anp anp" in shown, shown)
    say("another user is told: sudo -u anp anp …")


# What differs from run to run, as the runbook and a terminal show it.
CHANGING = {
    "…": ".*",
    r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{4}": None,
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ": None,
    r"redis\+unix:\S+": r"redis\+unix:\S+",
}


def pattern(line):
    """What a line of the runbook stands for."""
    parts = re.split("(" + "|".join(CHANGING) + ")", line)
    changing = {part: kind for part in parts for kind in CHANGING if re.fullmatch(kind, part)}
    wanted = [CHANGING[changing[part]] or changing[part] if part in changing else re.escape(part) for part in parts]
    return re.compile("".join(wanted))


def follow_runbook(root, server):
    page = root.read(f"{DOC}/RUNBOOK.md")
    blocks = re.findall(r"(?ms)^```(\w+)\n(.*?)^```", page)
    prelude = blocks[0][1]
    check(blocks[0][0] == "sh" and prelude.startswith("runuser -u anp -- sh\n"), "the first block opens a shell")
    prelude = prelude.split("\n", 1)[1]
    commands = 0
    for section in page.split("\n## ")[1:]:
        set_the_scene(root, server, section.split("\n")[0], prelude)
        for language, block in re.findall(r"(?ms)^```(\w+)\n(.*?)^```", section):
            check(language == "console", f"a block of {language}")
            for told in block.split("\n$ "):
                command, *expected = told.removeprefix("$ ").rstrip("\n").split("\n")
                shown = root.run(f"{prelude}{command}", user="anp").splitlines()
                commands += 1
                position = 0
                for line in expected:
                    if line.strip() == "…":
                        continue
                    wanted = pattern(line)
                    found = [at for at in range(position, len(shown)) if wanted.fullmatch(shown[at])]
                    check(found, f"$ {command}\nnot printed: {line}\n--- printed:\n" + "\n".join(shown))
                    position = found[0] + 1
    check(commands >= 10, f"only {commands} commands in the runbook")
    say(f"the {commands} commands of the runbook do what it shows")


def set_the_scene(root, server, section, prelude):
    def typed(command):
        root.run(prelude + command, user="anp")

    if section == "Roll back":
        typed("anp purge --all --yes --quiet && anp import --quiet")
    elif section == "Take one article down":
        typed("anp import --quiet")
        source = "/srv/archive/content/redis-caching/cache-stampede.md"
        root.write(source, root.read(source).replace("---\n", "---\nwithdrawn: true\n", 1))
    elif section == "Re-warm":
        typed("anp purge --glob '/http/**' --quiet")
    elif section == "Break a lock":
        lease = ('{"token":"00ff","run":"20261124T031700.000Z-00ff","owner":"archive desk","host":"cache-7",'
                 '"pid":4711,"state_dir":"/var/lib/anp"}')
        root.run(f"redis-cli -s /run/redis.sock SET anp:lock {shlex.quote(lease)} PX 25000")


def upgrade(root, later):
    shutil.copy(later, root.path("/tmp/later.deb"))
    before = {path: (root.read(path), root.stat(path)) for path in ["/etc/anp/anp.yaml", "/etc/anp/anp.env"]}
    count = len(runs(root))
    root.run("dpkg --force-confold -i /tmp/later.deb")
    check("99.0.0" in root.run("dpkg-query -W anp"), "the version is the old one")
    for path, (text, stat) in before.items():
        check(root.read(path) == text, f"the upgrade changed {path}")
        root.has(path, stat)
    check("# A later release." in root.read("/etc/anp/anp.env.dpkg-dist"), "the new anp.env is not beside it")
    root.has("/var/lib/anp", "750 anp:anp")
    check(len(runs(root)) == count > 5, "the upgrade lost runs")
    start_service(root)
    say(f"the upgrade kept settings and {count} runs")


def remove_and_purge(root):
    shown = root.run("apt-get remove -y -qq anp")
    check("kept: the settings in /etc/anp, the manifests in /var/lib/anp" in shown, shown)
    for path in ["/usr/bin/anp", "/usr/lib/systemd/system/anp-import.service", DOC]:
        root.lacks(path)
    manifests = list(root.path("/var/lib/anp/runs").glob("*.jsonl.zst"))
    check(manifests, "the removal took the manifests")
    root.has("/etc/anp/anp.env", "640 root:anp")
    # Installed again, it goes on as before.
    root.run("apt-get install -y -qq -o Dpkg::Options::=--force-confold /tmp/anp.deb")
    start_service(root)
    check("removed: the state folder /var/lib/anp with " in (shown := root.run("apt-get purge -y -qq anp")), shown)
    check("kept: the articles" in shown, shown)
    root.run("rm -f /etc/anp/*.dpkg-dist && rmdir /etc/anp 2>/dev/null || true")
    for path in ["/var/lib/anp", "/etc/anp", "/usr/bin/anp"]:
        root.lacks(path)
    check(root.path("/srv/archive/content").is_dir(), "the purge took the articles")
    root.run("deluser anp")
    say("a removal keeps settings and state, a purge removes both and says so")


DPKG = "dpkg --force-confold --force-depends"


def owners(root):
    """Each installation mends who may read settings and state, and gives no folder of a stranger to anyone."""
    # The user was removed and made again, with other numbers; another user has its old ones.
    root.run("groupadd --gid 700 old && useradd --uid 700 --gid 700 old && groupadd --gid 701 anp")
    root.run("useradd --uid 701 --gid users --home-dir /var/lib/anp anp")
    root.run("install -d -o old -g old -m 0750 /var/lib/anp /var/lib/anp/runs && touch /var/lib/anp/runs/a")
    root.run("install -d -o root -g old -m 0755 /etc/anp && echo a >/etc/anp/more.yaml && chown root:old /etc/anp/more.yaml")
    shown = root.run(f"{DPKG} -i /tmp/anp.deb")
    check("/var/lib/anp belongs to the user old (700), not to anp" in shown, shown)
    check("chown -R anp:anp /var/lib/anp/" in shown, shown)
    root.has("/var/lib/anp", "750 old:old")
    root.has("/etc/anp", "750 root:anp")
    for file in ["anp.yaml", "anp.env", "more.yaml"]:
        root.has(f"/etc/anp/{file}", "640 root:anp")
    check("anp" in root.run("id -nG anp").split(), "the user anp is not in its group")
    # Settings that a restored backup left to root, and a mode that an administrator chose.
    root.run("chown root:root /etc/anp/anp.env && chmod 0644 /etc/anp/anp.env && chmod 0660 /etc/anp/more.yaml")
    root.run("chown -R root:root /var/lib/anp && chown old: /var/lib/anp/runs/a")
    root.run(f"{DPKG} -i /tmp/anp.deb")
    root.has("/etc/anp/anp.env", "640 root:anp")
    root.has("/etc/anp/more.yaml", "660 root:anp")
    root.has("/var/lib/anp", "750 anp:anp")
    root.has("/var/lib/anp/runs/a", "644 old:old")
    # An empty folder holds nothing that is not anp's.
    root.run("rm -r /var/lib/anp && install -d -o old -g old /var/lib/anp")
    root.run(f"{DPKG} -i /tmp/anp.deb")
    root.has("/var/lib/anp", "750 anp:anp")
    for make, said in [("ln -s /srv/away /var/lib/anp", "is a link to /srv/away, which does not exist"),
                       ("touch /var/lib/anp", "is not a folder")]:
        root.run(f"rm -rf /var/lib/anp && {make}")
        shown = root.run(f"{DPKG} -i /tmp/anp.deb", code=1)
        check(f"anp: /var/lib/anp {said}" in shown, shown)
    root.run("rm -f /var/lib/anp && dpkg --configure anp && rm /etc/anp/more.yaml")
    root.has("/var/lib/anp", "750 anp:anp")
    say("each installation mends owners, and says what it does not mend")


def purge_with_mounts(root, *mounts):
    """The output of a purge while something is mounted, and the files left in the state folder. The mounts end
    with their process."""
    folder = shlex.quote(str(root.folder))
    lines = ["set -e", f"mount -t proc proc {folder}/proc", *mounts]
    lines.append(f"chroot {folder} dpkg --purge anp 2>&1")
    lines.append(f"cd {folder}/var/lib/anp && find . -type f")
    done = subprocess.run(["unshare", "--mount", "sh", "-c", "\n".join(lines)], capture_output=True, text=True)
    check(done.returncode == 0, done.stdout + done.stderr)
    return done.stdout


def purges(root):
    """A purge deletes nothing that a mount or a link brings in, and says what it left."""
    state = shlex.quote(str(root.path("/var/lib/anp")))
    away = shlex.quote(str(root.path("/srv/away")))
    mounts = {
        "/var/lib/anp": [f"mount -t tmpfs none {state}", f"touch {state}/precious"],
        "/var/lib/anp/runs": [f"mkdir -p {state}/runs", f"mount -t tmpfs none {state}/runs", f"touch {state}/runs/precious"],
        # On the same device, where rm sees no border.
        "/var/lib/anp/old": [f"mkdir -p {state}/old {away}", f"touch {away}/precious", f"mount --bind {away} {state}/old"],
    }
    for path, lines in mounts.items():
        root.run(f"{DPKG} -i /tmp/anp.deb")
        shown = purge_with_mounts(root, *lines)
        check(f"kept: the state folder /var/lib/anp, because of what is mounted there: {path} \n" in shown, shown)
        check("precious\n" in shown and "removed: the state folder" not in shown, shown)
        root.lacks("/etc/anp")
    # Links to other disks.
    root.run("rm -rf /var/lib/anp /srv/away && install -d /srv/away /srv/settings")
    root.run("ln -s /srv/away /var/lib/anp && ln -s /srv/settings /etc/anp")
    root.run(f"{DPKG} -i /tmp/anp.deb && touch /srv/away/precious")
    root.has("/srv/settings/anp.env", "640 root:anp")
    shown = root.run("dpkg --purge anp")
    check("kept: the link /var/lib/anp and its target, /srv/away" in shown, shown)
    check("kept: the target of /etc/anp, /srv/settings" in shown, shown)
    check(root.path("/srv/settings").is_dir(), shown)
    check(root.path("/srv/away/precious").exists() and not root.path("/srv/settings/anp.env").exists(), shown)
    # Files of the administrator, and what rm cannot remove.
    root.run("rm -f /var/lib/anp /etc/anp && rm -r /srv/away /srv/settings")
    root.run(f"{DPKG} -i /tmp/anp.deb && touch /etc/anp/mine && mkdir -p /etc/cron.d && touch /etc/cron.d/anp && mv /bin/rm /bin/rm.real")
    root.write("/bin/rm", "#!/bin/sh\ncase $* in *--one-file-system*) exit 1 ;; esac\nexec rm.real \"$@\"\n")
    shown = root.run("chmod 0755 /bin/rm && dpkg --purge anp; mv /bin/rm.real /bin/rm")
    check("kept: a part of the state folder" in shown and "removed: the state folder" not in shown, shown)
    check("kept: the other files in /etc/anp" in shown, shown)
    check("kept: /etc/cron.d/anp" in shown, shown)
    root.run("rm -r /etc/anp /etc/cron.d/anp /var/lib/anp && deluser anp && deluser old")
    root.run("getent group anp >/dev/null && delgroup anp || true")
    say("a purge keeps what is linked or mounted, and says what it left")


def with_rpm(root, rpm):
    """The scripts of the .rpm run in the same Debian, which has their programs."""
    def manage(*words):
        done = subprocess.run(["rpm", "--root", str(root.folder), "--nodeps", *words], capture_output=True, text=True)
        check(done.returncode == 0 and "scriptlet failed" not in done.stderr, f"rpm {words}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    subprocess.run(["rpm", "--root", str(root.folder), "--initdb"], check=True)
    manage("-i", str(rpm))
    for path, stat in [("/var/lib/anp", "750 anp:anp"), ("/etc/anp", "750 root:anp"), ("/etc/anp/anp.env", "640 root:anp"),
                       ("/etc/anp/anp.yaml", "640 root:anp"), ("/usr/bin/anp", "755 root:root")]:
        root.has(path, stat)
    configure(root)
    start_service(root)
    settings = root.read("/etc/anp/anp.yaml")
    manage("-U", "--replacepkgs", str(rpm))
    check(root.read("/etc/anp/anp.yaml") == settings, "the upgrade changed the settings")
    check(len(runs(root)) == 1, "the upgrade lost runs")
    shown = manage("-e", "anp")
    check("kept: changed settings" in shown, shown)
    root.lacks("/usr/bin/anp")
    check(root.path("/etc/anp/anp.yaml.rpmsave").exists(), "changed settings are gone")
    check(list(root.path("/var/lib/anp/runs").iterdir()), "the manifests are gone")
    for path in [DOC, "/usr/share/licenses/anp"]:
        root.lacks(path)
    # The same rules about owners.
    root.run("groupadd --gid 700 old && useradd --uid 700 --gid 700 old && chown -R old:old /var/lib/anp")
    shown = manage("-i", str(rpm))
    check("/var/lib/anp belongs to the user old (700), not to anp" in shown, shown)
    root.has("/var/lib/anp", "750 old:old")
    say("the .rpm installs, imports, upgrades and is removed")


def main():
    os.chdir(Path(__file__).parent.parent)
    check(os.geteuid() == 0, "only root can set up a scratch Debian: run it in a container or with sudo")
    deb, rpm = file_of(".deb"), file_of(".rpm")
    contents(deb, rpm)
    with tempfile.TemporaryDirectory(prefix="anp-packages-") as folder:
        os.chmod(folder, 0o755)
        root = make_root(Path(folder) / "root")
        install(root, deb)
        libraries(root)
        as_operator(root)
        server = Server(root)
        try:
            configure(root)
            shown = start_service(root)
            check("16 articles published" in shown and server.keys() > 30, shown)
            check(run_cron(root) == "" and len(runs(root)) == 2, "cron's line prints, or has another state folder")
            say("the unit's command and cron's line import into one state folder")
            follow_runbook(root, server)
            upgrade(root, upgrade_of(deb, folder))
            remove_and_purge(root)
            owners(root)
            purges(root)
            root.run("redis-cli -s /run/redis.sock FLUSHALL")
            with_rpm(root, rpm)
        finally:
            server.stop()
    say("all as promised")


if __name__ == "__main__":
    main()
