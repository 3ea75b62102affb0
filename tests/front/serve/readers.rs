//! The readers in docs/serving.md, in other languages.

use std::process::{Command, Stdio};

use crate::nginx::front::block;
use crate::support::World;

/// A language: the fence of its block, its interpreter, and a program around the block that prints the body
/// for `ACCEPT` of the value in the file `value`, and its headers to stderr.
const LANGUAGES: [(&str, &str, &str, &str); 3] = [
    (
        "js",
        "node",
        "",
        "const [body, headers] = answer(require('fs').readFileSync('value'), process.env.ACCEPT);\n\
         process.stdout.write(body); console.error(JSON.stringify(headers));",
    ),
    (
        "php",
        "php",
        "<?php\n",
        "[$body, $headers] = answer(file_get_contents('value'), getenv('ACCEPT'));\n\
         echo $body; fwrite(STDERR, json_encode($headers));",
    ),
    (
        "py",
        "python3",
        "",
        "import os, sys\n\
         body, headers = answer(open('value', 'rb').read(), os.environ['ACCEPT'])\n\
         sys.stdout.buffer.write(body); sys.stderr.write(str(headers))",
    ),
];

fn is_there(interpreter: &str) -> bool {
    let found = Command::new(interpreter)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

#[test]
fn the_readers_of_the_documents_read_both_forms() {
    let world = World::new();
    world.article("a.md", "Text.");
    let mut read = 0;
    for (language, interpreter, before, after) in LANGUAGES {
        // Not every machine has each of them.
        if !is_there(interpreter) {
            continue;
        }
        read += 1;
        let program = format!("{before}{}\n{after}\n", block(language, "answer("));
        world.write("program", program);
        for compress in ["none", "gzip"] {
            world
                .anp_with(&["import", "--quiet"], &[("ANP_COMPRESS", compress)])
                .exits(0);
            let stored = world.server.bytes("anp:page:/a/").unwrap();
            let page = world.server.unpacked("anp:page:/a/").unwrap();
            world.write("value", &stored);
            for accept in ["", "gzip, br"] {
                let mut command = world.program(interpreter);
                command.arg("program").env("ACCEPT", accept);
                let output = command.output().unwrap();
                let is_packed = compress == "gzip" && !accept.is_empty();
                let expected = if is_packed { &stored } else { page.as_bytes() };
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.stdout == expected, "{language}, {compress}: {said}");
                assert_eq!(said.contains("Content-Encoding"), is_packed, "{said}");
                assert!(said.contains("Accept-Encoding"), "{said}");
            }
        }
    }
    assert!(read > 0, "no interpreter of the documents is here");
}
