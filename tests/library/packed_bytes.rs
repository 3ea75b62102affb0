//! Packed sources of any bytes: what the fuzz targets assert, for a few spoilt inputs each.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use crate::front_matter::readers::packed;

const EXPORT: &str = include_str!("wxr/blog.xml");

const LINES: &str = concat!(
    r#"{"path":"a.md","title":"x","tags":["é"],"body":"A\r\n\u00e9\ud83d\ude00 [x](y.md)"}"#,
    "\n",
    r#"{"slug":"s","draft":true,"html":"<p onclick=x>a<script>"}"#,
    "\n",
);

const HTML: &str = "<h2 id=x>A</h2><p style=\"x\" onclick='y'>b<a href=\"javascript:x\">c</a><!-- d -->\
                    <script>e</script><table><tr><td>f</table><img src=data:x>&lt;g&#x41;<pre><b>h";

const PHP: &str = "a:3:{i:0;s:1:\"a\";i:1;a:1:{s:1:\"k\";d:1.5;}i:2;b:1;}";

fn tar() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [("a/b.md", "---\ntitle: x\n---\ny"), (".anpignore", "*.x")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_cksum();
        let content = content.as_bytes();
        archive.append_data(&mut header, name, content).unwrap();
    }
    archive.into_inner().unwrap()
}

fn zip() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for name in ["a/b.md", ".anpignore", "c.png"] {
        let (mut entry, config) = archive.new_file(name).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        std::io::Write::write_all(&mut writer, b"---\ntitle: x\n---\ny").unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

/// Hands on `seed`, and inputs in which some bytes are others and the end is missing.
fn spoil(seed: &[u8], take: impl Fn(&[u8])) {
    take(seed);
    let config = Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    };
    let changes = (vec((any::<Index>(), any::<u8>()), 1..6), any::<Index>());
    TestRunner::new(config)
        .run(&changes, |(changes, end)| {
            let mut bytes = seed.to_vec();
            for (at, byte) in changes {
                *at.get_mut(&mut bytes) = byte;
            }
            take(&bytes);
            bytes.truncate(end.index(bytes.len()));
            take(&bytes);
            Ok(())
        })
        .unwrap();
}

#[test]
fn spoilt_archives_give_no_path_outside_and_the_same_twice() {
    spoil(&tar(), packed::tar);
    spoil(&zip(), packed::zip);
}

#[test]
fn spoilt_lines_have_their_places_in_the_line() {
    spoil(LINES.as_bytes(), packed::jsonl);
}

#[test]
fn spoilt_exports_and_bodies_give_clean_pages() {
    spoil(&EXPORT.as_bytes()[..EXPORT.len().min(20_000)], packed::wxr);
    spoil(HTML.as_bytes(), packed::html);
}

#[test]
fn spoilt_values_of_php_are_read_as_they_are_written() {
    spoil(PHP.as_bytes(), |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            packed::php(text);
        }
    });
}
