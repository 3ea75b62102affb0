//! The boundary against sources that are made to hurt: too large, too deep, not text at
//! all, or just random. Nothing panics, nothing takes long, every refusal has its reason.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anp::article::schema::{Field, Kind, MAX_URL, MAX_VERSION, TABLE};
use anp::article::{Input, MAX_SOURCE_BYTES, Reading, Rules, Value, read};
use anp::characters::is_hidden;
use anp::diagnostic::Severity;
use anp::diagnostic::draw::render;
use anp::yaml;
use proptest::prelude::*;

/// Generous: debug builds on a busy machine. Quadratic behaviour takes minutes.
const PATIENCE: Duration = Duration::from_secs(10);

fn read_bytes(bytes: &[u8]) -> Reading<'_> {
    let path = Arc::new(PathBuf::from("content/x.md"));
    let start = Instant::now();
    let reading = read(
        &Input {
            path,
            relative: Path::new("x.md"),
            markup: anp::article::Markup::Markdown,
            bytes,
            cleaned: Box::leak(Box::default()),
        },
        &Rules::default(),
    );
    assert!(
        start.elapsed() < PATIENCE,
        "{:?} for {} bytes",
        start.elapsed(),
        bytes.len()
    );
    let errors = reading
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .count();
    assert_eq!(
        reading.article.is_none(),
        errors > 0,
        "{:?}",
        reading.diagnostics
    );
    for diagnostic in &reading.diagnostics {
        let drawn = render(diagnostic, false);
        assert!(
            !drawn.chars().any(|c| c != '\n' && is_hidden(c)),
            "{drawn:?}"
        );
        assert!(!drawn.contains('\t'), "{drawn:?}");
    }
    reading
}

fn messages(reading: &Reading<'_>) -> Vec<String> {
    reading
        .diagnostics
        .iter()
        .map(|found| {
            let place = found
                .place
                .as_ref()
                .map(|place| format!(":{}:{}", place.line, place.column));
            format!(
                "{}{}: {}",
                found.code,
                place.unwrap_or_default(),
                found.message
            )
        })
        .collect()
}

fn with_yaml(yaml: &str) -> String {
    format!("---\ntitle: t\n{yaml}\n---\n")
}

#[test]
fn a_source_ends_at_4_mib() {
    let mut text = String::from("# title\n\n");
    text.push_str(&"word \n".repeat(MAX_SOURCE_BYTES / 6));
    text.truncate(MAX_SOURCE_BYTES);
    assert!(read_bytes(text.as_bytes()).article.is_some());
    text.push('x');
    let reading = read_bytes(text.as_bytes());
    assert_eq!(
        messages(&reading),
        ["source: expected at most 4194304 bytes, found 4194305"]
    );
    assert_eq!(reading.route.unwrap().as_str(), "/x/");
}

#[test]
fn front_matter_ends_at_64_kib() {
    let comment = |bytes: usize| format!("# {}\n", "x".repeat(bytes - 3));
    let exact = format!("---\ntitle: t\n{}---\n", comment(yaml::MAX_BYTES - 9));
    assert!(read_bytes(exact.as_bytes()).article.is_some());
    let more = format!("---\ntitle: t\n{}---\n", comment(yaml::MAX_BYTES - 8));
    assert_eq!(
        messages(&read_bytes(more.as_bytes())),
        ["front-matter:2:1: expected at most 65536 bytes of YAML, found 65537"]
    );
}

#[test]
fn bytes_that_are_not_utf8_are_named() {
    let reading = read_bytes(b"---\ntitle: t\nslug: kept\ntopic: caf\xe9 x\n---\n");
    assert_eq!(
        messages(&reading),
        ["source:4:11: expected UTF-8, found the byte 0xe9 at offset 34 (line 4)"]
    );
    assert_eq!(reading.route.unwrap().as_str(), "/kept/");
    assert!(reading.route_guessed);
    let cut = "---\ntitle: größ".as_bytes();
    let reading = read_bytes(&cut[..cut.len() - 1]);
    assert_eq!(
        messages(&reading),
        ["source:2:11: expected UTF-8, found the byte 0xc3 at offset 15 (line 2)"]
    );
}

#[test]
fn brackets_without_end_are_too_much_nesting() {
    let found = |yaml: String| messages(&read_bytes(with_yaml(&yaml).as_bytes()));
    assert_eq!(found("[".repeat(60_000)).len(), 1);
    assert_eq!(
        found(format!("notes: {}", "[".repeat(60_000))),
        ["front-matter:3:263: expected at most 16 levels of nesting, found more"]
    );
    assert_eq!(
        found("[".repeat(100_000)),
        ["front-matter:2:1: expected at most 65536 bytes of YAML, found 100010"]
    );
}

#[test]
fn what_could_take_long_in_yaml_does_not() {
    let n = 6_000;
    let mut nested = String::new();
    for depth in 0..300 {
        let _ = writeln!(nested, "{}a:", " ".repeat(depth));
    }
    let mut bomb = String::from("a0: &a0 [x, x]\n");
    for level in 1..40 {
        let _ = writeln!(bomb, "a{level}: &a{level} [*a{0}, *a{0}, *a{0}]", level - 1);
    }
    let hostile = [
        nested,
        bomb,
        "- ".repeat(n),
        "? ".repeat(n),
        "{a: ".repeat(n),
        "[{".repeat(n),
        format!("x: [{}]", "a: b, ".repeat(n)),
        format!("x: [{}]", "[a, b], ".repeat(n)),
        format!("x: {{{}}}", "? a : b, ".repeat(n)),
        format!("x: [{}]: y", "a, ".repeat(n)),
        (0..n).map(|i| format!("k{i}: v\n")).collect(),
        "same: v\n".repeat(n),
        "&a ".repeat(n),
        "!t ".repeat(n),
        "&a x: 1\n".repeat(n),
        "*a : 1\n".repeat(n),
        format!("x: \"{}\"", "\\n".repeat(n)),
        format!("x: '{}", "''".repeat(n)),
        format!("x: >\n{}", "  a\n\n".repeat(n)),
        format!("x: |9\n{}", " \n".repeat(n)),
        format!("x: {}", "a\n  ".repeat(n)),
        format!("x: {}", "a #\n".repeat(n)),
        "#\n".repeat(n),
        "\t".repeat(n),
        "\r".repeat(n),
        "\0".repeat(n),
        "\u{feff}".repeat(n),
        "%TAG ! x\n".repeat(n),
        format!("notes: [{}]", "\"e\u{301}\u{323}\", ".repeat(4_000)),
        format!("title: e{}", "\u{301}\u{323}".repeat(12_000)),
    ];
    for yaml in hostile {
        read_bytes(with_yaml(&yaml).as_bytes());
        let start = Instant::now();
        let _ = yaml::parse(&yaml, 1);
        assert!(
            start.elapsed() < PATIENCE,
            "{:?} {}",
            start.elapsed(),
            &yaml[..20]
        );
    }
}

#[test]
fn what_could_take_long_in_markdown_does_not() {
    let n = 200_000;
    // Each is repeated `n` times, divided by its number.
    let units = [
        (">", 1),
        ("> ", 1),
        ("- ", 1),
        ("[", 1),
        ("![", 1),
        ("[a](", 1),
        ("*a ", 1),
        ("*a_ ", 1),
        ("**a *b ", 1),
        ("~~a ", 1),
        ("`a``", 1),
        ("<a ", 1),
        ("<!--", 1),
        ("<?", 1),
        ("&#x", 1),
        ("\\", 1),
        ("|a", 1),
        ("[^a]: b\n\n", 4),
        ("[a]: b\n", 4),
        ("a\n\n", 4),
        ("1. a\n", 4),
        ("\0", 1),
        ("e\u{301}", 1),
        ("{{", 1),
        ("{% ", 1),
        ("{% raw %}", 4),
        ("{% comment %}\n", 4),
        ("{: .a} ", 4),
        ("# {#a} ", 4),
        ("* TOC\n{:toc}\n\n", 8),
        ("{::a}", 4),
        ("https://a.b ", 8),
        ("http://a_b", 4),
        ("https://a.b/*_c_* ", 8),
        ("a@b.c ", 4),
        ("[[a", 1),
        ("[[a]] ", 4),
        (":::note\n", 4),
        (":::note\n:::\n", 4),
        ("!!! note\n    a\n\n", 8),
        ("> [!info] a\n\n", 8),
        ("import {\n", 4),
        ("*[a]: b\n", 4),
        ("{/* ", 4),
        ("{/* */ ", 4),
        ("{/**/}", 4),
        ("%%a ", 4),
        ("%%\n\na ", 4),
        ("{{! ", 4),
        ("{{< comment >}}{{< /comment ", 8),
        ("{% comment ", 4),
        ("<% <%# ", 4),
        ("<pre>{# a", 4),
        ("`{/*` */}", 4),
        ("export const a = {\n\n", 4),
        ("!!! note\n    a\n", 8),
    ];
    let others = [
        format!("|a|\n|-|\n{}", "|a|b|c\n".repeat(n / 4)),
        format!("{}a", " - ".repeat(60)).repeat(500),
        format!("https://a.b/{}", ")".repeat(n)),
        format!("https://a.b/{}", "&a;".repeat(n)),
        format!("{}@b.c", "a".repeat(n)).repeat(3),
        format!("{}{{/**/}}", " ".repeat(n)).repeat(4),
    ];
    let repeated = units.map(|(unit, divisor)| unit.repeat(n / divisor));
    for markdown in repeated.into_iter().chain(others) {
        read_bytes(format!("---\ntitle: t\n---\n{markdown}").as_bytes());
    }
}

#[test]
fn a_flood_of_errors_is_capped() {
    let yaml: String = (0..150).map(|i| format!("k{i}: &a{i} 1\n")).collect();
    let text = with_yaml(&yaml);
    let reading = read_bytes(text.as_bytes());
    // One each, and one for so many own fields.
    assert_eq!(reading.diagnostics.len(), 101);
    let last = reading.diagnostics.last().unwrap();
    assert_eq!(
        last.message,
        "51 further findings in this file are not shown"
    );
}

#[test]
fn a_wrong_slug_beyond_the_cap_still_leaves_the_route_open() {
    let mut yaml: String = (0..150).map(|i| format!("k{i}: &a{i} 1\n")).collect();
    yaml.push_str("slug: [x]\n");
    assert_eq!(read_bytes(with_yaml(&yaml).as_bytes()).route, None);
}

/// Bytes that mean something to a parser, or nothing to UTF-8.
const DAMAGE: &[u8] = b"\0\n\r\t \"'#%&*-:?[]{}|!>,\xff";

/// Fixtures with one byte changed, one removed, one doubled, and cut at every length.
#[test]
fn damaged_fixtures_never_panic() {
    for entry in fs::read_dir("fixtures/boundary").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|found| found != "md") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let step = bytes.len() / 20 + 1;
        for at in (0..bytes.len()).step_by(step) {
            read_bytes(&bytes[..at]);
            let mut removed = bytes.clone();
            removed.remove(at);
            read_bytes(&removed);
            // Another few of them at each place.
            for &byte in DAMAGE.iter().skip(at % 5).step_by(5) {
                let mut changed = bytes.clone();
                changed[at] = byte;
                read_bytes(&changed);
            }
        }
    }
}

/// Pieces of YAML that mean something to a parser.
fn yamlish() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b: ",
        ": ",
        "- ",
        "? ",
        "\n",
        "\n  ",
        "\n    ",
        " ",
        "\t",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ",",
        "\"",
        "'",
        "\\",
        "#",
        " #",
        "&a ",
        "*a",
        "!t ",
        "!!",
        "|",
        ">",
        "|+2\n",
        ">-\n",
        "%",
        "---",
        "\n---\n",
        "...",
        "\n...\n",
        "\r\n",
        "\r",
        "\0",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "é",
        "👩",
        "~",
        "null",
        "1",
        "<<: ",
        "title: ",
        "\"\\x41\"",
        "\\u",
        "@",
        "`",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// A value that could stand after a key of the table, right or wrong.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 .:/-]{0,90}",
        "[0-9]{0,18}",
        "[01]",
        "\\[[a-z ,]{0,40}\\]",
        "\\{(name|type|url|source|quality|seed): [a-z0-9]{0,8}\\}",
        "\"[^\"\\\\]{0,220}\"",
        prop::sample::select(
            TABLE
                .iter()
                .filter_map(|field| Some(field.example.split_once(": ")?.1.to_owned()))
                .collect::<Vec<_>>()
        ),
    ]
}

fn fits(value: &Value, kind: &Kind) -> bool {
    let texts = |text: &str, max: usize| {
        (1..=max).contains(&text.chars().count())
            && !text
                .chars()
                .any(|c| is_hidden(c) && !matches!(c, '\u{200c}' | '\u{200d}'))
    };
    match (value, kind) {
        (Value::Text(text), Kind::Text { max } | Kind::Numbered { max, .. }) => texts(text, *max),
        // A slug may have several segments; each is held to the limit.
        (Value::Text(text), Kind::Slug) => text.split('/').all(|part| part.len() <= 120),
        (Value::Text(text), Kind::Token { max, alphabet }) => {
            texts(text, *max) && text.chars().all(|c| alphabet.contains(c))
        }
        (Value::Text(text), Kind::Choice(choices)) => choices.contains(&text.as_str()),
        (Value::Text(text), Kind::Date) => (10..=40).contains(&text.len()),
        (Value::Text(text), Kind::SemVer) => texts(text, MAX_VERSION),
        (Value::Text(text), Kind::Hex(digits)) => text.len() == *digits,
        (Value::Text(text), Kind::Duration { .. } | Kind::Host) => texts(text, 253),
        (Value::Text(text), Kind::Url) => texts(text, MAX_URL) && text.contains("://"),
        (Value::Number(number), Kind::Minutes { max }) => number <= max,
        (Value::Number(number), Kind::Integer { min, max }) => (min..=max).contains(&number),
        (Value::Flag(_), Kind::Flag)
        | (Value::Flag(false), Kind::Route)
        | (Value::Number(_) | Value::Decimal(_), Kind::Number) => true,
        (Value::Text(text), Kind::Route | Kind::Image) => texts(text, MAX_URL),
        (Value::Text(text), Kind::Language) => (2..=35).contains(&text.len()),
        (Value::List(items), Kind::List { max, of, .. }) => {
            (1..=*max).contains(&items.len()) && items.iter().all(|item| fits(item, of))
        }
        (
            Value::Pairs(pairs),
            Kind::Pairs {
                max,
                label_max,
                text_max,
            },
        ) => {
            (1..=*max).contains(&pairs.len())
                && pairs
                    .iter()
                    .all(|(label, text)| texts(label, *label_max) && texts(text, *text_max))
        }
        (Value::Group(members), Kind::Group(fields)) => members.iter().all(|(name, value)| {
            let known = fields.iter().find(|field: &&Field| field.name == name);
            known.is_none_or(|field| fits(value, &field.kind))
        }),
        _ => false,
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_bytes(&bytes);
        let mut opened = b"---\n".to_vec();
        opened.extend(bytes);
        opened.extend(b"\n---\n");
        read_bytes(&opened);
    }

    #[test]
    fn arbitrary_yaml_never_panics(yaml in yamlish()) {
        read_bytes(with_yaml(&yaml).as_bytes());
        let _ = yaml::parse(&yaml, 1);
        read_bytes(yaml.as_bytes());
    }

    #[test]
    fn accepted_values_are_within_their_limits(
        entries in prop::collection::vec((prop::sample::select(TABLE.iter().collect::<Vec<_>>()), value()), 1..12),
    ) {
        let mut yaml = String::new();
        for (field, value) in &entries {
            let _ = writeln!(yaml, "{}: {value}", field.name);
        }
        let text = format!("---\n{yaml}---\n# heading\n");
        let reading = read_bytes(text.as_bytes());
        if let Some(article) = &reading.article {
            for (field, value) in &article.metadata.entries {
                prop_assert!(fits(value, &field.kind), "{} {value:?}", field.name);
            }
        }
    }
}
