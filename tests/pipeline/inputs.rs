//! Content as it exists in the world: each `fixtures/inputs/NAME/in` is imported by the program
//! into a server of its own, and what a reader and an operator get is compared with
//! `expected.txt`: exit code, findings, and of each article its page and metadata. An `anp.yaml`
//! beside `in` sets what differs from the defaults. `UPDATE_EXPECTED=1` writes the expectations;
//! review them as code.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Ran, World};

const FOLDER: &str = "fixtures/inputs";

#[test]
fn content_of_every_kind_gets_in_as_its_author_meant_it() {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    let mut wrong = Vec::new();
    for case in &cases {
        let expected = case.join("expected.txt");
        let found = imported(case);
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        if found != expected {
            wrong.push(format!(
                "== {}\n-- expected\n{expected}\n-- found\n{found}",
                case.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the import of one case leaves to see.
fn imported(case: &Path) -> String {
    let world = World::new();
    let run = |program: &str, arguments: &[&str]| {
        let ran = Ran::of(world.program(program).args(arguments));
        ran.exits(0);
    };
    let path = |name: &str| {
        let path = std::fs::canonicalize(case.join(name));
        path.ok().map(|path| path.to_str().unwrap().to_owned())
    };
    run("cp", &["-R", &path("in").unwrap(), "."]);
    for settings in ["anp.yaml", "fields.yaml"] {
        if let Some(settings) = path(settings) {
            run("cp", &[&settings, "."]);
        }
    }
    let ran = world.anp("import in --max-invalid 100%");
    let mut shown = format!("exit {}\n{}", ran.code, ran.stderr);
    for held in world.anp("check in --format json").of_type("held_back") {
        let (path, reason, at) = (&held["path"], &held["reason"], &held["at"]);
        writeln!(shown, "held back {path}: {reason} {at}").unwrap();
    }
    let keys = world.keys();
    let routes = keys.keys().filter_map(|key| key.strip_prefix("anp:meta:"));
    for route in routes {
        write!(shown, "\n{route}\n").unwrap();
        let mut meta = world.meta(route);
        let fields = meta.as_object_mut().unwrap();
        for changing in ["digest", "inputs", "run", "written_at", "etag", "route"] {
            fields.shift_remove(changing);
        }
        describe(&mut shown, &meta);
        let page = world.server.get(&format!("anp:page:{route}"));
        shown.push_str(&html(&page.unwrap()));
    }
    shown
}

/// One line a field.
fn describe(shown: &mut String, meta: &Value) {
    for (name, value) in meta.as_object().unwrap() {
        match (name.as_str(), value) {
            ("metadata", Value::Object(fields)) => {
                for (name, value) in fields {
                    writeln!(shown, "  metadata.{name}: {value}").unwrap();
                }
            }
            _ => writeln!(shown, "  {name}: {value}").unwrap(),
        }
    }
}

/// The language of the page, what its head says to robots, and its body.
fn html(page: &str) -> String {
    let between = |start: &str, end: &str| {
        let (_, rest) = page.split_once(start)?;
        rest.split_once(end).map(|(inside, _)| inside)
    };
    let lang = between("<html lang=\"", "\"").unwrap_or_default();
    let robots = between("<meta name=\"robots\" content=\"", "\"").unwrap_or_default();
    let body = between("<div class=\"body\" dir=\"auto\">", "</div>\n</article>").unwrap_or(page);
    format!("  lang {lang}, robots {robots}\n{}\n", body.trim())
}

#[test]
fn the_recipes_of_the_documentation_are_those_that_run() {
    let page = std::fs::read_to_string("docs/inputs.md").unwrap();
    let recipes = page.split("\n## ").skip(1);
    let mut tools = 0;
    for recipe in recipes {
        let tool = recipe.lines().next().unwrap().rsplit(' ').next().unwrap();
        let Some((_, rest)) = recipe.split_once("```yaml\n") else {
            continue;
        };
        let (settings, _) = rest.split_once("```").unwrap();
        let (_, rest) = settings.split_once('\n').unwrap();
        let case = format!("{FOLDER}/from-{}/anp.yaml", tool.to_lowercase());
        let ran = std::fs::read_to_string(case).unwrap();
        assert_eq!(format!("content: in\n{rest}"), ran, "{tool}");
        tools += 1;
    }
    assert_eq!(tools, 6);
}
