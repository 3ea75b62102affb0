//! Dependencies between modules, and between files, go one way. This reads the imports of the
//! sources and fails when a module uses one that it must not know, or files use each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

mod scan;

use scan::Scan;

/// Each module, and the modules that it may use.
const ALLOWED: [(&str, &[&str]); 32] = [
    ("exit", &[]),
    ("failpoint", &[]),
    ("characters", &[]),
    ("diagnostic", &["characters"]),
    ("duration", &[]),
    ("durable", &["private"]),
    ("edge", &["characters", "store"]),
    ("private", &[]),
    ("hex", &[]),
    ("hashing", &[]),
    ("regular", &[]),
    ("spool", &["failpoint"]),
    ("yaml", &["characters", "diagnostic", "duration"]),
    ("words", &[]),
    (
        "article",
        &[
            "characters",
            "diagnostic",
            "duration",
            "front_matter",
            "words",
            "yaml",
        ],
    ),
    ("front_matter", &["diagnostic", "yaml"]),
    (
        "archive",
        &["article", "characters", "hashing", "render", "yaml"],
    ),
    (
        "render",
        &["article", "characters", "hashing", "hex", "regular"],
    ),
    (
        "store",
        &["characters", "failpoint", "hex", "private", "regular"],
    ),
    (
        "publish",
        &[
            "archive",
            "article",
            "characters",
            "diagnostic",
            "durable",
            "duration",
            "edge",
            "exit",
            "failpoint",
            "failure",
            "hashing",
            "hex",
            "private",
            "regular",
            "render",
            "settings",
            "source",
            "spool",
            "store",
            "synth",
            "time_limit",
            "words",
        ],
    ),
    ("signals", &["exit", "failure"]),
    ("time_limit", &["duration"]),
    ("failure", &["exit", "private", "store"]),
    (
        "probe",
        &[
            "archive",
            "article",
            "characters",
            "edge",
            "publish",
            "render",
            "store",
        ],
    ),
    (
        "source",
        &[
            "article",
            "characters",
            "diagnostic",
            "durable",
            "hashing",
            "regular",
            "render",
            "spool",
            "synth",
            "time_limit",
            "words",
            "yaml",
        ],
    ),
    (
        "report",
        &[
            "article",
            "characters",
            "diagnostic",
            "durable",
            "duration",
            "exit",
            "failure",
            "publish",
            "regular",
            "render",
            "settings",
            "source",
            "synth",
            "words",
        ],
    ),
    (
        "settings",
        &[
            "archive",
            "article",
            "diagnostic",
            "edge",
            "exit",
            "failure",
            "hashing",
            "private",
            "regular",
            "render",
            "source",
            "store",
            "yaml",
        ],
    ),
    ("cli", &["duration", "exit", "publish", "report"]),
    (
        "serve",
        &[
            "archive", "article", "duration", "edge", "publish", "render", "store", "words",
        ],
    ),
    ("synth", &["yaml"]),
    (
        "commands",
        &[
            "archive", "article", "cli", "duration", "edge", "exit", "failure", "probe", "publish",
            "render", "report", "serve", "settings", "signals", "source", "store", "synth",
            "words",
        ],
    ),
    ("main", &[]),
];

/// The modules that `text` names behind `crate::`, tests of a module included.
fn used(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in text.split("crate::").skip(1) {
        let name: String = rest
            .chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '_')
            .collect();
        names.insert(name);
    }
    names
}

fn sources(folder: &Path) -> Vec<(String, String)> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|ending| ending == "rs")
        })
        .map(|entry| {
            let relative = entry.path().strip_prefix(folder).unwrap().to_owned();
            let first = relative.components().next().unwrap();
            let module = first.as_os_str().to_str().unwrap();
            let module = module.strip_suffix(".rs").unwrap_or(module).to_owned();
            (module, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn no_module_uses_one_that_it_must_not_know() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, text) in sources(&folder) {
        if module == "lib" {
            continue;
        }
        let names = used(&text);
        uses.entry(module).or_default().extend(names);
    }
    let allowed: BTreeMap<String, BTreeSet<String>> = ALLOWED
        .iter()
        .map(|(module, names)| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            ((*module).to_owned(), names)
        })
        .collect();
    let modules = |map: &BTreeMap<String, BTreeSet<String>>| {
        map.keys().cloned().collect::<BTreeSet<String>>()
    };
    assert_eq!(modules(&uses), modules(&allowed), "a module without a row");
    for (module, names) in &uses {
        let unknown: Vec<_> = names
            .iter()
            .filter(|name| *name != module && !allowed[module].contains(*name))
            .collect();
        assert!(unknown.is_empty(), "{module} must not use {unknown:?}");
        let idle: Vec<_> = allowed[module].difference(names).collect();
        assert!(idle.is_empty(), "{module} does not use {idle:?} any more");
    }
}

#[test]
fn no_two_modules_use_each_other() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let mut placed: BTreeSet<&str> = BTreeSet::new();
    while placed.len() < allowed.len() {
        let before = placed.len();
        for (module, names) in &allowed {
            if names.iter().all(|name| placed.contains(name)) {
                placed.insert(module);
            }
        }
        let stuck: Vec<_> = allowed
            .keys()
            .filter(|name| !placed.contains(*name))
            .collect();
        assert!(placed.len() > before, "a circle among {stuck:?}");
    }
}

#[test]
fn articles_and_pages_never_see_the_store_the_command_line_or_the_terminal() {
    for (module, names) in ALLOWED {
        if [
            "archive",
            "article",
            "front_matter",
            "render",
            "yaml",
            "diagnostic",
        ]
        .contains(&module)
        {
            for hidden in ["store", "cli", "report", "commands", "settings", "publish"] {
                assert!(!names.contains(&hidden), "{module} sees {hidden}");
            }
        }
    }
    let plan = include_str!("../../src/publish/plan/entry.rs");
    let step = include_str!("../../src/publish/apply/step.rs");
    for text in [plan, step] {
        assert!(
            !used(text).contains("store"),
            "decisions are made without the store"
        );
    }
}

/// A command is arguments, settings, one call of the library, report; `mod.rs` is the table of them.
#[test]
fn a_command_is_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir()
            || ["mod.rs", "inputs.rs"]
                .iter()
                .any(|name| path.ends_with(name))
        {
            continue;
        }
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 80, "{} has {lines} lines", path.display());
    }
}

/// The caller decides what is printed, and where options come from.
#[test]
fn the_library_prints_nothing_and_knows_no_command_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/publish");
    for entry in walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
    {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        for word in ["println!", "print!", "clap::", "env::args"] {
            assert!(!text.contains(word), "{word} in {}", entry.path().display());
        }
    }
}

#[test]
fn only_the_preview_and_its_connection_know_of_an_async_runtime() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut knowing = BTreeSet::new();
    for entry in walkdir::WalkDir::new(&folder)
        .into_iter()
        .map(Result::unwrap)
    {
        if !entry.file_type().is_file() {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        if ["tokio::", "hyper::", "axum::", ".await"]
            .iter()
            .any(|word| text.contains(word))
        {
            let relative = entry.path().strip_prefix(&folder).unwrap();
            knowing.insert(relative.to_str().unwrap().to_owned());
        }
    }
    knowing.retain(|path| !path.starts_with("serve/"));
    knowing.retain(|path| !path.starts_with("store/reading/"));
    assert_eq!(knowing, BTreeSet::new());
}

#[test]
fn no_two_files_use_each_other() {
    let scan = Scan::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut report = String::new();
    house(&scan, &mut report).unwrap();
    println!("{report}");
    let cycles = scan.cycles();
    assert!(
        cycles.is_empty(),
        "these files import each other: {cycles:?}"
    );
}

/// The size and the shape of the sources: what `make house` prints.
fn house(scan: &Scan, out: &mut impl Write) -> std::fmt::Result {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &scan.files {
        let folder = file.path.split_once('/').map_or(".", |(folder, _)| folder);
        *folders.entry(folder).or_default() += file.lines.len();
    }
    writeln!(out, "lines of code, without blanks, comments and tests")?;
    for (folder, lines) in &folders {
        writeln!(out, "{lines:7} {folder}")?;
    }
    writeln!(out, "{:7} in all", folders.values().sum::<usize>())?;

    let edges = scan.imports();
    let cycles = scan.cycles();
    writeln!(out, "\nfile cycles: {}", cycles.len())?;
    for cycle in &cycles {
        for file in cycle {
            let targets = edges[file].iter().filter(|target| cycle.contains(target));
            let targets: Vec<&str> = targets.copied().collect();
            writeln!(out, "  {file} -> {}", targets.join(", "))?;
        }
        writeln!(out)?;
    }

    let functions = scan.files.iter().flat_map(|file| {
        let named = |function: &scan::Function| {
            (function.lines, format!("{} {}", file.path, function.name))
        };
        file.functions.iter().map(named)
    });
    let files = scan
        .files
        .iter()
        .map(|file| (file.lines.len(), file.path.clone()));
    longest(out, "longest functions", functions.collect())?;
    longest(out, "longest files", files.collect())
}

fn longest(
    out: &mut impl Write,
    title: &str,
    mut things: Vec<(usize, String)>,
) -> std::fmt::Result {
    things.sort_by(|a, b| b.cmp(a));
    writeln!(out, "\n{title}")?;
    for (lines, name) in things.iter().take(10) {
        writeln!(out, "{lines:7} {name}")?;
    }
    Ok(())
}
