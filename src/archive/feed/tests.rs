//! The rules of RFC 4287 and of the W3C feed validator that apply to what is written here, and those of
//! JSON Feed 1.1.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::*;

const HEAD: FeedHead<'static> = FeedHead {
    title: "Redis & caching",
    site_url: "https://example.org",
    list: "/redis-caching/",
    path: "/redis-caching/feed.xml",
    language: "en",
};

fn item<'f>(route: &'f str, title: &'f str) -> FeedItem<'f> {
    FeedItem {
        route,
        title,
        summary: "What a key holds.",
        authors: vec!["Ann Example"],
        published: Some("2026-01-31"),
        updated: Some("2026-02-01T12:00:00+01:00"),
        tags: vec!["redis", "a \"b\" & c"],
    }
}

/// An element: name, attributes, text, children.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn of(start: &BytesStart<'_>) -> Self {
        let attributes = start.attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            (
                attribute.key.as_ref().to_owned(),
                quick_xml::escape::unescape(&attribute.value)
                    .unwrap()
                    .into_owned(),
            )
        });
        Self {
            name: start.name().as_ref().to_owned(),
            attributes: attributes.collect(),
            ..Self::default()
        }
    }

    fn all(&self, name: &str) -> Vec<&Element> {
        self.children
            .iter()
            .filter(|child| child.name == name)
            .collect()
    }

    fn one(&self, name: &str) -> &Element {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} of {self:?}");
        all[0]
    }
}

/// Parses a whole document: its root.
fn parse(xml: &[u8]) -> Element {
    let text = std::str::from_utf8(xml).unwrap();
    assert!(text.chars().all(is_xml), "a character that XML forbids");
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().unwrap();
        match event {
            Event::Start(start) => open.push(Element::of(&start)),
            Event::Empty(start) => open.last_mut().unwrap().children.push(Element::of(&start)),
            Event::End(_) => {
                let element = open.pop().unwrap();
                open.last_mut().unwrap().children.push(element);
            }
            Event::Text(text) => open.last_mut().unwrap().text += &*text,
            Event::GeneralRef(name) => {
                let reference = format!("&{};", &*name);
                open.last_mut().unwrap().text += &quick_xml::escape::unescape(&reference).unwrap();
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!(open.len(), 1);
    let mut document = open.pop().unwrap();
    assert_eq!(document.children.len(), 1);
    document.children.pop().unwrap()
}

/// `Char` of XML 1.0.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// What must be true of every Atom feed.
fn judge(xml: &[u8]) -> Element {
    let feed = parse(xml);
    assert_eq!(feed.name, "feed");
    assert_eq!(feed.attributes["xmlns"], "http://www.w3.org/2005/Atom");
    let mut ids = HashSet::new();
    let entries = feed.all("entry");
    for part in entries.iter().copied().chain([&feed]) {
        // RFC 4287, sections 4.1.1 and 4.1.2: each exactly once.
        let id = &part.one("id").text;
        assert!(is_absolute(id), "{id}");
        assert!(ids.insert(id.clone()), "id {id} twice");
        assert_eq!(part.one("title").children.len(), 0);
        let updated = &part.one("updated").text;
        assert!(updated.parse::<jiff::Timestamp>().is_ok(), "{updated}");
        for published in part.all("published") {
            assert!(published.text.parse::<jiff::Timestamp>().is_ok());
        }
        let mut links = HashSet::new();
        for link in part.all("link") {
            let [rel, media_type] = ["rel", "type"].map(|name| link.attributes[name].clone());
            assert!(links.insert((rel, media_type)), "two links of a kind");
            assert!(!link.attributes["href"].is_empty());
        }
        for person in part.all("author") {
            assert!(!person.one("name").text.trim().is_empty());
        }
        for category in part.all("category") {
            assert!(category.attributes.contains_key("term"));
        }
        // An entry without content has a link to its page.
        let alternate = ("alternate".to_owned(), "text/html".to_owned());
        assert!(links.contains(&alternate));
    }
    let has_author = |part: &&Element| !part.all("author").is_empty();
    assert!(has_author(&&feed) || (!entries.is_empty() && entries.iter().all(has_author)));
    let links = feed.all("link");
    let own = links
        .iter()
        .find(|link| link.attributes["rel"] == "self")
        .unwrap();
    assert_eq!(own.attributes["type"], "application/atom+xml");
    feed
}

/// Whether an id is an absolute IRI.
fn is_absolute(id: &str) -> bool {
    id.starts_with("https://")
        || id.strip_prefix("urn:uuid:").is_some_and(|uuid| {
            let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
            let is_digit = |c: char| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c);
            lengths == [8, 4, 4, 4, 12]
                && uuid.chars().all(is_digit)
                && uuid.as_bytes()[14] == b'8'
                && b"89ab".contains(&uuid.as_bytes()[19])
        })
}

/// What must be true of every JSON feed.
fn judge_json(bytes: &[u8]) -> Value {
    let feed: Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
    assert!(!feed["title"].as_str().unwrap().is_empty());
    let mut ids = HashSet::new();
    for item in feed["items"].as_array().unwrap() {
        assert!(ids.insert(item["id"].as_str().unwrap()));
        assert!(!item["content_text"].as_str().unwrap().is_empty());
        for name in ["date_published", "date_modified"] {
            let date = item.get(name).map(|date| date.as_str().unwrap());
            assert!(date.is_none_or(|date| date.parse::<jiff::Timestamp>().is_ok()));
        }
        for author in item
            .get("authors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            assert!(author["name"].is_string());
        }
    }
    assert_eq!(bytes.last(), Some(&b'}'));
    feed
}

#[test]
fn an_atom_feed() {
    let items = [
        item("/redis-caching/a/", "Keys & values"),
        FeedItem {
            updated: None,
            published: Some("2026-01-30T08:00:00.5Z"),
            tags: Vec::new(),
            summary: "",
            ..item("/redis-caching/b/", "B")
        },
    ];
    let xml = atom(&HEAD, &items);
    let feed = judge(&xml);
    assert_eq!(feed.one("updated").text, "2026-02-01T12:00:00+01:00");
    assert_eq!(feed.one("title").text, "Redis & caching");
    assert_eq!(
        feed.one("id").text,
        "https://example.org/redis-caching/feed.xml"
    );
    assert!(feed.all("author").is_empty());
    let entry = feed.all("entry")[0];
    assert_eq!(entry.one("id").text, "https://example.org/redis-caching/a/");
    assert_eq!(entry.one("published").text, "2026-01-31T00:00:00Z");
    assert_eq!(entry.all("category")[1].attributes["term"], "a \"b\" & c");
    let whole = String::from_utf8(atom(&HEAD, &items[..1])).unwrap();
    let expected = [
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">",
        "<id>https://example.org/redis-caching/feed.xml</id>",
        "<title>Redis &amp; caching</title>",
        "<updated>2026-02-01T12:00:00+01:00</updated>",
        "<link rel=\"self\" type=\"application/atom+xml\" href=\"https://example.org/redis-caching/feed.xml\"/>",
        "<link rel=\"alternate\" type=\"text/html\" href=\"https://example.org/redis-caching/\"/>",
        "<generator>anp</generator>",
        "<entry>",
        "<id>https://example.org/redis-caching/a/</id>",
        "<title>Keys &amp; values</title>",
        "<link rel=\"alternate\" type=\"text/html\" href=\"https://example.org/redis-caching/a/\"/>",
        "<published>2026-01-31T00:00:00Z</published>",
        "<updated>2026-02-01T12:00:00+01:00</updated>",
        "<author><name>Ann Example</name></author>",
        "<category term=\"redis\"/>",
        "<category term=\"a &quot;b&quot; &amp; c\"/>",
        "<summary>What a key holds.</summary>",
        "</entry></feed>",
    ];
    assert_eq!(whole, expected.concat());
}

#[test]
fn a_json_feed() {
    let items = [
        item("/redis-caching/a/", "Keys & values"),
        FeedItem {
            updated: None,
            published: None,
            tags: Vec::new(),
            authors: Vec::new(),
            summary: "",
            ..item("/redis-caching/b/", "B")
        },
    ];
    let head = FeedHead {
        path: "/redis-caching/feed.json",
        ..HEAD
    };
    let bytes = json(&head, &items);
    let feed = judge_json(&bytes);
    assert_eq!(
        feed["feed_url"],
        "https://example.org/redis-caching/feed.json"
    );
    assert_eq!(feed["items"][1]["content_text"], "B");
    assert_eq!(feed["items"][1].get("tags"), None);
    let expected = json!({
        "id": "https://example.org/redis-caching/a/",
        "url": "https://example.org/redis-caching/a/",
        "title": "Keys & values",
        "content_text": "What a key holds.",
        "date_published": "2026-01-31T00:00:00Z",
        "date_modified": "2026-02-01T12:00:00+01:00",
        "authors": [{"name": "Ann Example"}],
        "tags": ["redis", "a \"b\" & c"],
    });
    assert_eq!(feed["items"][0], expected);
}

#[test]
fn an_empty_feed_is_valid_and_always_the_same() {
    let feed = judge(&atom(&HEAD, &[]));
    assert_eq!(feed.one("updated").text, NO_DATE);
    assert_eq!(feed.one("author").one("name").text, "Redis & caching");
    assert_eq!(judge_json(&json(&HEAD, &[]))["items"], json!([]));
}

#[test]
fn a_feed_without_title_author_and_date_is_valid() {
    let head = FeedHead {
        title: "",
        language: "",
        ..HEAD
    };
    let bare = FeedItem {
        authors: Vec::new(),
        published: None,
        updated: Some("soon"),
        ..item("/a/", "A")
    };
    let feed = judge(&atom(&head, std::slice::from_ref(&bare)));
    assert_eq!(feed.one("author").one("name").text, "https://example.org");
    assert!(!feed.attributes.contains_key("xml:lang"));
    assert_eq!(feed.all("entry")[0].one("updated").text, NO_DATE);
    judge_json(&json(&head, &[bare]));
}

#[test]
fn ids_are_absolute_and_stable_also_without_the_url_of_the_site() {
    let head = FeedHead {
        site_url: "",
        ..HEAD
    };
    let items = [item("/a/", "A"), item("/b/", "B")];
    let feed = judge(&atom(&head, &items));
    let id = &feed.all("entry")[0].one("id").text;
    // If this changes, every reader shows every article again.
    assert_eq!(id, "urn:uuid:ad2fe7bb-dcec-8e55-96cb-19908a280b3c");
    let json_feed = judge_json(&json(&head, &items));
    assert_eq!(json_feed["items"][0]["id"], **id);
    let retitled = [item("/a/", "Another title")];
    assert_eq!(
        judge(&atom(&head, &retitled)).all("entry")[0]
            .one("id")
            .text,
        *id
    );
}

#[test]
fn the_newest_time_counts_by_its_moment() {
    let at = |route, updated| FeedItem {
        updated: Some(updated),
        ..item(route, "A")
    };
    let items = [
        at("/a/", "2026-02-01T01:00:00+03:00"),
        at("/b/", "2026-01-31T23:00:00Z"),
        at("/c/", "2026-01-31"),
    ];
    let feed = judge(&atom(&HEAD, &items));
    assert_eq!(feed.one("updated").text, "2026-01-31T23:00:00Z");
}

proptest! {
    #[test]
    fn any_text_makes_a_valid_feed(texts in proptest::collection::vec(any::<String>(), 5)) {
        hostile(&texts);
    }
}

#[test]
fn hostile_texts_make_a_valid_feed() {
    for text in [
        "<script>alert(1)</script>",
        "]]> <![CDATA[ x ]]>",
        "\" ' & &amp; &#0; &nbsp;",
        "مهام \u{202e}مجدولة\u{2066}",
        "\0\u{1}\u{b}\u{1f}\u{7f}\u{85}\u{fffe}\u{ffff}\u{1ffff}",
        "--> <!-- anp:",
        "tab\tand\nline\r\nend",
    ] {
        let texts = vec![text.to_owned(); 5];
        hostile(&texts);
        let feed = judge(&atom(&HEAD, &[item("/a/", text)]));
        let shown = clean(text);
        // XML reads a carriage return as a line feed.
        let title = &feed.all("entry")[0].one("title").text;
        assert_eq!(title.replace('\r', ""), shown.replace('\r', ""));
    }
}

fn hostile(texts: &[String]) {
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|index| texts[index].as_str());
    let head = FeedHead { title: a, ..HEAD };
    let mut one = item("/a/", b);
    one.summary = c;
    one.authors = vec!["x", d]
        .into_iter()
        .filter(|name| !clean(name).trim().is_empty())
        .collect();
    one.tags = vec![e];
    if !clean(a).trim().is_empty() {
        judge(&atom(&head, std::slice::from_ref(&one)));
        judge_json(&json(&head, &[one]));
    }
}
