//! Files and redirects as a store may hold them, for the tests of all that read them.

use anp::archive::{FilePath, Redirect};

use crate::support::World;
use crate::support::http::Answer;

pub const DIGEST: &str = "0123456789abcdef0123456789abcdef";

/// Writes `value` with an expiry in 100 s, whatever anp would have written.
pub fn put(world: &World, key: &str, value: impl AsRef<[u8]>) {
    let mut set = redis::cmd("SET");
    set.arg(key).arg(value.as_ref()).arg("PX").arg(100_000);
    set.exec(&mut world.server.connection()).unwrap();
}

/// The `max-age` of an answer that caches may keep.
#[track_caller]
pub fn max_age(answer: &Answer) -> u64 {
    let control = answer.header("cache-control").unwrap();
    let seconds = control.strip_prefix("public, max-age=");
    seconds
        .unwrap_or_else(|| panic!("{control}"))
        .parse()
        .unwrap()
}

/// Files of each kind: path, content type, and the bytes, which end in [`DIGEST`].
pub fn files() -> Vec<(&'static str, &'static str, String)> {
    let xml = format!("<?xml version=\"1.0\"?><x/><!--anp:{DIGEST}-->");
    let json = format!("{{\"items\":[],\"_anp\":{{\"digest\":\"{DIGEST}\"}}}}");
    let text = format!("User-agent: *\n# anp:{DIGEST}\n");
    vec![
        ("/sitemap.xml", "application/xml", xml.clone()),
        ("/sitemap-2024-05.xml", "application/xml", xml.clone()),
        ("/feed.xml", "application/atom+xml", format!("{xml}\n")),
        ("/a/b-2/feed.xml", "application/atom+xml", xml),
        ("/feed.json", "application/feed+json", json.clone()),
        ("/a/data.json", "application/json", json),
        ("/robots.txt", "text/plain", text),
        (
            "/llms.txt",
            "text/plain",
            format!("# A\n<!--anp:{DIGEST}-->\n"),
        ),
        (
            "/llms.md",
            "text/markdown",
            format!("# A\n<!--anp:{DIGEST}-->"),
        ),
    ]
}

/// Files that end in no digest.
pub fn untagged() -> [String; 8] {
    [
        "x".to_owned(),
        format!("<x/><!--anp:{DIGEST}-->\n\n"),
        format!("<x/><!--anp:{DIGEST}-->\r\n"),
        format!("<x/><!--anp:{}-->", DIGEST.to_uppercase()),
        format!("<x/><!--anp:{DIGEST}0-->"),
        format!("{{\"_anp\":{{\"digest\":\"{}\"}}}}", &DIGEST[1..]),
        format!("{{\"_anp\":{{\"digest\":\"{DIGEST}\"}}}}}}"),
        format!("#anp:{DIGEST}"),
    ]
}

/// Paths that are not paths of files, as a client may send them.
pub const NO_FILES: [&str; 14] = [
    "/Feed.xml",
    "/feed.XML",
    "/feed.html",
    "/feed.xml/",
    "/feed.xml.gz",
    "/feed.2.xml",
    "/.xml",
    "/a/.xml",
    "/-feed.xml",
    "/a--b.xml",
    "/a_b.xml",
    "/a%20b.xml",
    "/feed.xml%00",
    "/feed%0d%0aX-Evil:%201.xml",
];

/// Values that are redirects: status, and where they lead.
pub const REDIRECTS: [(&str, u16, Option<&str>); 8] = [
    (r#"{"to":"/new/","status":301}"#, 301, Some("/new/")),
    (r#"{"to":"/a/b-2/","status":302}"#, 302, Some("/a/b-2/")),
    (r#"{"to":"/","status":308}"#, 308, Some("/")),
    (
        " {\t\"to\" : \"/new/\" ,\r\n\"status\" : 301 } \n",
        301,
        Some("/new/"),
    ),
    (r#"{"status":301,"to":"/new/"}"#, 301, Some("/new/")),
    // Its target is another redirect, which is for the client to follow.
    (r#"{"to":"/older/","status":301}"#, 301, Some("/older/")),
    (r#"{"status":410}"#, 410, None),
    ("\n{ \"status\" : 410 }\n", 410, None),
];

/// Values under the redirect key of `/old/` that are none.
pub fn no_redirects() -> Vec<Vec<u8>> {
    let to = |to: &str| format!(r#"{{"to":"{to}","status":301}}"#).into_bytes();
    let mut values = Vec::from([
        // Other sites, and what a browser takes for one.
        to("//evil.example/"),
        to("///evil.example/"),
        to("https://evil.example/"),
        to("https:"),
        to("javascript:alert(1)"),
        to(r"/\\evil.example/"),
        to(r"\/\/evil.example\/"),
        to("/\t/evil.example/"),
        // More headers, and other control characters.
        to("/new/\r\nX-Evil: 1"),
        to(r"/new/\r\nX-Evil: 1"),
        to("/new/\0"),
        to(r"/new/\u0000"),
        // No route.
        to(""),
        to("/new"),
        to("new/"),
        to("/New/"),
        to("/a/../b/"),
        to("/new/?x=1"),
        to("/new/#x"),
        to("/%2fnew/"),
        to(" /new/"),
        to("/new/ "),
        to("/é/"),
        to("/-new/"),
        to("/new-/"),
        to("/a--b/"),
        to("/a//b/"),
        to("/feed.xml"),
        to(&format!("/{}/", "a".repeat(121))),
        to(r"\/new\/"),
        // It leads nowhere else.
        to("/old/"),
    ]);
    let texts = [
        "",
        " ",
        "null",
        "301",
        "/new/",
        "[]",
        r#"["/new/",301]"#,
        "[410]",
        "{}",
        r#"{"status":301}"#,
        r#"{"to":"/new/"}"#,
        r#"{"to":"/new/","status":410}"#,
        r#"{"to":"/new/","status":200}"#,
        r#"{"to":"/new/","status":303}"#,
        r#"{"to":"/new/","status":307}"#,
        r#"{"to":"/new/","status":"301"}"#,
        r#"{"to":"/new/","status":301.0}"#,
        r#"{"to":"/new/","status":0301}"#,
        r#"{"to":"/new/","status":-301}"#,
        r#"{"to":null,"status":410}"#,
        r#"{"to":["/new/"],"status":301}"#,
        r#"{"to":"/new/","status":301,"x":1}"#,
        r#"{"to":"/new/","to":"/new/","status":301}"#,
        r#"{"to":"/new/","status":301,"status":301}"#,
        r#"{"to":"/new/","status":301}x"#,
        r#"{"to":"/new/","status":301}{}"#,
        r#"{"to":"/new/","status":301,}"#,
        r#"{"to":"/new/","status":301"#,
        r#"{'to':'/new/','status':301}"#,
        "{\"status\":\u{b}410}",
        r#"{"status":411}"#,
        r#"{"status":410,"x":1}"#,
        "\u{feff}{\"status\":410}",
    ];
    values.extend(texts.map(|text| text.as_bytes().to_vec()));
    values.push(b"{\"to\":\"/\xff/\",\"status\":301}".to_vec());
    let blanks = " ".repeat(2112);
    values.push(format!("{{\"status\":410{blanks}}}").into_bytes());
    values
}

#[test]
fn the_values_of_these_tests_are_what_they_are_meant_to_be() {
    let route = anp::article::Route::parse("/old/").unwrap();
    for (value, status, to) in REDIRECTS {
        let redirect = Redirect::parse_at(&route, value.as_bytes()).unwrap();
        let leads_to = redirect.to().map(anp::article::Route::as_str);
        assert_eq!((redirect.status(), leads_to), (status, to), "{value}");
    }
    for value in no_redirects() {
        let redirect = Redirect::parse_at(&route, &value);
        assert_eq!(redirect, None, "{}", value.escape_ascii());
    }
    for (path, content_type, bytes) in files() {
        let file = FilePath::parse(path).unwrap();
        assert_eq!(
            file.content_type(),
            format!("{content_type}; charset=utf-8")
        );
        let digest = anp::render::file_digest(bytes.as_bytes()).unwrap();
        assert_eq!(digest.to_string(), DIGEST);
    }
    for bytes in untagged() {
        assert_eq!(anp::render::file_digest(bytes.as_bytes()), None, "{bytes}");
    }
    for path in NO_FILES {
        assert_eq!(FilePath::parse(path), None, "{path}");
    }
}
