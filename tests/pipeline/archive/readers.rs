//! A reader who follows links while an import works finds no link to nothing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::tree::Archive;
use crate::support::settle;

/// The links of a page, list or article, inside the archive.
fn links(page: &str) -> BTreeSet<String> {
    let parts = page.split("href=\"").skip(1);
    let links = parts.filter_map(|part| part.split('"').next());
    let links = links.filter_map(|link| link.strip_prefix("https://example.org").or(Some(link)));
    links
        // The text of an article is written right behind its page.
        .filter(|link| link.starts_with('/') && !link.ends_with("/index.md"))
        .map(str::to_owned)
        .collect()
}

/// Follows links from the front page on until told to stop. Returns how many were followed, and those that
/// led nowhere.
fn read(archive: &Archive, stop: &AtomicBool) -> (usize, BTreeSet<String>) {
    let mut connection = archive.world.server.connection();
    let mut get = |key: String| -> Option<String> {
        redis::cmd("GET").arg(key).query(&mut connection).unwrap()
    };
    let (mut followed, mut dead) = (0, BTreeSet::new());
    while !stop.load(Ordering::Relaxed) {
        let (mut waiting, mut seen) = (vec!["/".to_owned()], BTreeSet::new());
        while let Some(route) = waiting.pop() {
            if stop.load(Ordering::Relaxed) || !seen.insert(route.clone()) {
                continue;
            }
            followed += 1;
            let file = route.rsplit('/').next().unwrap_or_default().contains('.');
            let kind = if file { "file" } else { "page" };
            match get(format!("anp:{kind}:{route}")) {
                Some(page) if !file => waiting.extend(links(&page)),
                Some(_) => {}
                None if route == "/" => {}
                None => {
                    dead.insert(route);
                }
            }
        }
    }
    (followed, dead)
}

#[track_caller]
fn reads_during(archive: &Archive, work: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    let (followed, dead) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| read(archive, &stop));
        work();
        std::thread::sleep(std::time::Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(followed > 100, "{followed}");
    assert_eq!(dead, BTreeSet::new());
}

#[test]
fn no_reader_finds_a_link_to_a_page_that_is_not_there_yet() {
    let archive = Archive::new();
    for number in 20..400 {
        let tags = format!("tags: [tag {}, tag {}]\n", number % 40, number % 7);
        archive.article(&format!("many/n{number}"), number % 300, &tags);
    }
    reads_during(&archive, || {
        archive.import();
    });
    settle();
    for number in 400..500 {
        let tags = format!("tags: [new tag {}, tag {}]\n", number % 40, number % 7);
        archive.article(&format!("more/n{number}"), number % 300, &tags);
    }
    for number in 20..40 {
        archive.article(&format!("many/n{number}"), number, "tags: [changed tag]\n");
    }
    reads_during(&archive, || {
        archive.import();
    });
}
