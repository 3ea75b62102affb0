//! The fast reader of plain YAML against the parser: whatever it reads, the parser reads the
//! same, to the last span; and what the generator writes, it does read.
//!
//! `YAML_CASES` is the number of random documents (a million takes some minutes in a release
//! build).

use std::path::Path;
use std::sync::LazyLock;

use anp::synth::{Generator, Kind, Options, SynthArticle};
use anp::yaml::{plain, read, read_by_parser};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

/// Whether the fast reader takes `text`; or how its result differs from the parser's.
fn taken(text: &str) -> Result<bool, String> {
    let Some(fast) = plain::read(text, 2) else {
        return Ok(false);
    };
    let slow = read_by_parser(text, 2);
    if fast == slow && slow.complete && slow.errors.is_empty() {
        return Ok(true);
    }
    Err(format!("{text}\n{text:?}\nfast {fast:#?}\nslow {slow:#?}"))
}

/// What stands between the first two lines `---`.
fn front_matter(source: &str) -> Option<&str> {
    let rest = source.strip_prefix("---\n")?;
    let end = rest.find("\n---\n")?;
    rest.get(..=end)
}

#[test]
fn every_article_of_the_generator_is_taken() {
    let mut article = SynthArticle::default();
    let spreads = [(1, 0, true), (2, 40, false), (8, 150, true)];
    for (seed, (body_kb, spread, ttl)) in (1..).zip(spreads) {
        let options = Options {
            body_kb,
            spread,
            ttl,
            ..Options::default()
        };
        let generator = Generator::new(seed * 28_802, options);
        for n in 0..400 {
            assert_eq!(generator.article_into(n * 1_237, &mut article), Kind::Valid);
            let source = str::from_utf8(&article.bytes).unwrap();
            let yaml = front_matter(source).unwrap();
            assert_eq!(taken(yaml), Ok(true), "seed {seed}, article {n}");
        }
    }
}

#[test]
fn broken_and_hostile_articles_are_read_as_the_parser_reads_them() {
    let options = Options {
        invalid: "50%".parse().unwrap(),
        hostile: "50%".parse().unwrap(),
        ..Options::default()
    };
    for seed in 1..=4 {
        let generator = Generator::new(seed, options.clone());
        for n in 0..500 {
            let article = generator.article(n);
            let source = String::from_utf8_lossy(&article.bytes);
            taken(front_matter(&source).unwrap_or(&source)).unwrap();
        }
    }
}

/// All files below `folder`, as texts.
fn texts(folder: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    walkdir::WalkDir::new(root)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned())
        .collect()
}

#[test]
fn files_of_the_repository_are_read_as_the_parser_reads_them() {
    let mut count = 0;
    for text in texts("fixtures").iter().chain(&texts("content")) {
        for text in [text, front_matter(text).unwrap_or_default()] {
            count += usize::from(taken(text).unwrap());
        }
    }
    assert!(count > 100, "{count}");
    // People fold long texts over several lines, which programs rarely do.
    for source in texts("content") {
        let yaml = front_matter(&source).unwrap();
        assert_eq!(taken(yaml), Ok(!yaml.contains(": >-\n")), "{yaml}");
    }
}

#[test]
fn what_is_doubtful_is_left_to_the_parser() {
    let long = format!("{}: a\n", "k".repeat(300));
    let many: String = (0..100).map(|n| format!("k{n}: v\n")).collect();
    let deep = (0..17).fold(String::new(), |text, n| text + &" ".repeat(n) + "a:\n");
    for text in [
        "",
        "\n# a\n",
        "a\n",
        "a: b: c\n",
        "a: b:\n",
        "a: b # c\n",
        "a: b #c\n",
        "a:\tb\n",
        "a: b\t\n",
        "a: b\r\n",
        "a: b \n",
        "a: \n",
        "a : b\n",
        " a: b\n",
        "a: b\n c\n",
        "a: b\n\n c: d\n",
        "a: b\n - c\n",
        "a:\n  b\n",
        "a:\n  b: c\n d: e\n",
        "a:\n  - b\n c: d\n",
        "a: 1\na: 2\n",
        "a: 1\nA: 2\n",
        "a:\n- b\nA: c\n",
        ": a\n",
        "\u{a0}: a\n",
        "? a\n",
        "a: ? b\n",
        "a: - b\n",
        "- - a\n",
        "-  a\n",
        "-\n",
        "- \n",
        "-\ta\n",
        "- a\nb: c\n",
        "a: &b c\n",
        "a: *b\n",
        "a: !b c\n",
        "a: |\n  b\n",
        "a: >\n  b\n",
        "a: %b\n",
        "a: @b\n",
        "a: `b`\n",
        "%a: b\n",
        "---\na: b\n",
        "a: b\n---\n",
        "a: b\n...\n",
        "a: ---\n",
        "a: \"b\\n\"\n",
        "a: \"b\n",
        "a: \"b\n  c\"\n",
        "a: \"b\" c\n",
        "a: 'b''c'\n",
        "\"a\": b\n",
        "a: [b\n",
        "a: [b,\n  c]\n",
        "a: [b] c\n",
        "a: [b, [c]]\n",
        "a: [b: c]\n",
        "a: [b, ]\n",
        "a: [, b]\n",
        "a: [b -]\n",
        "a: [b:]\n",
        "a: [\"b\"]\n",
        "a: [b #c]\n",
        "a: {b}\n",
        "a: {b:}\n",
        "a: {b:c}\n",
        "a: {b: }\n",
        "a: {b: [c]}\n",
        "a: {b: c, B: d}\n",
        "a: b\u{0}\n",
        "a: b\u{7f}\n",
        "a: b\u{85}c\n",
        "a: b\u{2028}c\n",
        "a: b\u{2029}c\n",
        "\u{feff}a: b\n",
        "a: b\n  \nc: d\n",
        &long,
        &many,
        &deep,
    ] {
        assert_eq!(taken(text), Ok(false), "{text:?}");
        assert_eq!(read(text, 2), read_by_parser(text, 2));
    }
}

#[test]
fn what_is_plain_is_taken() {
    let deep = (0..15).fold(String::new(), |text, n| text + &" ".repeat(n) + "a:\n");
    for text in [
        "a: b",
        "a:",
        "a:\nb:\n",
        "a:    b\n",
        "# c\na: b\n\n  # d\nc: e\n",
        "a:\n\n  # b\n  - c\n",
        "a: b:c http://d:80/#e C# x[1]{2},3\n",
        "a: it's \"so\"\n",
        "a: -1\nb: .5\nc: ~\nd: null\n",
        "a: 'b: c # d'\nb: \" e \"\n",
        "a: ''\nb: \"\"\n",
        "a: []\nb: {}\nc: [ d , e ]\nd: {e: f:g,h: 1:2}\n",
        "a:\n- b\n- c: d\n  e: f\n- g\nh:\n- i\n",
        "a:\n    - b: c\n      d:\n      - e\n      f:\n       g: h\n    - i\nj: k\n",
        "- a\n- b: c\n- [d]\n- 'e'\n",
        "größe: ärger 😀 e\u{301}\n日本: [語, é x]\n\u{a0}a\u{a0}b: \u{3000}c\n",
        &deep,
    ] {
        assert_eq!(taken(text), Ok(true), "{text:?}");
    }
}

/// What a mutation puts in: whatever means something to YAML, and what only looks like it.
const PIECES: [&str; 69] = [
    ": ", ":", " #", "#", "- ", "-", "--", "---", "...", ".", "[", "]", "{", "}", ",", ", ", "'",
    "\"", "''", "\\", "\t", "\r", "\r\n", "\n", "\n\n", " ", "  ", "    ", "\n ", "\n  ", "\n- ",
    "\n  - ", "\n---\n", "\n...\n", "\u{85}", "\u{2028}", "\u{2029}", "\u{a0}", "\u{feff}", "\0",
    "\u{1b}", "\u{7f}", "😀", "é", "e\u{301}", "日", "\u{200b}", "&a ", "*a", "!", "!!int ", "|",
    ">", "%", "@", "`", "? ", "?", "<<: ", "~", "null", "a: b", "\na: b\n", "[a, b]", "{a: b}",
    "\"a\"", "'b'", "\n# c\n", "title",
];

#[derive(Clone, Debug)]
enum Change {
    Insert(&'static str),
    Replace(usize, &'static str),
    Delete(usize),
    /// Another part of the same text.
    Copy(Index, usize),
}

fn changes(most: usize) -> impl Strategy<Value = Vec<(Index, Change)>> {
    let change = prop_oneof![
        4 => select(&PIECES[..]).prop_map(Change::Insert),
        2 => (1..4_usize, select(&PIECES[..])).prop_map(|(n, piece)| Change::Replace(n, piece)),
        2 => (1..12_usize).prop_map(Change::Delete),
        1 => (any::<Index>(), 1..20_usize).prop_map(|(from, n)| Change::Copy(from, n)),
    ];
    proptest::collection::vec((any::<Index>(), change), 0..=most)
}

fn changed(text: &str, changes: &[(Index, Change)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, change) in changes {
        let at = at.index(chars.len() + 1);
        let end = |n: usize| (at + n).min(chars.len());
        match change {
            Change::Insert(piece) => drop(chars.splice(at..at, piece.chars())),
            Change::Replace(n, piece) => drop(chars.splice(at..end(*n), piece.chars())),
            Change::Delete(n) => drop(chars.drain(at..end(*n))),
            Change::Copy(from, n) => {
                let from = from.index(chars.len() + 1);
                let part = chars[from..(from + n).min(chars.len())].to_vec();
                chars.splice(at..at, part);
            }
        }
    }
    chars.into_iter().collect()
}

/// A document of the subset and a little more.
#[derive(Clone, Debug)]
enum Tree {
    /// A text as it is written, quotes and brackets included.
    Line(String),
    Nothing,
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

fn word() -> impl Strategy<Value = &'static str> {
    select(vec![
        "a",
        "b c",
        "12",
        "x:y",
        "é",
        "e\u{301}",
        "日本",
        "-1",
        "a#b",
        "C#",
        "~",
        "null",
        "it's",
        "\u{a0}",
        "😀",
        "a - b",
        "-",
        ".",
        "--",
        "C++",
        "x[1]",
        "x, y",
        "/",
        "http://a.b/c?d=e",
        "2024-01-02T03:04:05Z",
        "x  y",
        "true",
        "?",
        "=",
        "a\"b",
        "(c)",
        "<<",
    ])
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(word(), 1..4).prop_map(|words| words.join(" "))
}

fn line() -> impl Strategy<Value = String> {
    let texts = || proptest::collection::vec(text(), 0..4);
    let pairs = proptest::collection::vec((word(), text()), 0..4);
    prop_oneof![
        4 => text(),
        1 => text().prop_map(|text| format!("\"{text}\"")),
        1 => text().prop_map(|text| format!("'{text}'")),
        1 => texts().prop_map(|texts| format!("[{}]", texts.join(", "))),
        1 => texts().prop_map(|texts| format!("[ {} ]", texts.join(" ,"))),
        1 => pairs.prop_map(|pairs| {
            let pairs: Vec<_> = pairs.iter().map(|(key, text)| format!("{key}: {text}")).collect();
            format!("{{{}}}", pairs.join(", "))
        }),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![5 => line().prop_map(Tree::Line), 1 => Just(Tree::Nothing)];
    let node = leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof![
            4 => select(vec!["a", "b", "c", "d e", "f-g", "H", "ü", "x.y", "k_1"]).prop_map(str::to_owned),
            1 => text(),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Tree::List),
            proptest::collection::vec((key, inner), 1..5).prop_map(Tree::Map),
        ]
    });
    node.prop_map(|tree| match tree {
        tree @ (Tree::List(_) | Tree::Map(_)) => tree,
        leaf => Tree::Map(vec![("a".to_owned(), leaf)]),
    })
}

/// How a tree is laid out.
#[derive(Clone, Copy, Debug)]
struct Layout {
    step: usize,
    /// Lists stand at the column of their key.
    level: bool,
    /// What stands before every line.
    between: &'static str,
}

fn layout() -> impl Strategy<Value = Layout> {
    let between = select(vec!["", "", "", "\n", "# c: [d\n", "   # c\n\n", "  \n"]);
    (1..5_usize, any::<bool>(), between).prop_map(|(step, level, between)| Layout {
        step,
        level,
        between,
    })
}

/// Appends `tree`, whose lines stand at `column`. The first is there already if `inline`.
fn write(tree: &Tree, layout: Layout, column: usize, mut inline: bool, out: &mut String) {
    let mut begin = |out: &mut String| {
        if !std::mem::take(&mut inline) {
            out.push_str(layout.between);
            out.push_str(&" ".repeat(column));
        }
    };
    match tree {
        Tree::Line(_) | Tree::Nothing => {}
        Tree::List(items) => {
            for item in items {
                begin(out);
                out.push_str("- ");
                match item {
                    Tree::Line(text) => out.push_str(&format!("{text}\n")),
                    Tree::Nothing => out.push('\n'),
                    item => write(item, layout, column + 2, true, out),
                }
            }
        }
        Tree::Map(entries) => {
            for (key, value) in entries {
                begin(out);
                out.push_str(&format!("{key}:"));
                let step = match value {
                    Tree::List(_) if layout.level => 0,
                    _ => layout.step,
                };
                match value {
                    Tree::Line(text) => out.push_str(&format!(" {text}\n")),
                    value => {
                        out.push('\n');
                        write(value, layout, column + step, false, out);
                    }
                }
            }
        }
    }
}

/// Documents to be spoilt: front matter of the generator and of the repository, and parts of it.
static BASES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let generator = Generator::new(7, Options::default());
    let generated = (0..60).map(|n| String::from_utf8(generator.article(n).bytes).unwrap());
    let mut bases: Vec<String> = generated
        .chain(texts("content"))
        .filter_map(|source| front_matter(&source).map(str::to_owned))
        .collect();
    for n in 0..bases.len() {
        let lines: Vec<&str> = bases[n].split_inclusive('\n').collect();
        let parts = lines
            .chunks(7 + n % 9)
            .map(<[&str]>::concat)
            .collect::<Vec<_>>();
        bases.extend(parts);
    }
    bases
});

fn document() -> impl Strategy<Value = String> {
    let written = (tree(), layout(), changes(3)).prop_map(|(tree, layout, changes)| {
        let mut text = String::new();
        write(&tree, layout, 0, false, &mut text);
        changed(&text, &changes)
    });
    let spoilt =
        (select(&BASES[..]), changes(3)).prop_map(|(text, changes)| changed(&text, &changes));
    prop_oneof![written, spoilt]
}

#[test]
fn random_documents_are_read_as_the_parser_reads_them() {
    let cases = std::env::var("YAML_CASES").map_or(4_000, |cases| cases.parse().unwrap());
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let (all, fast) = (std::cell::Cell::new(0_u32), std::cell::Cell::new(0_u32));
    let result = runner.run(&document(), |text| {
        let taken = taken(&text).map_err(TestCaseError::fail)?;
        all.set(all.get() + 1);
        fast.set(fast.get() + u32::from(taken));
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, text)) => panic!("{reason}\n{text:?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
    println!("{} of {} documents were taken", fast.get(), all.get());
    assert!(
        fast.get() > all.get() / 10,
        "{} of {}",
        fast.get(),
        all.get()
    );
}
