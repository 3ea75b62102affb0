//! The walk of the content tree: what fails on the way, what is swapped behind its back, what
//! would never end, and parts of the tree.
#![cfg(target_os = "linux")]

use std::os::unix::fs::symlink;

use crate::support::{Ran, World};

/// Loaded into anp: `SHIM_LOG` gets a line for each folder that is opened. When `SHIM_DIR` is,
/// `SHIM_DO` is run by the shell; its entry number `SHIM_FAIL` is an I/O error, and its last.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_meant(const char *path) {
    const char *meant = getenv("SHIM_DIR");
    return meant && !strcmp(meant, path);
}

DIR *opendir(const char *path) {
    static DIR *(*real)(const char *);
    if (!real) real = dlsym(RTLD_NEXT, "opendir");
    const char *log = getenv("SHIM_LOG"), *command = getenv("SHIM_DO");
    if (log) {
        int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (dprintf(file, "%s\n", path) < 0) abort();
        close(file);
    }
    if (command && is_meant(path)) {
        unsetenv("LD_PRELOAD");
        /* system(3) would have the process ignore SIGINT meanwhile. */
        FILE *shell = popen(command, "w");
        if (!shell || pclose(shell) != 0) abort();
        unsetenv("SHIM_DO");
    }
    return real(path);
}

struct dirent64 *readdir64(DIR *folder) {
    static struct dirent64 *(*real)(DIR *);
    static int count;
    if (!real) real = dlsym(RTLD_NEXT, "readdir64");
    const char *fail = getenv("SHIM_FAIL");
    char link[64], path[PATH_MAX + 1];
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd(folder));
    ssize_t length = fail ? readlink(link, path, PATH_MAX) : -1;
    if (length > 0) {
        path[length] = 0;
        if (is_meant(path) && ++count == atoi(fail)) {
            errno = EIO;
            return NULL;
        }
    }
    return real(folder);
}
"#;

/// anp in `world` with the shim, which is told `variables`; `SHIM_DIR` is `folder` as the walk
/// opens it.
fn shimmed(world: &World, line: &str, folder: &str, variables: &[(&str, &str)]) -> Ran {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let mut command = world.command("state", &arguments);
    command
        .env("LD_PRELOAD", world.shim(SHIM))
        .env("SHIM_DIR", folder)
        .env("SHIM_LOG", world.path("opened"))
        .envs(variables.iter().copied());
    Ran::of(&mut command)
}

/// How many folders of the content tree were opened.
fn opened(world: &World) -> usize {
    let log = std::fs::read_to_string(world.path("opened")).unwrap();
    log.lines().filter(|line| line.contains("content/")).count()
}

fn real(world: &World, relative: &str) -> String {
    let path = world.path(relative).canonicalize().unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_listing_that_fails_half_way_is_named_counted_and_forbids_prune() {
    let world = World::new();
    for number in 0..60 {
        world.article(&format!("notes/n{number:02}.md"), "Text.");
    }
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let before = world.server.dump();
    let notes = real(&world, "content/notes");
    // Before it 10 entries are listed, two of which may be the folder itself and the one above.
    let at = [("SHIM_FAIL", "11")];
    let fails = |line: &str| shimmed(&world, line, &notes, &at);
    let words = "
error[source]: skipped: cannot be listed to its end: Input/output error (os error 5)
 --> content/notes
";
    let ran = fails("check --format text");
    ran.exits(65)
        .says(words.trim_start())
        .says(" valid, 1 invalid")
        .notes("error: 1 of ");
    fails("check --max-invalid 1").exits(3);
    fails("import").exits(65).notes(words.trim_start());
    let ran = fails("import --prune --force --max-invalid 1");
    ran.exits(3)
        .notes(words.trim_start())
        .notes("--prune removes nothing while 1 source is invalid, unreadable or skipped");
    assert_eq!(ran.counts()["removed"], 0, "{ran}");
    assert_eq!(world.server.dump(), before);
    // Routes of files that were not listed are not known: that is no done purge.
    fails("purge --glob /notes/** --dry-run").exits(3).notes(
        "warning: content/notes cannot be listed to its end: Input/output error (os error 5): \
         routes of articles in it are not known",
    );
    // The root itself.
    let root = real(&world, "content");
    let ran = shimmed(&world, "check --format text", &root, &[("SHIM_FAIL", "1")]);
    ran.exits(65)
        .notes("error: no article found in content, the default without an anp.yaml in this folder or above it (1 file or folder cannot be read)");
}

/// Imports content/a/p.md, for which `swap` puts something else once the walk has passed it.
#[track_caller]
fn is_refused(swap: &str, why: &str) {
    let world = World::new();
    world.article("a/p.md", "Harmless.").article("z/x.md", "X.");
    world.write("secret.md", "---\ntitle: S\n---\nTop secret.\n");
    world.write("outside/p.md", "---\ntitle: S\n---\nTop secret.\n");
    world.write("content/_private/p.md", "---\ntitle: S\n---\nTop secret.\n");
    let swap = format!("cd content && {swap}");
    let variables = [("SHIM_DO", swap.as_str())];
    let line = "import --max-invalid 1 --format text";
    let ran = shimmed(&world, line, "content/z", &variables);
    ran.exits(3).notes(&format!(
        "error[source]: expected a file that can be read, found: {why}\n --> content/a/p.md\n"
    ));
    assert_eq!(world.server.expiry("anp:page:/a/p/"), -2);
    assert!(world.server.get("anp:page:/z/x/").is_some());
    assert!(!format!("{:?}", world.server.dump()).contains("secret"));
}

#[test]
fn what_replaced_a_file_after_the_walk_is_not_published() {
    let replaced = "it was replaced after anp listed its folder";
    is_refused("ln -sf ../../secret.md a/p.md", replaced);
    is_refused("ln -sf ../_private/p.md a/p.md", replaced);
    is_refused("rm -r a && ln -s ../outside a", replaced);
    is_refused("rm -r a && ln -s _private a", replaced);
    is_refused("rm a/p.md && mkfifo a/p.md", "not a regular file");
}

#[test]
fn a_link_inside_the_tree_is_published_and_its_target_read_where_it_was_found() {
    let world = World::new();
    world.article("a/p.md", "One.").article("z/x.md", "X.");
    symlink("a/p.md", world.path("content/relative.md")).unwrap();
    let target = world.path("content/a/p.md");
    symlink(target, world.path("content/z/absolute.md")).unwrap();
    world.anp("import").exits(0).notes_exactly("");
    for route in ["/a/p/", "/relative/", "/z/absolute/"] {
        let page = world.server.get(&format!("anp:page:{route}")).unwrap();
        assert!(page.contains("One."), "{route}");
    }
}

#[test]
fn links_to_hidden_and_private_files_of_the_tree_are_skipped() {
    let world = World::new();
    world.article("a.md", "A.");
    world.write("content/.env", "PASSWORD=hunter2\n");
    world.write("content/_private/m.md", "---\ntitle: M\n---\nhunter2\n");
    world.write("content/.git/config", "hunter2\n");
    for (target, link) in [
        (".env", "leak.md"),
        ("_private", "pub"),
        ("_private/m.md", "m.md"),
        (".git/config", "g.md"),
    ] {
        symlink(target, world.path("content").join(link)).unwrap();
    }
    let ran = world.anp("import");
    ran.exits(0);
    assert_eq!(ran.counts()["created"], 2, "{ran}");
    let found = ran.of_type("diagnostic");
    for (found, link) in found.iter().zip(["g.md", "leak.md", "m.md", "pub"]) {
        assert_eq!(found["path"], format!("content/{link}"), "{ran}");
        let said = "skipped: a symbolic link to a hidden or private file or folder";
        assert_eq!(found["message"], said, "{ran}");
    }
    assert!(!format!("{:?}", world.server.dump()).contains("hunter2"));
}

#[test]
fn promise_10_each_real_folder_is_walked_once_however_many_links_lead_to_it() {
    const LEVELS: usize = 40;
    let world = World::new();
    let level = |number: usize| world.path(&format!("content/d{number:02}"));
    for number in 0..=LEVELS {
        std::fs::create_dir(level(number)).unwrap();
        for link in ["a", "b"] {
            let next = format!("../d{:02}", number + 1);
            if number < LEVELS {
                symlink(next, level(number).join(link)).unwrap();
            }
        }
    }
    world.article("d40/x.md", "X.");
    let ran = shimmed(&world, "import", "", &[]);
    ran.exits(0).notes(
        "warning[source]: skipped: a symbolic link to the folder d01, whose articles have the \
         routes of that name alone\n --> content/d00/a\n",
    );
    assert_eq!(ran.of_type("diagnostic").len(), 2 * LEVELS, "{ran}");
    assert_eq!(ran.counts()["created"], 2, "{ran}");
    assert_eq!(opened(&world), LEVELS + 1);
}

/// A tree of 300 folders, of which `command` is run before the first is opened.
fn long_walk(command: &str, variables: &[(&str, &str)]) -> (World, Ran) {
    let world = World::new();
    for number in 0..300 {
        world.article(&format!("d{number:03}/x.md"), "Text.");
    }
    let variables = [&[("SHIM_DO", command)], variables].concat();
    let ran = shimmed(&world, "import", "content/d000", &variables);
    (world, ran)
}

#[test]
fn promise_8_signals_end_a_walk() {
    for signal in ["INT", "TERM"] {
        // Until its handler ran: the flag is set by a thread that does nothing else.
        let command = format!("kill -{signal} $PPID; sleep 1");
        let (world, ran) = long_walk(&command, &[]);
        ran.exits(130).notes("error: interrupted by a signal\n");
        assert!(world.server.dump().is_empty(), "{ran}");
        assert!(opened(&world) < 250, "{ran}");
    }
}

#[test]
fn promise_8_a_walk_ends_with_its_time() {
    let limit = [("ANP_EXPECT_MAX_DURATION", "1s")];
    let (world, ran) = long_walk("sleep 1.1", &limit);
    ran.exits(65)
        .notes("= expect.max_duration: expected at most 1s, found ");
    assert!(world.server.dump().is_empty(), "{ran}");
    assert!(opened(&world) < 250, "{ran}");
}
