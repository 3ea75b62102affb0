//! Front matter of the three formats: the trees are those of other readers, and for every
//! source the places lie inside of it.

#[allow(unreachable_pub, reason = "shared with the fuzz targets")]
#[path = "../../fuzz/src/lib.rs"]
pub(crate) mod readers;

use std::cell::Cell;

use anp::article::holds_back;
use anp::front_matter::{read, split};
use anp::yaml::{Fault, Kind, MAX_BYTES, MAX_NESTING, Node};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

const TOML: [&str; 10] = [
    "title = \"a\"\ndate = 2020-01-02T03:04:05Z\ndraft = true\n",
    "a.b.c = 1\na.b.d = [1, 2.5, 'x', {y = \"z\"}]\n\"e f\" = 0xff\n'g.h' = 1_000\n",
    "[params]\nx = 1979-05-27\ny = 07:32:00\nz = 1979-05-27 07:32:00.5-07:00\n",
    "[[resources]]\nsrc = \"a\"\n[[resources]]\nsrc = \"b\"\n[resources.params]\nc = -1\n[menu.main]\nweight = +10\n",
    "s = \"\"\"\na \\\n   b\nc\"\"\"\nt = '''\nd\\n'''\nu = \"\\u00e9\\U0001F600\\\"\"\n",
    "f = [inf, -inf, nan, 1e5, -0.0, 6.626e-34]\ni = [0o17, 0b101, -0, 9223372036854775807]\n",
    "l = [\n  \"a\", # c\n\n  \"b\",\n]\nt = { a.b = 1, c = [] }\n",
    "\"größe\" = \"ä\" # é\n\"日本\" = \"語\"\n",
    "a = 1\na = 2\n[b]\n[b]\n",
    "# only a comment\n",
];

const PIECES: [&str; 40] = [
    "\n",
    "\r\n",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "=",
    " = ",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    ",",
    ".",
    "#",
    ":",
    ": ",
    "\\",
    "\\u00e9",
    "\\ud83d",
    "1",
    "-1",
    "1e9",
    "0x1",
    "true",
    "null",
    "2020-01-02",
    "a",
    "é",
    "😀",
    " ",
    "\t",
    "\0",
    "\u{7f}",
    "\u{2028}",
    "---",
    "+++\n",
    "a = 1\n",
];

fn changed(text: &str, changes: &[(Index, usize, &str)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, removed, piece) in changes {
        let at = at.index(chars.len() + 1);
        let end = (at + removed).min(chars.len());
        chars.splice(at..end, piece.chars());
    }
    chars.into_iter().collect()
}

fn changes() -> impl Strategy<Value = Vec<(Index, usize, &'static str)>> {
    let change = (any::<Index>(), 0..4_usize, select(&PIECES[..]));
    proptest::collection::vec(change, 0..3)
}

fn value() -> impl Strategy<Value = Value> {
    let text = "[a-c \\\\\"\n\t/é😀\u{1}\u{2028}]{0,6}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let node = leaf.prop_recursive(4, 24, 4, move |inner| {
        let members = proptest::collection::hash_map(text, inner.clone(), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    proptest::collection::hash_map("[a-z]{1,3}", node, 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// Runs `read` over texts of `strategy`, and expects that one of five is read.
fn each<S: Strategy<Value = String>>(strategy: &S, read: impl Fn(&str) -> Option<Node>) {
    let cases = std::env::var("YAML_CASES").map_or(1_500, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let count = Cell::new(0);
    let result = runner.run(strategy, |text| {
        count.set(count.get() + u32::from(read(&text).is_some()));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(count.get() > cases / 5, "{} of {cases}", count.get());
}

#[test]
fn toml_is_read_as_its_reader_reads_it() {
    for text in TOML.iter().take(8) {
        assert!(readers::toml(text).is_some(), "{text}");
    }
    let texts = (select(&TOML[..]), changes());
    each(
        &texts.prop_map(|(text, changes)| changed(text, &changes)),
        readers::toml,
    );
}

#[test]
fn json_is_read_as_its_reader_reads_it() {
    let texts = (value(), any::<bool>(), changes()).prop_map(|(value, pretty, changes)| {
        let text = if pretty {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            value.to_string()
        };
        changed(&text, &changes)
    });
    each(&texts, readers::json);
}

#[test]
fn yaml_is_read_as_both_of_its_readers_read_it() {
    let text = "title: 'a'\ntags: [\n\"b\", c\n]\nscore:\n  quality:\t1\nnotes:\n- |\n  d\n";
    let texts = changes().prop_map(|changes| changed(text, &changes));
    each(&texts, readers::yaml);
}

/// The same fields in each format.
#[test]
fn the_three_formats_give_one_tree() {
    fn shape(node: &Node) -> Value {
        match &node.kind {
            Kind::Scalar { text, .. } => json!(text),
            Kind::Sequence(items) => items.iter().map(shape).collect(),
            Kind::Mapping(entries) => {
                let pairs = entries
                    .iter()
                    .map(|(key, node)| (key.name.clone(), shape(node)));
                Value::Object(pairs.collect())
            }
        }
    }
    let expected = json!({
        "title": "a b", "draft": "true", "weight": "10", "publish_date": "2020-01-02",
        "tags": ["x", "y"], "score": { "quality": "1" }, "list": [{ "n": "1" }, { "n": "2" }],
    });
    for source in [
        "---\ntitle: a b\ndraft: true\nweight: 10\npublishDate: 2020-01-02\ntags: [x, y]\n\
         score:\n  quality: 1\nlist:\n- n: 1\n- n: 2\n---\n",
        "+++\ntitle = 'a b'\ndraft = true\nweight = 10\npublishDate = 2020-01-02\n\
         tags = [\"x\", \"y\"]\n[score]\nquality = 1\n[[list]]\nn = 1\n[[list]]\nn = 2\n+++\n",
        "{\"title\": \"a b\", \"draft\": true, \"weight\": 10, \"publishDate\": \"2020-01-02\",\n\
         \"tags\": [\"x\", \"y\"], \"score\": {\"quality\": 1}, \"list\": [{\"n\": 1}, {\"n\": 2}]}\n",
    ] {
        let document = read(&split(source, holds_back).unwrap());
        assert!(document.errors.is_empty(), "{:?}", document.errors);
        assert_eq!(shape(&document.root), expected);
    }
}

#[test]
fn limits_and_duplicates_are_the_same_in_each_format() {
    let sources = |depth: usize, filler: usize| {
        let levels = depth - 1;
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let filler = "x".repeat(filler);
        [
            format!("---\na: {nested}\nb: {filler}\n---\n"),
            format!("+++\na = {nested}\nb = '{filler}'\n+++\n"),
            format!("{{\"a\": {nested}, \"b\": \"{filler}\"}}\n"),
        ]
    };
    let faults = |source: &String| {
        let document = read(&split(source, holds_back).unwrap());
        document
            .errors
            .iter()
            .map(|error| error.fault)
            .collect::<Vec<_>>()
    };
    for source in &sources(MAX_NESTING, 1) {
        assert_eq!(faults(source), [], "{source}");
    }
    for depth in [MAX_NESTING + 1, 70, 1_000, 20_000] {
        for source in &sources(depth, 1) {
            assert_eq!(faults(source), [Fault::Nesting], "{depth}");
        }
    }
    for source in &sources(2, MAX_BYTES) {
        assert_eq!(faults(source), [Fault::Size]);
    }
    for source in [
        "---\na: 1\nb: {c: 1, c: 2}\na: 2\n---\n",
        "+++\na = 1\nb.c = 1\nb.c = 2\na = 2\n+++\n",
        "{\"a\": 1, \"b\": {\"c\": 1, \"c\": 2}, \"a\": 2}\n",
    ] {
        let source = source.to_owned();
        assert_eq!(
            faults(&source),
            [Fault::Duplicate, Fault::Duplicate],
            "{source}"
        );
    }
}

/// Nothing grows with the square of a hostile front matter.
#[test]
fn promise_10_a_hostile_front_matter_takes_no_time() {
    let n = 6_000;
    for source in [
        format!("---\na: [\n{}]\n---\n", "'b',\n".repeat(n)),
        format!("---\n{}---\n", "a:\tb\n".repeat(n)),
        format!("---\na: [{}\n---\n", "b #c\n, ".repeat(n)),
        format!("---\na: [{}]\n---\n", "é, ".repeat(n)),
        format!("+++\na = [{}]\n+++\n", "'é', ".repeat(n)),
        format!("+++\n{}+++\n", "[a]\n".repeat(n)),
        format!("+++\n{}= 1\n+++\n", "a.".repeat(n)),
        format!("{{\"a\": [{}1]}}\n", "\"é\", ".repeat(n)),
        "<!-- a -->\n".repeat(n),
        format!("{}---\n", "a: b\n".repeat(n)),
        format!("\n---\n{}", "a: b\n".repeat(n)),
        "{".repeat(n * 10),
    ] {
        let start = std::time::Instant::now();
        readers::boundary(source.as_bytes());
        let seconds = start.elapsed().as_secs();
        assert!(seconds < 10, "{seconds} s: {}", &source[..40]);
    }
}

#[test]
fn plain_fields_know_their_places() {
    let document =
        read(&split("\nTitle:  é: x \nTags: a,\n  b\nEmpty:\n\ntext", holds_back).unwrap());
    assert!(document.errors.is_empty());
    let found: Vec<_> = document
        .root
        .mapping()
        .unwrap()
        .iter()
        .map(|(key, node)| {
            let (at, value) = (key.span, node.span);
            let text = node.text().unwrap_or_default();
            (
                key.text(),
                text,
                at.line,
                value.line,
                value.column,
                value.length,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("Title", "é: x", 2, 2, 9, 4),
            ("Tags", "a, b", 3, 3, 7, 2),
            ("Empty", "", 5, 5, 7, 1),
        ]
    );
    readers::boundary("Title: x\nA: b\nA: b\n".as_bytes());
}
