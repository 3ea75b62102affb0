//! Files that somebody writes to while anp reads them.
#![cfg(target_os = "linux")]

use crate::support::{Ran, World};

/// Loaded into anp: once it has read the beginning of the file `SHIM_FILE`, the shell runs
/// `SHIM_DO`, `SHIM_TIMES` times at most.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t read(int file, void *bytes, size_t count) {
    static ssize_t (*real)(int, void *, size_t);
    static int times;
    if (!real) real = dlsym(RTLD_NEXT, "read");
    ssize_t got = real(file, bytes, count);
    const char *meant = getenv("SHIM_FILE"), *command = getenv("SHIM_DO");
    char link[64], path[PATH_MAX + 1];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = got > 0 && meant ? readlink(link, path, PATH_MAX) : -1;
    if (length < 0) return got;
    path[length] = 0;
    int is_beginning = lseek(file, 0, SEEK_CUR) == got;
    if (!strcmp(path, meant) && is_beginning && times < atoi(getenv("SHIM_TIMES"))) {
        times++;
        unsetenv("LD_PRELOAD");
        FILE *shell = popen(command, "w");
        if (!shell || pclose(shell) != 0) abort();
    }
    return got;
}
"#;

/// anp in `world`, where `change` is done to content/`file` the first `times` that it is read.
fn while_read(world: &World, line: &str, file: &str, change: &str, times: &str) -> Ran {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let path = world.path(&format!("content/{file}")).canonicalize();
    let mut command = world.command("state", &arguments);
    command
        .env("LD_PRELOAD", world.shim(SHIM))
        .env("SHIM_FILE", path.unwrap())
        .env("SHIM_DO", format!("cd content && {change}"))
        .env("SHIM_TIMES", times);
    Ran::of(&mut command)
}

/// Puts BBBB in the place of AAAA, where the file stands.
const REPLACE: &str = "sed s/AAAA/BBBB/ a.md > ../new && cat ../new > a.md";

#[test]
fn a_file_that_changes_while_it_is_read_is_read_again() {
    let world = World::new();
    world.article("a.md", "AAAA.");
    let ran = while_read(&world, "import", "a.md", REPLACE, "1");
    ran.exits(0);
    let page = world.server.get("anp:page:/a/").unwrap();
    assert!(page.contains("BBBB.") && !page.contains("AAAA."), "{page}");
    world.anp("verify last").exits(0);
}

#[test]
fn a_file_that_another_one_replaces_while_it_is_read_is_read_again() {
    let world = World::new();
    world.article("a.md", "AAAA.");
    let replace = "sed s/AAAA/BBBB/ a.md > ../new && mv ../new a.md";
    while_read(&world, "import", "a.md", replace, "1").exits(0);
    let page = world.server.get("anp:page:/a/").unwrap();
    assert!(page.contains("BBBB."), "{page}");
}

#[test]
fn a_file_that_changes_all_the_time_is_skipped_and_keeps_what_is_published() {
    let world = World::new();
    world.article("a.md", "AAAA.").article("b.md", "[A](a.md).");
    world.article("gone.md", "Gone.");
    world.anp("import").exits(0);
    std::fs::remove_file(world.path("content/gone.md")).unwrap();
    world.article("b.md", "It links to [A](a.md).");
    let grow = "echo more >> a.md";
    let before = world.server.get("anp:page:/a/");
    let ran = while_read(&world, "import --prune --force", "a.md", grow, "9");
    ran.exits(3)
        .notes("warning[changed]: changed during the run: skipped, and what the store holds of it stays")
        .notes("--prune removes nothing while 1 source is invalid, unreadable or skipped");
    assert!(!ran.stderr.contains("[link]"), "{ran}");
    let summary = ran.of_type("summary").pop().unwrap();
    assert_eq!(summary["changed_during_run"], 1, "{ran}");
    let counts = ran.counts();
    assert_eq!(
        [&counts["updated"], &counts["removed"], &counts["invalid"]],
        [2, 0, 0],
        "{ran}"
    );
    assert_eq!(world.server.get("anp:page:/a/"), before);
    assert!(world.server.get("anp:page:/gone/").is_some());
    // The next run finds it in peace.
    let ran = world.anp("import --prune --force");
    let counts = ran.exits(0).counts();
    assert_eq!([&counts["updated"], &counts["removed"]], [2, 2], "{ran}");
    assert!(world.server.get("anp:page:/a/").unwrap().contains("more"));
}

#[test]
fn a_check_names_and_counts_a_file_that_changes() {
    let world = World::new();
    world.article("a.md", "AAAA.").article("b.md", "B.");
    let grow = "echo more >> a.md";
    let ran = while_read(&world, "check --format text", "a.md", grow, "9");
    ran.exits(3)
        .says("warning[changed]: changed during the run")
        .says("2 articles: 1 valid, 1 changed during the run\n");
}
