//! WordPress exports, read as articles.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::BufReader;

use anp::article::schema::TABLE;
use anp::source::wxr::{Event, Item, Stopped, WxrError, WxrOptions, read, read_attachments};
use proptest::prelude::*;
use serde_json::{Value, json};

fn field_of(name: &str) -> Option<&'static str> {
    let mut fields = TABLE.iter();
    let field = fields.find(|field| field.name == name || field.aliases.contains(&name));
    field.map(|field| field.name)
}

/// The events of an export, and why it ends early.
fn events_with(bytes: &[u8], prefixes: &[String]) -> (Vec<Event>, Option<WxrError>) {
    let options = WxrOptions {
        meta_prefixes: prefixes,
        field_of: &field_of,
    };
    // An export that is cut short is refused before anything is read of it.
    let attachments = read_attachments(bytes).unwrap_or_default();
    let mut events = Vec::new();
    // A chunk that ends within every mark.
    let input = BufReader::with_capacity(5, bytes);
    let result = read::<Infallible>(input, &options, &attachments, &mut |event| {
        events.push(event);
        Ok(())
    });
    match result {
        Ok(summary) => {
            let all = summary.articles + summary.skipped + summary.broken;
            assert_eq!(all, events.len() as u64);
            (events, None)
        }
        Err(Stopped::Export(error)) => (events, Some(error)),
        Err(Stopped::Taker(never)) => match never {},
    }
}

fn events(text: &str) -> (Vec<Event>, Option<WxrError>) {
    events_with(text.as_bytes(), &[])
}

/// An export with this item.
fn export(items: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"><channel>\
         <pubDate>Sat, 01 Jun 2024 10:00:00 +0000</pubDate><wp:wxr_version>1.1</wp:wxr_version>\n\
         {items}\n</channel></rss>\n"
    )
}

/// The article of an export with one post, of these elements beside those of every post.
fn post(elements: &str) -> Item {
    let item = format!(
        "<item><wp:post_id>1</wp:post_id><wp:post_type>post</wp:post_type>{elements}</item>"
    );
    match events(&export(&item)).0.remove(0) {
        Event::Article(item) => *item,
        other => panic!("{other:?}"),
    }
}

fn published(elements: &str) -> Item {
    post(&format!("<wp:status>publish</wp:status>{elements}"))
}

fn meta(key: &str, value: &str) -> String {
    format!(
        "<wp:postmeta><wp:meta_key>{key}</wp:meta_key><wp:meta_value><![CDATA[{value}]]></wp:meta_value></wp:postmeta>"
    )
}

#[test]
fn an_export_becomes_articles() {
    let (events, error) = events(include_str!("wxr/blog.xml"));
    assert!(error.is_none());
    let mut shown = String::new();
    for event in &events {
        match event {
            Event::Article(item) => {
                let record = serde_json::to_string_pretty(&item.record).unwrap();
                let _ = writeln!(shown, "{} {}\nheld: {:?}", item.line, item.path, item.held);
                let _ = writeln!(shown, "{record}\n{}", item.html);
                for found in &item.findings {
                    let _ = writeln!(shown, "{} {}: {}", found.line, found.code, found.message);
                }
            }
            Event::Skipped { line, what } => {
                let _ = writeln!(shown, "{line} skipped: {what}");
            }
            Event::Broken { line, message } => {
                let _ = writeln!(shown, "{line} broken: {message}");
            }
        }
        shown.push_str("----\n");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_wordpress_does_not_show_to_everybody_is_held_back() {
    let date = |date: &str| format!("<wp:post_date_gmt>{date}</wp:post_date_gmt>");
    for (elements, expected) in [
        ("<wp:status>publish</wp:status>".to_owned(), None),
        (
            "<wp:status>draft</wp:status>".to_owned(),
            Some("a draft in WordPress"),
        ),
        (
            "<wp:status>auto-draft</wp:status>".to_owned(),
            Some("a draft in WordPress"),
        ),
        (
            "<wp:status>pending</wp:status>".to_owned(),
            Some("pending review in WordPress"),
        ),
        (
            "<wp:status>private</wp:status>".to_owned(),
            Some("private in WordPress"),
        ),
        (
            "<wp:status>archive</wp:status>".to_owned(),
            Some("in the status 'archive', which anp does not know"),
        ),
        (String::new(), Some("without a status in the export")),
        (
            "<wp:status>publish</wp:status><wp:post_password>x</wp:post_password>".to_owned(),
            Some("protected by a password in WordPress"),
        ),
        // Its date holds it back.
        (
            format!(
                "<wp:status>future</wp:status>{}",
                date("2024-06-02 10:00:00")
            ),
            None,
        ),
        (
            format!(
                "<wp:status>future</wp:status>{}",
                date("2024-05-02 10:00:00")
            ),
            Some("still scheduled in WordPress when its date had passed"),
        ),
        (
            "<wp:status>future</wp:status>".to_owned(),
            Some("scheduled in WordPress, without a date"),
        ),
        (
            format!(
                "<wp:status>publish</wp:status>{}",
                meta("_members_access_role", "editor")
            ),
            Some("restricted by the custom field '_members_access_role'"),
        ),
        (
            format!(
                "<wp:status>publish</wp:status>{}",
                meta("_llms_is_restricted", "no")
            ),
            None,
        ),
    ] {
        let item = post(&elements);
        assert_eq!(item.held.as_deref(), expected, "{elements}");
        let is_draft = item.record.get("draft") == Some(&Value::Bool(true));
        assert_eq!(is_draft, expected.is_some(), "{elements}");
    }
    let item = post(&format!(
        "<wp:status>publish</wp:status>{}",
        meta("_anp_draft", "1")
    ));
    assert_eq!(item.record["draft"], "1");
    let both = format!(
        "{}{}",
        meta("_anp_noindex", "no"),
        meta("rank_math_robots", "a:1:{i:0;s:7:\"noindex\";}")
    );
    assert_eq!(published(&both).record["noindex"], true);
}

#[test]
fn the_address_of_a_post_is_its_route() {
    for (link, slug, route, path) in [
        ("https://x/2024/a/", "a", Some("/2024/a/"), "2024/a.html"),
        ("https://x/", "home", Some("/"), "index.html"),
        ("https://x/?p=1", "a", Some("/a/"), "a.html"),
        ("https://x/blog/?p=1", "a", Some("/blog/a/"), "blog/a.html"),
        ("https://x/?p=1", "", None, "post-1.html"),
        ("", "a", Some("/a/"), "a.html"),
        ("https://x//a///b/", "b", Some("/a/b/"), "a/b.html"),
        ("https://x/a.html", "a", Some("/a.html"), "a.html"),
        (
            "https://x/caf%C3%A9/%2e%2e/",
            "b",
            Some("/caf\u{e9}/%2e%2e/"),
            "caf\u{e9}/%2e%2e.html",
        ),
        ("https://x/a/../b/", "b", Some("/a/../b/"), "a/b.html"),
    ] {
        let item = published(&format!(
            "<link>{link}</link><wp:post_name>{slug}</wp:post_name>"
        ));
        let found = item.record.get("route").and_then(Value::as_str);
        assert_eq!((found, item.path.as_str()), (route, path), "{link}");
    }
}

#[test]
fn what_is_shown_on_a_terminal_has_no_hidden_characters() {
    let escape = "\u{1b}[2J\u{202e}";
    let item = post(&format!(
        "<wp:status>a{escape}b</wp:status><link>https://x/c{escape}d/</link>{}",
        meta(&format!("e{escape}f"), "O:1:\"A\":0:{}")
    ));
    let shown = format!("{}{:?}", item.path, item.findings);
    assert!(
        !shown.contains("\\u{1b}") && !shown.contains(['\u{1b}', '\u{202e}']),
        "{shown}"
    );
    let (events, _) = events(&export(&format!(
        "<item><wp:post_type>a{escape}b</wp:post_type></item>"
    )));
    let expected = Event::Skipped {
        line: 3,
        what: "a[2Jb".to_owned(),
    };
    assert_eq!(events, [expected]);
}

#[test]
fn an_article_without_a_title_gets_one() {
    let body = |html: &str| format!("<content:encoded><![CDATA[{html}]]></content:encoded>");
    for (elements, expected) in [
        (body("Some <b>words</b>"), Some("Some words")),
        (body("<h1>Its own</h1>"), None),
        (
            "<wp:post_name>a-post</wp:post_name>".to_owned(),
            Some("a-post"),
        ),
        (String::new(), None),
    ] {
        let item = published(&elements);
        let title = item.record.get("title").and_then(Value::as_str);
        assert_eq!(title, expected, "{elements}");
        assert_eq!(
            item.findings.len(),
            usize::from(expected.is_some()),
            "{elements}"
        );
    }
}

#[test]
fn custom_fields_become_fields_or_stay_own_fields() {
    let prefixes = ["acme_".to_owned()];
    let metas = [
        meta("acme_topic", "caching"),
        meta("_anp_difficulty", "expert"),
        meta("score", "a:1:{s:7:\"quality\";i:9;}"),
        meta("views", "7"),
        meta("Views", "8"),
        meta("url", "https://elsewhere"),
        meta("empty", " "),
        meta(
            "deep",
            "a:1:{i:0;a:1:{i:0;a:1:{i:0;a:1:{i:0;a:1:{i:0;i:1;}}}}}",
        ),
        meta("broken", "a:2:{i:0;i:1;}"),
        meta("looks_like", "a:1"),
        meta("_oembed_12", "x"),
        meta("image", "https://x/i.png"),
    ];
    let item = format!(
        "<item><wp:status>publish</wp:status><wp:post_type>post</wp:post_type>\n{}</item>",
        metas.join("\n")
    );
    let (mut events, _) = events_with(export(&item).as_bytes(), &prefixes);
    let Event::Article(item) = events.remove(0) else {
        panic!("expected an article");
    };
    assert_eq!(
        Value::Object(item.record),
        json!({
            "topic": "caching",
            "_anp_difficulty": "expert",
            "score": {"quality": 9},
            "views": "7",
            "looks_like": "a:1",
            "image": "https://x/i.png",
        })
    );
    let findings = item.findings.iter();
    let findings: Vec<_> = findings
        .map(|found| format!("{} {}", found.line, found.message))
        .collect();
    assert_eq!(
        findings,
        [
            "8 left out the custom field 'Views': another one has the same name",
            "9 left out the custom field 'url': what WordPress or another custom field says of 'route' counts",
            "11 left out values of the custom field 'deep': expected at most 64 entries in a list or mapping, \
             and 4 of those inside each other",
            "12 left out the custom field 'broken': it looks like a serialised PHP value, but cannot be read as one",
        ]
    );
}

#[test]
fn own_fields_stay_within_the_limits_of_front_matter() {
    let many: String = (0..100).map(|at| meta(&format!("own{at}"), "x")).collect();
    let item = published(&many);
    let own = item.record.keys().filter(|key| key.starts_with("own"));
    assert_eq!((own.count(), item.findings.len()), (64, 36));
    let long: String = (0..60)
        .map(|at| meta(&format!("own{at}"), &"x".repeat(1000)))
        .collect();
    let item = published(&long);
    let bytes = serde_json::to_string(&item.record).unwrap().len();
    assert!(bytes < 64 * 1024 && !item.findings.is_empty(), "{bytes}");
    let often: String = (0..100).map(|at| meta("own", &at.to_string())).collect();
    assert_eq!(
        published(&often).record["own"].as_array().unwrap().len(),
        64
    );
    let tags: String = (0..100)
        .map(|at| format!("<category domain=\"post_tag\" nicename=\"t\">t{at}</category>"))
        .collect();
    let item = published(&tags);
    assert_eq!(item.record["tags"].as_array().unwrap().len(), 64);
    assert_eq!(
        item.findings[0].message,
        "left out tags beyond the first 64"
    );
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_reported() {
    let text = export(
        "<item>\n<title>t</title><wp:post_type>post</wp:post_type><wp:status>publish</wp:status>\r\n\
         <content:encoded>a\u{1}b BAD</content:encoded></item>",
    );
    let at = text.find("BAD").unwrap();
    let mut bytes = text.into_bytes();
    bytes[at] = 0xff;
    let (mut events, error) = events_with(&bytes, &[]);
    assert!(error.is_none());
    let Event::Article(item) = events.remove(0) else {
        panic!("expected an article");
    };
    assert_eq!(item.html, "<p>a\u{1}b \u{fffd}AD</p>\n");
    assert_eq!(item.findings[0].line, 5);
    assert_eq!(
        item.findings[0].message,
        "expected UTF-8, found the byte 0xff; such bytes were replaced"
    );
}

#[test]
fn an_export_that_ends_anywhere_is_cut_short() {
    let whole = include_str!("wxr/blog.xml");
    let end = whole.find("</rss>").unwrap();
    let start = whole.find("<channel>").unwrap();
    for at in (start..end).step_by(97).chain([end, end + 5]) {
        let (_, error) = events(&whole[..whole.floor_char_boundary(at)]);
        assert!(
            matches!(error, Some(WxrError::CutShort { .. })),
            "{at}: {error:?}"
        );
    }
}

#[test]
fn a_caller_that_has_enough_ends_the_reading() {
    let options = WxrOptions {
        meta_prefixes: &[],
        field_of: &field_of,
    };
    let bytes = include_bytes!("wxr/blog.xml");
    let attachments = read_attachments(&bytes[..]).unwrap();
    let mut seen = 0;
    let result = read(&bytes[..], &options, &attachments, &mut |_| {
        seen += 1;
        if seen == 2 { Err("enough") } else { Ok(()) }
    });
    assert!(
        matches!(result, Err(Stopped::Taker("enough"))),
        "{result:?}"
    );
    assert_eq!(seen, 2);
}

/// Marks that an export is cut by, and what may stand between them.
const MARKS: [&str; 24] = [
    "<item>",
    "</item>",
    "\n<item>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?",
    "?>",
    "<",
    ">",
    "&",
    "&amp;",
    "&#0;",
    "<!DOCTYPE a>",
    "</channel>",
    "</rss>",
    "<rss>",
    "\u{0}",
    "\u{f6}",
    "<wp:postmeta>",
    "</wp:meta_value>",
    "[gallery]",
    "a:1:{",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_happens_to_an_export_reading_it_ends(
        changes in prop::collection::vec((0..10_000_usize, 0..200_usize, prop::sample::select(&MARKS[..])), 1..6)
    ) {
        let mut text = include_str!("wxr/blog.xml").to_owned();
        for (at, length, mark) in changes {
            let start = text.floor_char_boundary(at.min(text.len()));
            let end = text.floor_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end, mark);
        }
        let lines = u32::try_from(text.lines().count()).unwrap();
        let (events, _) = events(&text);
        let mut last = 0;
        for event in &events {
            let line = match event {
                Event::Article(item) => item.line,
                Event::Skipped { line, .. } | Event::Broken { line, .. } => *line,
            };
            prop_assert!(last <= line && line <= lines, "{last} {line} {lines}");
            last = line;
        }
    }
}
