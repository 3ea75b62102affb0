//! Promise 9: what the gate accepts fits into the server's memory.

use crate::support::{Ran, World};

/// Some copies of the largest page, and buffers.
const LARGEST: u64 = 3_000_000;

/// A body of about `bytes` bytes, with a word in it that differs.
fn body(number: usize, bytes: usize, version: &str) -> String {
    let line = format!("Paragraph {number} of the {version} version, as long as others are.\n\n");
    line.repeat(bytes.div_ceil(line.len()))
}

/// Articles of 200 bytes to 40 KB, and one of 300 KB.
fn write(world: &World, articles: usize, version: &str, percent: usize) {
    for number in 0..articles {
        let bytes = match number {
            0 => 300_000,
            number => 200 + (number * 7919) % 40_000,
        };
        let text = body(number, bytes * percent / 100, version);
        world.article(&format!("n{number}.md"), &text);
    }
}

/// Runs `line` with room for `spare` bytes, and says whether it was accepted: then it is done.
fn is_accepted(world: &World, line: &str, spare: u64) -> bool {
    let limit = world.server.used_memory() + spare;
    let before = world.keys();
    let set = |bytes: u64| {
        world
            .server
            .run(&["CONFIG", "SET", "maxmemory", &bytes.to_string()]);
    };
    set(limit);
    let ran: Ran = world.anp(line);
    set(0);
    if ran.code == 65 {
        ran.notes("iB left: it would run out of memory (noeviction)");
        assert!(world.keys() == before, "{ran}");
        return false;
    }
    ran.exits(0);
    true
}

/// Finds how much room `line` has to have to be accepted, which is less than `most` and more than
/// `least`. Each time that it is accepted, it ends well, also with hardly any room left.
fn sweep(world: &World, line: &str, least: u64, most: u64) {
    let accepted = |spare: u64| {
        let is_accepted = is_accepted(world, line, spare);
        if is_accepted && line != "rehearse" {
            world.anp("rollback last").exits(0);
        }
        is_accepted
    };
    let (mut refused, mut enough) = (least, most);
    assert!(
        !accepted(refused) && accepted(enough),
        "{line}: {refused} to {enough}"
    );
    while enough - refused > most / 64 {
        let between = refused.midpoint(enough);
        if accepted(between) {
            enough = between;
        } else {
            refused = between;
        }
    }
    println!("{line}: {enough} bytes, of at least {least} and at most {most}");
}

/// What `work` adds to the memory of the server.
fn added(world: &World, work: impl FnOnce()) -> u64 {
    let before = world.server.used_memory();
    work();
    world.server.used_memory().saturating_sub(before)
}

#[test]
fn promise_9_an_import_into_an_empty_store_fits_or_is_refused() {
    let world = World::new();
    write(&world, 100, "first", 100);
    let taken = added(&world, || {
        world.anp("import").exits(0);
    });
    world.anp("rollback last").exits(0);
    sweep(&world, "import", taken / 2, taken * 5 / 4 + LARGEST);
    sweep(&world, "warm", taken / 2, taken * 5 / 4 + LARGEST);
}

/// Text of about `bytes` bytes that gzip makes half as long.
fn noise(number: u64, bytes: usize) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = String::with_capacity(bytes + 20);
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!("{state:016x} "));
    }
    text
}

#[test]
fn promise_9_pages_in_gzip_fit_or_are_refused_by_the_bytes_that_are_stored() {
    let world = World::new();
    let settings = "compress: gzip\narchive: {similar: 3, lists: {fields: [tags]}}\n";
    world.write("anp.yaml", settings);
    for number in 0..300 {
        let text = noise(number, 30_000);
        let article = format!("---\ntitle: N{number}\ntags: [a, b{number}]\n---\n\n{text}\n");
        world.write(&format!("content/n{number}.md"), article);
    }
    let import = |compress: &str| {
        let taken = added(&world, || {
            world
                .anp_with(&["import"], &[("ANP_COMPRESS", compress)])
                .exits(0);
        });
        world.anp("rollback last").exits(0);
        taken
    };
    let (plain, taken) = (import("none"), import("gzip"));
    assert!(taken < plain * 2 / 3, "{taken} of {plain}");
    sweep(&world, "import", taken / 2, taken * 5 / 4 + LARGEST);
}

#[test]
fn promise_9_a_rehearsal_fits_beside_what_is_published_or_is_refused() {
    let world = World::new();
    write(&world, 60, "first", 100);
    let taken = added(&world, || {
        world.anp("import").exits(0);
    });
    sweep(&world, "rehearse", taken / 2, taken * 5 / 4 + LARGEST);
}

#[test]
fn promise_9_values_that_grow_fit_or_are_refused() {
    let world = World::new();
    write(&world, 100, "first", 50);
    world.anp("import").exits(0);
    write(&world, 100, "second", 100);
    let taken = added(&world, || {
        world.anp("import").exits(0);
    });
    world.anp("rollback last").exits(0);
    sweep(&world, "import", taken / 2, taken * 3 / 2 + LARGEST);
}

#[test]
fn promise_9_many_small_keys_fit_or_are_refused() {
    let world = World::new();
    let seeded = "import --synth 1030 --body-kb 1 --spread 0";
    let taken = added(&world, || {
        world.anp(seeded).exits(0);
    });
    world.anp("rollback last").exits(0);
    // The tables of the keys double on the way.
    sweep(&world, seeded, taken / 2, taken * 5 / 4 + 1_000_000);
}

#[test]
fn values_of_the_same_length_need_next_to_nothing() {
    let world = World::new();
    write(&world, 100, "1st", 100);
    world.anp("import").exits(0);
    write(&world, 100, "2nd", 100);
    assert!(is_accepted(&world, "import", 3_000_000));
}

#[test]
fn promise_9_values_of_other_types_make_no_room() {
    let world = World::new();
    let seeded = "import --synth 200 --body-kb 6 --spread 0 --seed 1";
    world.anp(seeded).exits(0);
    let keys: Vec<String> = world.keys().into_keys().collect();
    world.anp("rollback last").exits(0);
    for key in keys
        .iter()
        .filter(|key| key.contains(":page:") || key.contains(":meta:"))
    {
        world.server.run(&["HSET", key, "field", "value"]);
    }
    let taken = added(&world, || {
        world.anp(seeded).exits(0);
    });
    world.anp("rollback last").exits(0);
    sweep(&world, seeded, taken / 2, taken * 5 / 4 + LARGEST);
}
