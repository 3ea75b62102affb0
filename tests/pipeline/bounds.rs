//! Promise 10: what a run holds and says does not grow with the square of anything, and no legal
//! corpus fills the memory.

use crate::support::cases::cases;
use crate::support::{Ran, World};

#[test]
fn promise_10_a_message_about_many_sources_names_three_of_them() {
    let world = World::new();
    for number in 0..1000 {
        let text = format!("---\ntitle: T\nslug: same\n---\n\nText {number}.\n");
        world.write(&format!("content/n{number:03}.md"), text);
    }
    let ran = world.anp("check --format json");
    let found = ran.exits(65).of_type("diagnostic");
    assert_eq!(found.len(), 1000);
    let message = |at: usize| found[at]["message"].as_str().unwrap();
    assert_eq!(
        message(500),
        "duplicate route /same/: also produced by content/n000.md, content/n001.md, \
         content/n002.md and 996 more"
    );
    assert!(message(1).contains("content/n000.md, content/n002.md, content/n003.md and 996 more"));
    assert!(ran.stdout.len() < 1000 * 400, "{}", ran.stdout.len());
    // A few are all named.
    for number in 4..1000 {
        std::fs::remove_file(world.path(&format!("content/n{number:03}.md"))).unwrap();
    }
    world
        .anp("check")
        .says("also produced by content/n000.md, content/n001.md, content/n003.md");
}

#[test]
fn promise_10_of_many_findings_some_are_held_and_all_are_counted() {
    let world = World::new();
    // 101 findings each: one says how many are not shown.
    let line = format!("x: [{}1]", "&a 1, ".repeat(120));
    for number in 0..150 {
        let text = format!("---\ntitle: T\n{line}\n---\n\nText.\n");
        world.write(&format!("content/n{number:03}.md"), text);
    }
    world.article("zz.md", "Text with <blink>a tag</blink>.");
    let ran = world.anp("check --format json --max-invalid 100%");
    let found = ran.exits(3).of_type("diagnostic");
    // And the one warning, as an example of its code.
    assert_eq!(found.len(), 10_001);
    let paths: Vec<&str> = found
        .iter()
        .map(|line| line["path"].as_str().unwrap())
        .collect();
    assert!(paths.is_sorted());
    let [.., last_error, warning] = paths[..] else {
        panic!("{ran}")
    };
    assert_eq!((last_error, warning), ("content/n099.md", "content/zz.md"));
    let beyond = &ran.of_type("findings_not_shown")[0];
    assert_eq!(
        (&beyond["errors"], &beyond["warnings"]),
        (&(150 * 101 - 10_000).into(), &0.into())
    );
    assert_eq!(ran.of_type("summary")[0]["invalid"], 150);
    assert_eq!(
        world.anp("check --format json --max-invalid 100%").stdout,
        ran.stdout
    );
    world.anp("check --max-invalid 100%").says(
        "… and 14997 more like these (150 files in all); to list them: anp check --code \
         front-matter\n",
    );
}

#[test]
fn a_panic_over_one_article_is_an_error_of_its_file() {
    let world = World::new();
    for number in 0..40 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    for step in ["read", "render"] {
        let point = format!("survey.{step}:7=PANIC");
        let variables = [("ANP_FAIL_POINT", point.as_str())];
        let line = [
            "check",
            "--format",
            "json",
            "--log-format",
            "json",
            "--max-invalid",
            "1",
        ];
        let ran = world.anp_with(&line, &variables);
        let found = ran.exits(3).of_type("diagnostic");
        assert_eq!(found.len(), 1, "{ran}");
        assert_eq!(found[0]["code"], "bug", "{ran}");
        let message = found[0]["message"].as_str().unwrap();
        assert_eq!(
            message,
            format!(
                "anp could not {step} this file, which is a bug in anp: the point survey.{step} was asked for a panic"
            )
        );
        let summary = &ran.of_type("summary")[0];
        assert_eq!(
            (&summary["valid"], &summary["invalid"]),
            (&39.into(), &1.into()),
            "{ran}"
        );
        for line in ran.stderr.lines() {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(
                entry["message"].as_str().unwrap().contains("bug in anp"),
                "{ran}"
            );
        }
    }
    // The others are published, and what the store holds of the one stays.
    world.anp("import").exits(0);
    let variables = [("ANP_FAIL_POINT", "survey.read:7=PANIC")];
    let line = [
        "import",
        "--no-cache",
        "--format",
        "json",
        "--max-invalid",
        "1",
    ];
    let ran = world.anp_with(&line, &variables);
    assert_eq!(ran.exits(3).counts()["kept"], 78, "{ran}");
    assert_eq!(world.keys().len(), 80);
}

/// Runs `anp check` on the world's articles; the most memory it had, in MiB.
#[cfg(target_os = "linux")]
fn checked(world: &World) -> (Ran, u64) {
    use std::process::Stdio;
    use std::time::Duration;

    let mut command = world.command(
        "state",
        &["check", "--format", "json", "--max-invalid", "100%"],
    );
    let file = |name: &str| std::fs::File::create(world.path(name)).unwrap();
    let mut child = command
        .stdout(Stdio::from(file("stdout")))
        .stderr(Stdio::from(file("stderr")))
        .spawn()
        .unwrap();
    // A high-water mark: what is read last is missed only if it grew just before the end.
    let mut most = 0;
    let status = loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let line = status.unwrap_or_default();
        let line = line.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(kib) = line.and_then(|line| line.split_whitespace().next()) {
            most = kib.parse::<u64>().unwrap() / 1024;
        }
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = |name: &str| std::fs::read_to_string(world.path(name)).unwrap();
    let ran = Ran {
        line: format!("{command:?}"),
        code: status.code().unwrap_or(-1),
        stdout: text("stdout"),
        stderr: text("stderr"),
    };
    (ran, most)
}

/// The largest articles that are legal, each with as much as possible of one thing: what is parsed
/// holds many times the bytes of its source.
#[cfg(target_os = "linux")]
#[test]
fn promise_10_no_legal_corpus_takes_more_than_256_mib() {
    let table = |rows: usize| {
        let row = "|a".repeat(1000) + "|\n";
        row.clone() + &"|-".repeat(1000) + "|\n" + &row.repeat(rows)
    };
    let raw = |body: String| format!("<b>x</b>\n\n{body}");
    let largest = [
        "word \n".repeat(699_000),
        "a\n".repeat(719_000),
        "*a*b".repeat(359_000),
        "[a](b)".repeat(239_000),
        "- a\n".repeat(359_000),
        "x<br>".repeat(199_000),
        table(350),
        raw(table(95)),
        raw("\u{a0}".repeat(2_000_000)),
    ];
    let medium = [
        "x<br>".repeat(16_000),
        "[a](b)".repeat(10_000),
        raw("|a|b|c|d\n|-|-|-|-\n".to_owned() + &"|a|b|c|d\n".repeat(6_000)),
    ];
    let world = World::new();
    let mut number = 0;
    for large in cases("corpus", 3).map_while(|number| largest.get(number)) {
        for body in [large, &medium[0], &medium[1], &medium[2], &medium[2], large] {
            number += 1;
            let text = format!("---\ntitle: T\n---\n\n{body}\n");
            world.write(&format!("content/n{number:03}.md"), text);
        }
    }
    let (ran, most) = checked(&world);
    ran.exits(0);
    let summary = &ran.of_type("summary")[0];
    assert_eq!(summary["valid"], number, "{ran}");
    println!("{most} MiB");
    assert!(most <= 256, "{most} MiB");
    // A byte that cleaning removes, an attribute that takes six times as much, and many parts.
    let quotes = |count| format!("\0<p title='{}'>x</p>\n\n", "\"".repeat(count));
    let large = quotes(2_650_000) + &"*a*b".repeat(99_000) + "\n\n" + &"a\n".repeat(500_000);
    let medium = quotes(440_000) + &"*a*b".repeat(8_000);
    let world = World::new();
    for number in 0..42 {
        let body = if number < 2 { &large } else { &medium };
        let text = format!("---\ntitle: T\n---\n\n{body}\n");
        world.write(&format!("content/n{number:03}.md"), text);
    }
    let (ran, most) = checked(&world);
    ran.exits(0);
    assert_eq!(ran.of_type("summary")[0]["valid"], 42, "{ran}");
    println!("{most} MiB");
    assert!(most <= 256, "{most} MiB");
    // As much again is refused before it is parsed.
    let world = World::new();
    for (number, unit) in ["a|b\n-|-\n", "a\n", "[", "*a*b", "- a\n"]
        .iter()
        .enumerate()
    {
        let text = format!(
            "---\ntitle: T\n---\n\n{}",
            unit.repeat(4_190_000 / unit.len())
        );
        world.write(&format!("content/n{number}.md"), text);
    }
    let (ran, most) = checked(&world);
    let found = ran.exits(3).of_type("diagnostic");
    assert_eq!(found.len(), 5, "{ran}");
    for finding in found {
        let message = finding["message"].as_str().unwrap();
        let expected =
            "expected a body of at most 720000 line ends and characters of markup, found more";
        assert_eq!(message, expected);
    }
    assert!(most <= 64, "{most} MiB");
}
