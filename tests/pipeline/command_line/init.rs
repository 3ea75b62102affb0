//! `anp init`.

use super::run;
use crate::support::{Ran, World};

#[test]
fn init_writes_what_the_next_three_commands_need() {
    let world = World::new();
    let run = |line: &str| {
        let mut command = world.bare();
        Ran::of(command.args(line.split(' ')).current_dir(world.path("")))
    };
    world.write("blog/.gitignore", "/target");
    let ran = run("init blog");
    ran.exits(0).says("wrote blog/anp.yaml").says("cd blog");
    let ignored = std::fs::read_to_string(world.path("blog/.gitignore")).unwrap();
    assert_eq!(ignored, "/target\n/.anp/\n");
    let settings = std::fs::read_to_string(world.path("blog/anp.yaml")).unwrap();
    assert!(settings.starts_with("# yaml-language-server: $schema=anp.schema.json\n"));
    let schema = std::fs::read_to_string(world.path("blog/anp.schema.json")).unwrap();
    assert_eq!(
        schema.trim_end(),
        run("schema --settings").stdout.trim_end()
    );
    for line in ["check", "import", "show /hello/"] {
        let mut command = world.bare();
        let ran = Ran::of(
            command
                .args(line.split(' '))
                .current_dir(world.path("blog")),
        );
        ran.exits(0);
    }
    for shown in ["\nredis: embedded\n", "\n# redis: redis://anp@"] {
        assert!(settings.contains(shown), "{settings}");
    }
    // What is there stays.
    world.write("blog/anp.yaml", "prefix: mine\n");
    let again = run("init blog");
    again.exits(2).notes("blog/anp.yaml exists already");
    let settings = std::fs::read_to_string(world.path("blog/anp.yaml")).unwrap();
    assert_eq!(settings, "prefix: mine\n");
    // An archive that is there gets no first article.
    world.write("other/content/mine.md", "Mine.");
    run("init other").exits(0).hides("hello");
    assert!(world.path("other/anp.yaml").exists());
    assert!(!world.path("other/content/hello.md").exists());
    // Nothing is written where one of the files is there.
    world.write("third/anp.schema.json", "{}");
    run("init third")
        .exits(2)
        .notes("third/anp.schema.json exists already");
    assert!(!world.path("third/anp.yaml").exists());
    world.write("file", "");
    run("init file").exits(74);
}

#[test]
fn init_writes_the_built_in_templates_and_replaces_none() {
    let world = World::new();
    world.article("a.md", "Text.");
    let ran = run(&world, &["init", "--templates", "theme"], &[]);
    ran.exits(0)
        .says("wrote theme/page.html")
        .says("\nanp check --templates theme ");
    assert!(!world.path("anp.yaml").exists());
    // They work as they are.
    run(&world, &["check", "--templates", "theme"], &[]).exits(0);
    for (name, _) in anp::render::BUILT_IN_TEMPLATES {
        let built_in = format!("{}/src/render/templates/{name}", env!("CARGO_MANIFEST_DIR"));
        let built_in = std::fs::read_to_string(built_in).unwrap();
        let written = std::fs::read_to_string(world.path(&format!("theme/{name}")));
        assert_eq!(written.unwrap(), built_in);
    }
    std::fs::remove_file(world.path("theme/page.html")).unwrap();
    world.write("theme/header.html", "mine");
    let again = run(&world, &["init", "--templates", "theme"], &[]);
    again.exits(2).notes("exists already");
    assert!(!world.path("theme/page.html").exists());
    let mine = std::fs::read_to_string(world.path("theme/header.html"));
    assert_eq!(mine.unwrap(), "mine");
    run(&world, &["init", "blog", "--templates", "theme"], &[]).exits(2);
}
