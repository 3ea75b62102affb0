//! What is between the fronts and the readers: how long caches may keep an answer, and how they are purged
//! of what a run changed.

mod api;
mod apis;
mod cache_times;
mod commands;
mod killed;
mod owed;
mod readers;
mod recipes;
mod tls;

use crate::support::{Ran, World};

/// The page /a/ and its first text, published with these settings.
fn published(settings: &str) -> World {
    let world = World::new();
    world
        .write("anp.yaml", settings)
        .article("a.md", "The first text.");
    world.anp("import").exits(0);
    world
}

/// Imports another text of /a/.
fn changed(world: &World) -> Ran {
    world.article("a.md", "The second text.");
    world.anp("import")
}

/// Names of the files that say what is owed.
fn owed(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.path("state/runs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter(|name| name.ends_with(".notify.json"))
        .collect();
    names.sort();
    names
}

/// The blocks of docs/edge.md in this language.
fn blocks(language: &str) -> Vec<String> {
    let page = std::fs::read_to_string("docs/edge.md").unwrap();
    let opening = format!("```{language}\n");
    let parts = page.split(&opening).skip(1);
    let blocks = parts.map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

/// The first of them that has the text.
fn block(language: &str, having: &str) -> String {
    let found = blocks(language)
        .into_iter()
        .find(|block| block.contains(having));
    found.unwrap_or_else(|| panic!("no {language} with {having}"))
}
