//! docs/serving.md says what a probe checks, and shows what it prints.

use anp::probe::{CHECKS, FILE, GONE, MISSING, REDIRECT};
use regex::Regex;

use super::fault::Fault;
use super::front::Front;
use super::{World, probe};

fn section() -> String {
    let page = std::fs::read_to_string("docs/serving.md").unwrap();
    let (_, probe) = page.split_once("\n## Probe\n").unwrap();
    probe.to_owned()
}

#[test]
fn its_table_has_every_check_and_what_it_expects() {
    let section = section();
    let table = section.split("| check |").nth(1).unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let said: Vec<(String, String)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (cells[1].replace('`', ""), cells[2].replace('`', ""))
        })
        .collect();
    let known: Vec<(String, String)> = CHECKS
        .iter()
        .chain([&FILE, &REDIRECT, &GONE, &MISSING])
        .map(|check| (check.name.to_owned(), check.expects.to_owned()))
        .collect();
    assert_eq!(said, known);
}

#[test]
fn its_example_is_what_a_probe_prints() {
    let world = World::new();
    for number in 1..=32 {
        world.article(&format!("redis-caching/n{number:02}.md"), "Text.");
    }
    world.anp("import").exits(0);
    let front = Front::start(&world.server, Fault::TooLong);
    let ran = probe(&world, &front.url(), "");
    ran.exits(3);
    let section = section();
    let shown = section.split("```").nth(1).unwrap();
    // Routes and numbers differ from run to run.
    let plain = |line: &str| {
        let line = Regex::new(r"/[a-z0-9/-]+/")
            .unwrap()
            .replace_all(line, "/ROUTE/");
        let line = Regex::new(r"\d{5,}").unwrap().replace_all(&line, "N");
        line.into_owned()
    };
    let part = |text: &str| -> Vec<String> {
        let from_table = text
            .lines()
            .skip_while(|line| !line.starts_with("  check "));
        let before_load = from_table.take_while(|line| {
            !line.starts_with("response times") && !line.contains("checks failed")
        });
        before_load.map(plain).collect()
    };
    assert!(part(shown).len() > 25, "{shown}");
    assert_eq!(part(shown), part(&ran.stdout), "{ran}");
    assert!(shown.contains("  response time "), "{shown}");
}
