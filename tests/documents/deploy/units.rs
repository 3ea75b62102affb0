//! The systemd units: each directive is known, each value has its form, and where
//! systemd-analyze is installed, it agrees.

use std::collections::BTreeMap;
use std::process::Command;

use regex::Regex;

use super::{is_command_line, page};
use crate::support::Ran;

const UNITS: [&str; 3] = [
    "anp-import.service",
    "anp-import.timer",
    "anp-failed@.service",
];

const BOOL: &str = "^(yes|no|true|false)$";
const SPAN: &str = r"^(\d+(h|min|s) ?)+$";
const UNIT: &str = r"^[a-z0-9@%.-]+\.(service|timer|target)$";

/// Directives by section, with the form of their values (systemd.unit(5), systemd.service(5),
/// systemd.exec(5), systemd.kill(5), systemd.timer(5)).
const DIRECTIVES: &[(&str, &str, &str)] = &[
    ("Unit", "Description", "."),
    ("Unit", "Documentation", "^(https?|man):"),
    ("Unit", "Wants", UNIT),
    ("Unit", "After", UNIT),
    ("Unit", "OnFailure", UNIT),
    (
        "Service",
        "Type",
        "^(simple|exec|forking|oneshot|notify|dbus|idle)$",
    ),
    ("Service", "User", "^[a-z]+$"),
    ("Service", "Group", "^[a-z]+$"),
    ("Service", "StateDirectory", "^[a-z]+$"),
    ("Service", "StateDirectoryMode", "^0[0-7]{3}$"),
    ("Service", "EnvironmentFile", "^/"),
    ("Service", "ExecStart", "^(/|anp )"),
    ("Service", "SuccessExitStatus", r"^\d+( \d+)*$"),
    ("Service", "TimeoutStartSec", SPAN),
    ("Service", "TimeoutStopSec", SPAN),
    ("Service", "MemoryMax", "^[0-9]+[MG]$"),
    ("Service", "MemorySwapMax", "^0$"),
    ("Service", "TasksMax", "^[0-9]+$"),
    ("Service", "UMask", "^0[0-7]{3}$"),
    ("Service", "NoNewPrivileges", BOOL),
    ("Service", "CapabilityBoundingSet", "^(CAP_[A-Z_]+ ?)*$"),
    ("Service", "ProtectSystem", "^(yes|no|full|strict)$"),
    ("Service", "ReadWritePaths", "^/var$"),
    ("Service", "ProtectHome", "^(yes|no|read-only|tmpfs)$"),
    (
        "Service",
        "ProtectProc",
        "^(noaccess|invisible|ptraceable|default)$",
    ),
    ("Service", "ProtectClock", BOOL),
    ("Service", "ProtectHostname", BOOL),
    ("Service", "ProtectControlGroups", BOOL),
    ("Service", "ProtectKernelLogs", BOOL),
    ("Service", "ProtectKernelModules", BOOL),
    ("Service", "ProtectKernelTunables", BOOL),
    ("Service", "PrivateTmp", BOOL),
    ("Service", "PrivateDevices", BOOL),
    ("Service", "RestrictAddressFamilies", "^(AF_[A-Z0-9]+ ?)+$"),
    ("Service", "RestrictNamespaces", BOOL),
    ("Service", "RestrictRealtime", BOOL),
    ("Service", "RestrictSUIDSGID", BOOL),
    ("Service", "LockPersonality", BOOL),
    ("Service", "MemoryDenyWriteExecute", BOOL),
    ("Service", "SystemCallArchitectures", "^native$"),
    ("Service", "SystemCallFilter", "^@[a-z-]+$"),
    ("Timer", "OnCalendar", r"^\*-\*-\* \d\d:\d\d:\d\d$"),
    ("Timer", "Persistent", BOOL),
    ("Timer", "RandomizedDelaySec", SPAN),
    ("Timer", "FixedRandomDelay", BOOL),
    ("Install", "WantedBy", UNIT),
];

/// `Section.Directive` → value.
fn unit(name: &str) -> BTreeMap<String, String> {
    let text = page(&format!("deploy/systemd/{name}"));
    let mut section = "";
    let mut found = BTreeMap::new();
    for line in text.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        assert!(!line.ends_with('\\'), "{name}: {line}");
        if let Some(header) = line.strip_prefix('[') {
            section = header.strip_suffix(']').unwrap();
            continue;
        }
        let (key, value) = line
            .split_once('=')
            .unwrap_or_else(|| panic!("{name}: {line}"));
        let known = DIRECTIVES
            .iter()
            .find(|(of, directive, _)| (*of, *directive) == (section, key));
        let (_, _, form) = known.unwrap_or_else(|| panic!("{name}: [{section}] {key}"));
        let fits = Regex::new(form).unwrap().is_match(value);
        assert!(fits, "{name}: {line}: expected {form}");
        let twice = found.insert(format!("{section}.{key}"), value.to_owned());
        assert!(twice.is_none(), "{name}: {key} is there twice");
    }
    found
}

#[test]
fn every_directive_is_known_and_used_somewhere() {
    let used: Vec<String> = UNITS
        .iter()
        .flat_map(|name| unit(name).into_keys())
        .collect();
    for (section, key, _) in DIRECTIVES {
        let name = format!("{section}.{key}");
        assert!(used.contains(&name), "no unit uses {name}");
    }
}

#[test]
fn the_service_runs_anp_as_it_is_and_leaves_its_way_back() {
    let service = unit("anp-import.service");
    is_command_line(service["Service.ExecStart"].split(' '));
    // The state folder that systemd makes is the one that anp uses.
    assert_eq!(service["Service.StateDirectory"], "anp");
    assert!(page("deploy/anp.yaml").contains("\nstate_dir: /var/lib/anp\n"));
    for limit in ["MemoryMax", "TasksMax"] {
        assert!(service.contains_key(&format!("Service.{limit}")), "{limit}");
    }
    assert_eq!(service["Service.Type"], "oneshot", "or nothing times out");
    assert_eq!(
        service["Service.SuccessExitStatus"],
        anp::exit::Exit::Partial.code().to_string()
    );
    assert_eq!(service["Unit.OnFailure"], "anp-failed@%n.service");
    let timer = unit("anp-import.timer");
    assert_eq!(timer["Timer.Persistent"], "true");
    assert!(timer.contains_key("Timer.RandomizedDelaySec"));
    assert_eq!(timer["Install.WantedBy"], "timers.target");
    // Enabling the service would import at every boot.
    assert!(!service.keys().any(|key| key.starts_with("Install")));
}

#[test]
fn a_failure_is_mailed_or_else_logged() {
    let world = crate::support::World::new();
    let start = unit("anp-failed@.service")["Service.ExecStart"].clone();
    let script = start
        .strip_prefix("/bin/sh -c '")
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap();
    assert!(!script.contains(['\'', '$']), "{script}");
    let script = script
        .replace("%i", "anp-import.service")
        .replace("%H", "host")
        .replace("\\n", "\n");
    let program = |name: &str, does: &str| {
        let path = world.path(&format!("bin/{name}"));
        world.write(&format!("bin/{name}"), format!("#!/bin/sh\n{does}\n"));
        crate::support::set_mode(path, 0o755);
    };
    let bin = world.path("bin");
    let run = || {
        let path = format!("{}:/usr/bin:/bin", bin.display());
        Ran::of(
            world
                .program("/bin/sh")
                .args(["-c", &script])
                .env("PATH", path),
        )
    };
    program("systemctl", "echo \"systemctl $*\"");
    program("logger", "echo \"logger $*\"");
    program("sendmail", "exit 75");
    run().exits(0).says("logger -p daemon.alert anp-import.service failed, and no mail could be sent: journalctl -u anp-import.service");
    program("sendmail", "echo \"sendmail $*\"; cat");
    let ran = run();
    ran.exits(0);
    assert_eq!(
        ran.stdout,
        "sendmail -t\nTo: root\nSubject: anp-import.service failed on host\n\n\
         systemctl status --full --lines=40 anp-import.service\n"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_finds_nothing_wrong() {
    let installed = Command::new("systemd-analyze").arg("--version").output();
    assert!(
        installed.is_ok(),
        "systemd-analyze is missing: make test installs systemd"
    );
    let folder = tempfile::tempdir().unwrap();
    for name in UNITS {
        let text = page(&format!("deploy/systemd/{name}"));
        let text = text.replace("=anp ", concat!("=", env!("CARGO_BIN_EXE_anp"), " "));
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut verify = Command::new("systemd-analyze");
    verify
        .args(["verify", "--man=no"])
        .args(UNITS.map(|name| folder.path().join(name)));
    let ran = Ran::of(&mut verify);
    ran.exits(0);
    for name in UNITS {
        assert!(!ran.stderr.contains(name), "{ran}");
    }
}
