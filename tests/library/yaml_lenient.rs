//! YAML as the readers of other programs take it. What the parser takes is never changed by the
//! repair of what it refuses.

use std::cell::Cell;

use anp::yaml::{Document, Kind, Node, read, read_by_parser, read_repaired};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

/// The tree without its places; a text in quotes is marked as such.
fn shape(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar { text, plain: true } => json!(text),
        Kind::Scalar { text, plain: false } => json!({ "quoted": text }),
        Kind::Sequence(items) => items.iter().map(shape).collect(),
        Kind::Mapping(entries) => {
            let pairs = entries
                .iter()
                .map(|(key, node)| json!([key.text(), shape(node)]));
            json!({ "pairs": pairs.collect::<Vec<_>>() })
        }
    }
}

fn whole(text: &str) -> Document {
    let document = read(text, 2);
    assert!(document.errors.is_empty(), "{text}\n{:#?}", document.errors);
    assert!(document.complete);
    document
}

/// Each text, and one that the parser takes and that means the same.
#[test]
fn what_other_readers_take_is_read_as_they_read_it() {
    for (text, same) in [
        // PyYAML, js-yaml and Psych give these alike.
        ("t: [\n'a',\n'b',\n]\n", "t: ['a', 'b']\n"),
        ("t: [\n  'a',\n  'b'\n]\nu: v\n", "t: ['a', 'b']\nu: v\n"),
        ("t: [\n'a', # c\n# d\nb c,\nd\n]\n", "t: ['a', b c, d]\n"),
        (
            "t: {\na: 'b',\n\n\"c\": [\nd\n]\n}\n",
            "t: {a: 'b', \"c\": [d]}\n",
        ),
        ("m:\n  t: [\n'a'\n  ]\n  u: v\n", "m:\n  t: ['a']\n  u: v\n"),
        (
            "m:\n  - t: [\n  'a'\n  ]\n  - v\n",
            "m:\n  - t: ['a']\n  - v\n",
        ),
        ("m:\n- [\na]\n- \"b\nc\"\n", "m:\n- [a]\n- \"b c\"\n"),
        ("t: [\n\t'a',\n\t'b'\n]\n", "t: ['a', 'b']\n"),
        ("t: \"one\ntwo\"\nu: v\n", "t: \"one two\"\nu: v\n"),
        ("t: 'one\n\ntwo''s\nlast'\n", "t: \"one\\ntwo's last\"\n"),
        (
            "t: \"one\\\ntwo \\\"x\\\"\n\"\n",
            "t: \"onetwo \\\"x\\\" \"\n",
        ),
        ("t:\n  \"one\ntwo\"\n", "t: \"one two\"\n"),
        (
            "t: \"one\r\ntwo\"\r\nu: v\r\n",
            "t: \"one two\"\r\nu: v\r\n",
        ),
        ("t:\tTabbed\nu:\t x y\n", "t: Tabbed\nu: x y\n"),
        (
            "t:\t\t'a'\nu:\t[b,\tc]\nv:\t# w\n",
            "t: 'a'\nu: [b, c]\nv: # w\n",
        ),
        ("t:\t|\n  a\tb:\tc\n", "t: |\n  a\tb:\tc\n"),
        ("- a:\tb\n  c:\td\n", "- a: b\n  c: d\n"),
        ("t: {a:\tb, 'c':\td}\n", "t: {a: b, 'c': d}\n"),
        (
            "t: |\n  a:\tb\n  [\n'\nu:\tv\n",
            "t: |\n  a:\tb\n  [\n'\nu:\tv\n",
        ),
        // A lone `!`, and `!!str`: the value is a text.
        ("t: ! 'Release 0.9: small'\n", "t: 'Release 0.9: small'\n"),
        ("t: ! \"a\"\nu: [! 'b']\n", "t: \"a\"\nu: ['b']\n"),
        ("t: !!str 12\n", "t: '12'\n"),
        ("t: ! null\n", "t: 'null'\n"),
        ("t: !!str\n", "t: ''\n"),
    ] {
        if read_by_parser(same, 2).errors.is_empty() {
            assert_eq!(shape(&whole(text).root), shape(&whole(same).root), "{text}");
        } else {
            // Nobody takes it.
            assert!(!read(text, 2).errors.is_empty(), "{text}");
        }
    }
}

#[test]
fn places_are_those_of_the_file() {
    let root = whole("größe: [\n'a',\n   b\n]\nt:\tx\n").root;
    let entries = root.mapping().unwrap();
    let place = |node: &Node| (node.span.line, node.span.column, node.span.length);
    let items = entries[0].1.list().unwrap();
    assert_eq!(place(&entries[0].1), (2, 8, 1));
    assert_eq!(place(&items[0]), (3, 1, 3));
    assert_eq!(place(&items[1]), (4, 4, 1));
    assert_eq!(place(&entries[1].1), (6, 4, 1));
    // The first error that is left is told, where it is.
    let errors = read("a:\tb\nt: [\n'a' 'b'\n]\n", 2).errors;
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].span.line, errors[0].span.column), (4, 5));
}

#[test]
fn other_tags_and_what_nobody_takes_stay_errors() {
    for text in [
        "a: !!binary aGk=\n",
        "a: !!int 1\n",
        "a: !x b\n",
        "a: !<tag:example.org,2000:x> b\n",
        "a: !!str [b]\n",
        "a: ! [b]\n",
        "a: !!map {b: c}\n",
        "a:\tb: c\n",
        "a:\t- b\n",
        "a:\n\tb: c\n",
        "a: [\nb\n",
        "a: \"b\nc\n",
        "a: 'b'\nc'\n",
        "a: \"b\n--- c\"\n",
    ] {
        assert!(!read(text, 2).errors.is_empty(), "{text}");
    }
}

/// Lines that open, close, or only seem to.
const LINES: [&str; 47] = [
    "a:",
    "b: c",
    "- d",
    "-",
    "- e: f",
    "- - g",
    "h: [",
    "i: {",
    "]",
    "}",
    "],",
    "'j'",
    "'k',",
    "\"l\": m",
    "n: 'o",
    "p'",
    "q: \"r",
    "s\"",
    "t: \"u \\\"",
    "v''w'",
    "x: |",
    "- >",
    "y: >-",
    "# z \"",
    "a: b # 'c",
    "a#b 'c",
    "it's \"d\"",
    "[e, 'f",
    "g', h]",
    "{i: j,",
    "k: l}",
    "m:\tn",
    "o:\t'p'",
    "{q:\tr}",
    "[\"s\", t u 'v]",
    "w: !x y",
    "&z a",
    "? b",
    ": c",
    "d: e: f",
    "[g #h",
    "i:\t[j,\t:\"]",
    "[\"k\":l, {m}:n]",
    "[o :p, :q', 'r' :s]",
    "",
    "\t",
    "[[",
];

fn document() -> impl Strategy<Value = String> {
    let line = (0..5_usize, select(&LINES[..]));
    let end = select(vec!["\n", "\n", "\n", "\r\n", "\n\n"]);
    (proptest::collection::vec(line, 1..7), end).prop_map(|(lines, end)| {
        let mut text = String::new();
        for (indent, line) in lines {
            text.push_str(&" ".repeat(indent));
            text.push_str(line);
            text.push_str(end);
        }
        text
    })
}

#[test]
fn a_text_within_brackets_may_begin_with_a_colon() {
    let text = "tags:\t[a,\t:\"]\nscore:\n  b\n";
    let document = read_by_parser(text, 2);
    assert!(document.complete);
    assert_eq!(read_repaired(text, 2), Some(document));
}

#[test]
fn a_repair_never_changes_what_the_parser_reads() {
    let cases = std::env::var("YAML_CASES").map_or(20_000, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let (read, repaired, saved) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let result = runner.run(&document(), |text| {
        let document = read_by_parser(&text, 2);
        read.set(read.get() + u32::from(document.complete));
        let Some(again) = read_repaired(&text, 2) else {
            return Ok(());
        };
        saved.set(saved.get() + u32::from(again.complete && document == again));
        repaired.set(repaired.get() + 1);
        if document.complete && document != again {
            let message = format!("{text}\n{document:#?}\n{again:#?}");
            return Err(TestCaseError::fail(message));
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let (read, repaired, saved) = (read.get(), repaired.get(), saved.get());
    println!("{read} read, {repaired} repaired, {saved} of them whole");
    assert!(read > cases / 10 && saved > cases / 200, "{read} {saved}");
}
