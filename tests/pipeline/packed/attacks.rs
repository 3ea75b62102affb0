//! Small files that would fill the memory or the disk, and exports that hide what they hold.

use std::fmt::Write as _;
use std::io::Write as _;

use super::{Member, add_member, gzipped, stored, tar_of};
use crate::support::World;

const ARTICLE: &[u8] = b"---\ntitle: A\n---\nText.\n";

/// A member of a tar archive with a name of any length.
fn member(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (path, kind, content) in [
        (
            "././@LongLink",
            tar::EntryType::GNULongName,
            name.as_bytes(),
        ),
        ("short.md", tar::EntryType::Regular, content),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_path(path).unwrap();
        header.set_entry_type(kind);
        add_member(&mut bytes, header, content);
    }
    bytes
}

#[test]
fn promise_10_a_path_of_thousands_of_folders_is_refused_by_name() {
    let world = World::new();
    let deep = format!("{}x.md", "a/".repeat(2000));
    let mut archive = [member(&deep, ARTICLE), member("good.md", ARTICLE)].concat();
    archive.resize(archive.len() + 1024, 0);
    world.write("x.tar", archive);
    let ran = world.anp("check x.tar --format concise");
    ran.exits(65)
        .says("skipped: a path of more than 128 folders")
        .says("1 valid");
    world.write(
        "x.jsonl",
        format!("{{\"path\":\"{deep}\",\"title\":\"A\"}}\n"),
    );
    world
        .anp("check x.jsonl")
        .exits(65)
        .says("expected a path below the root");
}

#[test]
fn promise_10_folders_beyond_what_the_articles_pay_for_are_refused() {
    let world = World::new();
    // 96 MiB of paths in a file of less than one.
    let mut archive = Vec::new();
    for number in 0..600 {
        let deep = format!(
            "{number}/{}x.md",
            format!("{}/", "f".repeat(25)).repeat(127)
        );
        archive.extend(member(&deep, ARTICLE));
    }
    archive.resize(archive.len() + 1024, 0);
    world.write("x.tar.gz", gzipped(&archive));
    world
        .anp("check x.tar.gz")
        .exits(65)
        .notes("too many folders for its articles");
}

#[test]
fn the_long_name_of_a_refused_member_is_shown_in_short() {
    let world = World::new();
    let long = format!("../{}.md", "x".repeat(900_000));
    let mut archive = [member(&long, ARTICLE), member("good.md", ARTICLE)].concat();
    archive.resize(archive.len() + 1024, 0);
    world.write("x.tar", archive);
    let ran = world.anp("check x.tar --format concise");
    ran.exits(65).says("xxx…: error[source]: skipped");
    assert!(ran.stdout.len() < 2000, "{}", ran.stdout.len());
}

#[test]
fn promise_10_entries_of_a_zip_archive_that_share_their_bytes_are_refused() {
    let world = World::new();
    let zeros = vec![b'x'; 4 * 1024 * 1024];
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&zeros).unwrap();
    let packed = packer.finish().unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(&zeros);
    let sizes = |out: &mut Vec<u8>, name: &str| {
        for number in [crc.sum(), packed.len() as u32, zeros.len() as u32] {
            out.extend(number.to_le_bytes());
        }
        out.extend((name.len() as u32).to_le_bytes());
    };
    let mut archive = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0".to_vec();
    sizes(&mut archive, "0.md");
    archive.extend(b"0.md");
    archive.extend(&packed);
    let start = archive.len() as u32;
    for number in 1000..1100 {
        archive.extend(b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0");
        let name = format!("{number}.md");
        sizes(&mut archive, &name);
        archive.extend([0; 14]);
        archive.extend(name.as_bytes());
    }
    let length = archive.len() as u32 - start;
    archive.extend(b"PK\x05\x06\0\0\0\0\x64\0\x64\0");
    archive.extend(length.to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0, 0]);
    world.write("x.zip", archive);
    world
        .anp("import x.zip")
        .exits(65)
        .notes("decompressed it has more than 1000 times its size");
    assert_eq!(stored(&world), []);
}

#[test]
fn a_file_without_a_name_in_a_zip_archive_is_refused() {
    let world = World::new();
    let archive = super::zip_of(&[(".", ARTICLE), ("good.md", ARTICLE)]);
    world.write("x.zip", archive);
    world
        .anp("check x.zip --format concise")
        .exits(65)
        .says("a member without a name")
        .says("1 valid");
}

/// The path of its address, its status, custom fields, and the body.
type Item<'i> = (&'i str, &'i str, &'i [(&'i str, &'i str)], &'i str);

/// An export of these items.
fn export(items: &[Item<'_>]) -> String {
    let mut text = "<rss><channel><wp:wxr_version>1.2</wp:wxr_version>\n".to_owned();
    for (number, (link, status, metas, body)) in (1..).zip(items) {
        let name = link.trim_matches('/').rsplit('/').next().unwrap();
        let link = match *status {
            "draft" => format!("?p={number}"),
            _ => (*link).to_owned(),
        };
        write!(
            text,
            "<item><title>T</title><link>https://e.com/{link}</link><wp:post_id>{number}</wp:post_id>\
             <wp:post_name>{name}</wp:post_name><wp:status>{status}</wp:status><wp:post_type>post</wp:post_type>\
             <wp:post_date_gmt>2024-01-01 00:00:00</wp:post_date_gmt>\
             <content:encoded><![CDATA[{body}]]></content:encoded>"
        )
        .unwrap();
        for (key, value) in *metas {
            write!(
                text,
                "<wp:postmeta><wp:meta_key>{key}</wp:meta_key><wp:meta_value>{value}</wp:meta_value></wp:postmeta>"
            )
            .unwrap();
        }
        text.push_str("</item>\n");
    }
    text + "</channel></rss>\n"
}

fn pages(world: &World) -> Vec<String> {
    let keys = stored(world).into_iter().map(|(key, _)| key);
    keys.filter_map(|key| key.strip_prefix("anp:page:").map(str::to_owned))
        .collect()
}

#[test]
fn what_an_export_shows_to_some_readers_alone_is_held_back() {
    let world = World::new();
    let many: Vec<(String, &str)> = (0..10_000).map(|at| (format!("k{at}"), "v")).collect();
    let mut many: Vec<(&str, &str)> = many.iter().map(|(key, value)| (&**key, *value)).collect();
    many.push(("_is_paid", "1"));
    let visibility = "a:1:{s:15:\"visibility_type\";s:4:\"only\";}";
    world.write(
        "x.xml",
        export(&[
            ("open/", "publish", &[], "Text [gallery_x]a[/gallery_x]"),
            ("everybody/", "publish", &[("_jetpack_newsletter_access", "everybody")], "Text"),
            ("paid/", "publish", &[("_jetpack_newsletter_access", "paid_subscribers")], "Text"),
            ("leaky/", "publish", &[("_issuem_leaky_paywall_visibility", visibility)], "Text"),
            ("passster/", "publish", &[("passster_activate_protection", "1")], "Text"),
            ("last-of-many/", "publish", &many, "Text"),
            ("shortcode/", "publish", &[], "a [members_logged_in]secret[/members_logged_in]"),
            ("old-shortcode/", "publish", &[], "a [s2If is_user_logged_in()]secret[/s2If]"),
            ("paywall/", "publish", &[], "<p>a</p><!-- wp:jetpack/paywall /--><p>secret</p>"),
            (
                "hidden-block/",
                "publish",
                &[],
                "<!-- wp:group {\"metadata\":{\"blockVisibility\":false}} --><p>secret</p><!-- /wp:group -->",
            ),
        ]),
    );
    let ran = world.anp("import x.xml");
    ran.exits(0).notes("held back as a draft");
    assert_eq!(pages(&world), ["/everybody/", "/open/"]);
}

#[test]
fn a_draft_does_not_stand_in_the_way_of_an_article_with_its_name() {
    let world = World::new();
    world.write(
        "x.xml",
        export(&[
            ("hello/", "publish", &[], "Public"),
            ("hello/", "draft", &[], "Secret"),
        ]),
    );
    world.anp("import x.xml").exits(0);
    assert_eq!(pages(&world), ["/hello/"]);
    assert!(
        !stored(&world)
            .iter()
            .any(|(_, value)| value.contains("Secret"))
    );
}

#[test]
fn an_address_that_is_too_long_costs_one_article_and_not_the_export() {
    let world = World::new();
    let long = "s".repeat(100_000);
    let deep = "d/".repeat(5000);
    let items = [
        (long.as_str(), "publish", &[][..], "Text"),
        (&deep, "publish", &[], "Text"),
        ("good/", "publish", &[], "Text"),
    ];
    world.write("x.xml", export(&items));
    let ran = world.anp("import x.xml --max-invalid 100%");
    ran.exits(3);
    assert_eq!(pages(&world), ["/good/"]);
}

#[test]
fn of_many_broken_items_each_is_an_error() {
    let world = World::new();
    let items = "<item>\n<title>x</tile>\n</item>\n".repeat(10_003);
    let text =
        format!("<rss><channel><wp:wxr_version>1.2</wp:wxr_version>\n{items}</channel></rss>\n");
    world.write("x.xml", text);
    world
        .anp("check x.xml")
        .exits(65)
        .says("10003 articles: 0 valid, 10003 invalid");
}

#[test]
fn a_password_beside_a_finding_is_not_shown() {
    let world = World::new();
    let lines = [
        r#"{"path":"a.md","title":"T","password":"hunter2","body":"x"}"#,
        r#"{"path":"b.md","title":"T","password":"hunter2","draft":"perhaps"}"#,
        r#"{"path":"c.md","password":"hunter2",}"#,
    ];
    world.write("x.jsonl", lines.join("\n") + "\n");
    let metas = [("members_only", "1"), ("password", "hunter2")];
    world.write("x.xml", export(&[("a/", "publish", &metas, "Text")]));
    for name in ["x.jsonl", "x.xml"] {
        for format in ["text", "json", "concise", "github"] {
            let ran = world.anp(&format!("check {name} --format {format}"));
            ran.exits(65);
            assert!(!ran.to_string().contains("hunter2"), "{ran}");
        }
    }
}

#[test]
fn the_folder_of_an_anpignore_that_cannot_be_heeded_is_not_read() {
    let world = World::new();
    let large = "# x\n".repeat(100_000);
    let members = [
        Member::File("a/.anpignore", large.as_bytes()),
        Member::File("a/secret.md", ARTICLE),
        Member::Link("b/.anpignore", "../rules", tar::EntryType::Symlink),
        Member::File("b/secret.md", ARTICLE),
        Member::File("c/.anpignore", b"secret.md\n"),
        Member::File("c/.anpignore", b"other.md\n"),
        Member::File("c/secret.md", ARTICLE),
        Member::File("d/.anpignore", b"secret.md\n"),
        Member::File("d/secret.md", ARTICLE),
        Member::File("d/open.md", ARTICLE),
    ];
    world.write("x.tar", tar_of(&members));
    let ran = world.anp("import x.tar --max-invalid 100%");
    ran.exits(3).notes("its .anpignore cannot be used");
    assert_eq!(pages(&world), ["/d/open/"]);
    let many: Vec<String> = (0..1001).map(|at| format!("{at}/.anpignore")).collect();
    let mut members: Vec<Member<'_>> = many.iter().map(|name| Member::File(name, b"x")).collect();
    members.push(Member::File("a.md", ARTICLE));
    world.write("x.tar", tar_of(&members));
    world
        .anp("check x.tar")
        .exits(65)
        .notes("more than 1000 files such as .anpignore");
}
