//! Positions, refusals and typed access.

use super::*;
use crate::diagnostic::Span;

fn span(line: u32, column: u32, length: u32) -> Span {
    Span {
        line,
        column,
        length,
    }
}

fn entries(node: &Node) -> &[(Key, Node)] {
    node.mapping().unwrap()
}

#[test]
fn nodes_know_their_places() {
    let tree = parse("a: 12\nb c:\n  - \"x y\"\n  - {D: e}\nf:\n", 10).unwrap();
    let all = entries(&tree);
    assert_eq!(all[0].0.span, span(10, 1, 1));
    assert_eq!(all[0].1.span, span(10, 4, 2));
    assert_eq!((all[1].0.name.as_str(), all[1].0.text()), ("b_c", "b c"));
    let items = all[1].1.list().unwrap();
    assert_eq!(items[0].span.line, 12);
    assert_eq!(items[0].span.column, 5);
    assert_eq!(items[1].span, span(13, 5, 1));
    assert_eq!(entries(&items[1])[0].0.name, "d");
    assert_eq!(all[2].1.span.line, 14);
    assert!(all[2].1.is_null());
}

#[test]
fn a_document_without_content_is_an_empty_mapping() {
    for text in ["", "\n\n", "# only a comment\n", "\u{feff}"] {
        assert_eq!(entries(&parse(text, 1).unwrap()), [], "{text:?}");
    }
}

#[test]
fn all_errors_come_at_once_and_in_order() {
    let text = "a: *x0\n";
    assert_eq!(parse(text, 1).unwrap_err()[0].fault, Fault::Alias);
    let text = "a: &x 1\nb: *x\nc: !!int 1\nA: 2\nd: [\n";
    let faults: Vec<_> = parse(text, 1)
        .unwrap_err()
        .iter()
        .map(|error| (error.fault, error.span.line))
        .collect();
    assert_eq!(
        faults,
        [
            (Fault::Anchor, 1),
            (Fault::Alias, 2),
            (Fault::Tag, 3),
            (Fault::Syntax, 6)
        ]
    );
    let faults: Vec<_> = parse("a: 1\nA: 2\n", 1)
        .unwrap_err()
        .iter()
        .map(|error| (error.fault, error.span))
        .collect();
    assert_eq!(faults, [(Fault::Duplicate, span(2, 1, 1))]);
    // Who reads on gets both spellings, and one of equal keys.
    let document = read("a: 1\nA: 2\na: 3\n", 1);
    assert_eq!(document.errors.len(), 1);
    let texts: Vec<_> = entries(&document.root)
        .iter()
        .map(|(key, _)| key.text())
        .collect();
    assert_eq!(texts, ["a", "A"]);
}

#[test]
fn duplicates_are_found_in_large_mappings_too() {
    let text: String = (0..200).map(|i| format!("k{}: v\n", i % 199)).collect();
    let errors = parse(&text, 1).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(
        errors[0].message,
        "expected each key once, found 'k0' again (first on line 1)"
    );
    assert_eq!(entries(&read(&text, 1).root).len(), 199);
}

#[test]
fn sixteen_levels_are_enough() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(16), 1).is_ok());
    let errors = parse(&nested(17), 1).unwrap_err();
    assert_eq!(
        (errors[0].fault, errors[0].span),
        (Fault::Nesting, span(1, 17, 1))
    );
}

#[test]
fn keys_are_normalised() {
    for key in [
        "ai outline",
        "AI-Outline",
        " ai_outline ",
        "Ai\tOutline",
        "aiOutline",
        "AIOutline",
    ] {
        assert_eq!(normalise(key), "ai_outline", "{key}");
    }
    for (key, name) in [
        ("", ""),
        ("publishDate", "publish_date"),
        ("ID", "id"),
        ("URL", "url"),
        ("URLs", "urls"),
        ("imageURLs", "image_urls"),
        ("TITLE", "title"),
        ("SEO_Title", "seo_title"),
        ("SEOTitle", "seo_title"),
        ("og:title", "og:title"),
        ("og:imageAlt", "og:image_alt"),
        ("h2Title", "h2_title"),
        ("sha256", "sha256"),
        ("v2", "v2"),
        ("lastMod", "last_mod"),
        ("A", "a"),
        ("Über Uns", "über_uns"),
        ("überUns", "über_uns"),
        ("日本Title", "日本title"),
    ] {
        assert_eq!(normalise(key), name, "{key}");
        assert_eq!(normalise(name), name, "{key}");
    }
}

#[test]
fn values_are_read_by_the_type_that_is_asked_for() {
    let text = "text: no\nwhole: 12\nflag: True\nttl: 1h30m\nmode: WARN\nlist: [a]\nmap: {b: c}\nnothing:\n";
    let tree = parse(text, 1).unwrap();
    let get = |name: &str| {
        &entries(&tree)
            .iter()
            .find(|(key, _)| key.name == name)
            .unwrap()
            .1
    };
    assert_eq!(get("text").text().unwrap(), "no");
    assert_eq!(get("whole").whole(1..=12).unwrap(), 12);
    assert!(get("flag").flag().unwrap());
    assert_eq!(get("ttl").duration_ms(0..=u64::MAX).unwrap(), 5_400_000);
    assert_eq!(get("mode").choice(&["allow", "warn", "deny"]).unwrap(), 1);
    assert_eq!(get("list").list().unwrap().len(), 1);
    assert_eq!(get("map").mapping().unwrap().len(), 1);
    assert!(get("nothing").mapping().unwrap().is_empty());

    let message = |error: YamlError| error.message;
    assert_eq!(
        message(get("whole").whole(1..=11).unwrap_err()),
        "expected a whole number from 1 to 11, found 12"
    );
    assert_eq!(
        message(get("list").text().unwrap_err()),
        "expected a text, found a list"
    );
    assert_eq!(
        message(get("text").flag().unwrap_err()),
        "expected true or false, found 'no'"
    );
    assert_eq!(
        message(get("whole").duration_ms(60_000..=3_600_000).unwrap_err()),
        "expected a duration from 1m to 1h (for example 12h), found 12"
    );
    assert_eq!(
        message(get("text").choice(&["allow", "warn", "deny"]).unwrap_err()),
        "expected allow, warn or deny, found 'no'"
    );
    assert_eq!(
        message(get("map").list().unwrap_err()),
        "expected a list, found a mapping"
    );
    assert_eq!(
        message(get("text").mapping().unwrap_err()),
        "expected a mapping, found 'no'"
    );
    assert_eq!(
        message(get("nothing").text().unwrap_err()),
        "expected a text, found nothing"
    );
}

#[test]
fn unknown_keys_get_a_guess_if_there_is_a_close_one() {
    let tree = parse("Unknown-Feilds: warn\nmenu: x\n", 1).unwrap();
    let known = ["unknown_fields", "strict"];
    let errors: Vec<_> = entries(&tree)
        .iter()
        .map(|(key, _)| key.unknown(known))
        .collect();
    assert_eq!(errors[0].message, "unknown key 'Unknown-Feilds'");
    assert_eq!(
        errors[0].help.as_deref(),
        Some("did you mean 'unknown_fields'?")
    );
    assert_eq!(errors[1].help, None);
}

#[test]
fn an_error_becomes_a_diagnostic_with_its_line() {
    let source = "a: 1\nb: *x\n";
    let errors = parse(source, 1).unwrap_err();
    let path = std::sync::Arc::new(std::path::PathBuf::from("anp.yaml"));
    let found = errors
        .into_iter()
        .next()
        .unwrap()
        .diagnostic("settings", &path, source);
    let place = found.place.unwrap();
    assert_eq!(
        (place.line, place.column, place.text.as_str()),
        (2, 4, "b: *x")
    );
}
