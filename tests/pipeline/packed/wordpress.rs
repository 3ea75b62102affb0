//! WordPress exports: posts and pages of a real store, with their places, their fields and their ends.

use super::{gzipped, piped, stored};
use crate::support::{World, settle};

const BLOG: &str = include_str!("../../library/wxr/blog.xml");

/// An export of these posts: name, and further elements.
fn export(posts: &[(&str, &str)]) -> String {
    let post = |(name, more): &(&str, &str)| {
        let status = match more.contains("<wp:status>") {
            true => "",
            false => "<wp:status>publish</wp:status>",
        };
        format!(
            "<item>\n<title>Post {name}</title>\n<link>https://blog.example/2024/05/{name}/</link>\n\
             <wp:post_name>{name}</wp:post_name>\n<wp:post_date_gmt>2024-05-01 10:00:00</wp:post_date_gmt>\n\
             <wp:post_type>post</wp:post_type>{status}\n{more}\n</item>\n"
        )
    };
    let items: String = posts.iter().map(post).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"><channel>\n\
         <wp:wxr_version>1.2</wp:wxr_version>\n{items}</channel></rss>\n"
    )
}

fn status(status: &str) -> String {
    format!("<wp:status>{status}</wp:status>")
}

#[test]
fn an_export_is_published_and_what_is_broken_or_hidden_in_it_is_named() {
    let world = World::new();
    world.write("blog.xml", BLOG);
    let ran = world.anp("check blog.xml --format concise");
    ran.exits(65);
    ran.says("blog.xml:97:1: error[source]: line 98: expected </title>, found </link>");
    ran.says("blog.xml:29:1: warning[body.foreign]: looks like a WordPress shortcode");
    ran.says("blog.xml:86:1: warning[visibility]: held back as a draft, because it is protected by a password");
    world
        .anp("import blog.xml")
        .exits(65)
        .notes("nothing was written");
    assert_eq!(stored(&world), []);
    let ran = world.anp("import blog.xml --max-invalid 100%");
    assert_eq!(ran.exits(3).counts()["created"], 4, "{ran}");
    let meta = world.meta("/2024/05/cafe-caching/");
    let metadata = &meta["metadata"];
    assert_eq!(
        metadata["image"],
        "https://blog.example/wp-content/uploads/b.png"
    );
    assert_eq!(metadata["date"], "2024-05-01T08:00:00Z");
    world.anp("verify last").exits(0);
    world.anp("rollback last").exits(0);
    assert_eq!(stored(&world), []);
}

#[test]
fn nothing_that_wordpress_hides_is_published() {
    let world = World::new();
    let hidden = [
        "draft",
        "pending",
        "private",
        "auto-draft",
        "trash",
        "acme-hidden",
    ];
    let mut posts: Vec<(&str, String)> = hidden.iter().map(|name| (*name, status(name))).collect();
    posts.push((
        "secret",
        status("publish") + "<wp:post_password>pw</wp:post_password>",
    ));
    posts.push(("open", status("publish")));
    let posts: Vec<(&str, &str)> = posts
        .iter()
        .map(|(name, more)| (*name, more.as_str()))
        .collect();
    world.write("blog.xml", export(&posts));
    world.anp("import blog.xml").exits(0);
    let keys: Vec<String> = stored(&world).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["anp:meta:/2024/05/open/", "anp:page:/2024/05/open/"]);
    // Scheduled posts wait for their date.
    let later = export(&[("later", &status("future"))]).replace("2024-05-01", "2999-05-01");
    world.write("blog.xml", later);
    world.anp("import blog.xml").exits(65).notes("1 scheduled");
}

#[test]
fn an_export_in_parts_compressed_or_from_a_pipe_is_the_same() {
    let world = World::new();
    let posts = [("a", ""), ("b", ""), ("c", ""), ("d", "")];
    world.write("whole.xml", export(&posts));
    world.anp("import whole.xml").exits(0);
    let whole = stored(&world);
    assert_eq!(whole.len(), 8);
    world.write("parts/blog.001.xml", export(&posts[..2]));
    world.write(
        "parts/blog.002.xml.gz",
        gzipped(export(&posts[2..]).as_bytes()),
    );
    world.write("parts/notes.txt", "no part");
    world.write("whole.xml.gz", gzipped(export(&posts).as_bytes()));
    for source in ["parts", "whole.xml.gz"] {
        let ran = world.anp(&format!("import {source} --no-cache"));
        assert_eq!(ran.exits(0).counts()["kept"], 8, "{ran}");
    }
    let ran = piped(&world, "import - --no-cache", export(&posts).as_bytes());
    assert_eq!(ran.exits(0).counts()["kept"], 8, "{ran}");
    // A finding names its part; the pictures of one part are those of another.
    let pictured = "<wp:postmeta><wp:meta_key>_thumbnail_id</wp:meta_key><wp:meta_value>7</wp:meta_value></wp:postmeta>\
                    <content:encoded>[acme_box id=\"1\"]</content:encoded>";
    let picture = "<item><wp:post_id>7</wp:post_id><wp:post_type>attachment</wp:post_type>\
                   <wp:attachment_url>https://blog.example/p.png</wp:attachment_url></item>";
    world.write("parts/blog.001.xml", export(&[("a", pictured), ("b", "")]));
    let second = export(&posts[2..]).replace("</channel>", &format!("{picture}\n</channel>"));
    world.write("parts/blog.002.xml.gz", gzipped(second.as_bytes()));
    let ran = world.anp("import parts");
    ran.exits(0).notes("--> parts/blog.001.xml:10:1");
    assert_eq!(
        world.meta("/2024/05/a/")["metadata"]["image"],
        "https://blog.example/p.png"
    );
    // One part that is cut makes the whole refused.
    world.write("parts/blog.003.xml", &export(&posts)[..500]);
    world
        .anp("import parts")
        .exits(65)
        .notes("the export ends before </rss>: it was cut short");
    world.write("parts/blog.003.xml", "{\"path\":\"x.md\"}\n");
    world.anp("import parts").exits(65);
}

#[test]
fn a_night_without_changes_reads_no_export_again() {
    let world = World::new();
    let posts = ["a", "b", "c"].map(|name| (name, ""));
    world.write("parts/blog.001.xml", export(&posts));
    world.write("parts/blog.002.xml", export(&[("d", ""), ("e", "")]));
    settle();
    world.anp("import parts").exits(0);
    let only_one = ("ANP_FAIL_POINT", "spool.create:1=ENOSPC");
    let ran = world.anp_with(&["import", "parts"], &[only_one]);
    assert_eq!(ran.exits(0).counts()["kept"], 10, "{ran}");
    world.write("parts/blog.002.xml", export(&[("d", ""), ("f", "")]));
    let counts = world
        .anp("import parts --prune --max-removed 1")
        .exits(0)
        .counts();
    assert_eq!(
        [&counts["created"], &counts["removed"], &counts["kept"]],
        [2, 2, 8]
    );
}

#[test]
fn custom_fields_with_the_prefix_of_the_settings_are_fields() {
    let world = World::new();
    let meta = |key: &str, value: &str| {
        format!(
            "<wp:postmeta><wp:meta_key>{key}</wp:meta_key>\
             <wp:meta_value><![CDATA[{value}]]></wp:meta_value></wp:postmeta>"
        )
    };
    let more = meta("_acme_stack", "a:2:{i:0;s:5:\"redis\";i:1;s:5:\"nginx\";}")
        + &meta("_acme_score", "a:1:{s:7:\"quality\";i:80;}")
        + &meta("color", "red");
    world.write("blog.xml", export(&[("a", &more)]));
    world.anp("import blog.xml").exits(0);
    assert_eq!(
        world.meta("/2024/05/a/")["metadata"]["stack"],
        serde_json::Value::Null
    );
    // The index knows by which prefix it was made.
    let ran = world.anp_with(
        &["import", "blog.xml"],
        &[("ANP_WORDPRESS_META_PREFIX", "_acme_")],
    );
    assert_eq!(ran.exits(0).counts()["updated"], 2, "{ran}");
    let metadata = &world.meta("/2024/05/a/")["metadata"];
    assert_eq!(metadata["stack"], serde_json::json!(["redis", "nginx"]));
    assert_eq!(metadata["score"]["quality"], 80);
    assert_eq!(metadata["extra"]["color"], "red");
}
