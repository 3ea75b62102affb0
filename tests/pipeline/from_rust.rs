//! The library without the command line: the example imports into a real server.

#[path = "../../examples/import.rs"]
#[allow(dead_code, reason = "the test calls what `main` calls")]
mod example;

use crate::support::World;
use anp::exit::Exit;

#[test]
fn the_example_imports_a_folder() {
    let world = World::new();
    world.article("redis/ttl-jitter.md", "Some text.");
    world.article("redis/leases.md", "Other text.");
    let import = || {
        let (content, state) = (world.path("content"), world.path("state"));
        let url = world.server.url();
        example::import(content.to_str().unwrap(), &url, state.to_str().unwrap())
    };

    let outcome = import().unwrap();

    assert_eq!(outcome.exit, Exit::Done);
    assert_eq!(outcome.counts.created, 4, "page and meta of two articles");
    assert!(outcome.manifest.unwrap().is_file());
    let rollback = outcome.header.unwrap().rollback;
    assert!(rollback.contains("rollback"), "{rollback}");
    assert!(world.keys().contains_key("anp:page:/redis/leases/"));
    // The second import finds everything as it should be.
    assert_eq!(import().unwrap().counts.kept, 4);
}
