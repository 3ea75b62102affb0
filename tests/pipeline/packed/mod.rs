//! Packed sources: JSON lines and archives, from a file or the standard input, behave like a folder.

mod attacks;
mod forms;
mod hostile;
mod nights;
mod stdin;
mod wordpress;

use std::io::Write as _;
use std::path::Path;

use crate::support::{Ran, World};

/// A member of an archive.
enum Member<'m> {
    File(&'m str, &'m [u8]),
    Link(&'m str, &'m str, tar::EntryType),
    Special(&'m str, tar::EntryType),
}

/// The bytes of a tar archive, whatever the names are.
fn tar_of(members: &[Member<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for member in members {
        let (name, content, link, kind): (_, &[u8], _, _) = match member {
            Member::File(name, content) => (name, content, "", tar::EntryType::Regular),
            Member::Link(name, link, kind) => (name, b"", *link, *kind),
            Member::Special(name, kind) => (name, b"", "", *kind),
        };
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        add_member(&mut bytes, header, content);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// Adds a member to the bytes of a tar archive.
fn add_member(bytes: &mut Vec<u8>, mut header: tar::Header, content: &[u8]) {
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
}

/// The bytes of a zip archive, every second member compressed.
fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (number, (name, content)) in members.iter().enumerate() {
        let is_packed = number % 2 == 1;
        let method = match is_packed {
            true => rawzip::CompressionMethod::DEFLATE,
            false => rawzip::CompressionMethod::STORE,
        };
        let file = archive.new_file(name).compression_method(method);
        let (mut entry, config) = file.start().unwrap();
        let descriptor = if is_packed {
            let packer = flate2::write::DeflateEncoder::new(&mut entry, Default::default());
            let mut writer = config.wrap(packer);
            writer.write_all(content).unwrap();
            let (packer, descriptor) = writer.finish().unwrap();
            packer.finish().unwrap();
            descriptor
        } else {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(content).unwrap();
            writer.finish().unwrap().1
        };
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// Seeded articles at `out`, in the form that its name asks for.
fn seeded(world: &World, out: &str, options: &str) {
    world.anp(&format!("synth --out {out} {options}")).exits(0);
}

/// The paths below `folder`, each with its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter();
    let files = entries
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    let named = files.map(|entry| {
        let path = entry.path().strip_prefix(folder).unwrap();
        (
            path.to_str().unwrap().to_owned(),
            std::fs::read(entry.path()).unwrap(),
        )
    });
    named.collect()
}

/// Packs the files below `folder` into the zip archive at `out`.
fn zip_folder(world: &World, folder: &str, out: &str) {
    let files = files(&world.path(folder));
    let members: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (&**path, &**bytes))
        .collect();
    world.write(out, zip_of(&members));
}

/// What the store holds, without what differs from run to run.
fn stored(world: &World) -> Vec<(String, String)> {
    let mut connection = world.server.connection();
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("anp:*")
        .query(&mut connection)
        .unwrap();
    let mut all: Vec<(String, String)> = keys
        .into_iter()
        .filter(|key| key != "anp:lock")
        .map(|key| {
            let value: String = redis::cmd("GET").arg(&key).query(&mut connection).unwrap();
            match serde_json::from_str::<serde_json::Value>(&value) {
                Ok(mut meta) if key.starts_with("anp:meta:") => {
                    meta.as_object_mut()
                        .unwrap()
                        .retain(|name, _| name != "run" && name != "written_at");
                    (key, meta.to_string())
                }
                _ => (key, value),
            }
        })
        .collect();
    all.sort();
    all
}

/// Runs a command with bytes on its standard input.
fn piped(world: &World, line: &str, input: &[u8]) -> Ran {
    world.write("input", input);
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let mut command = world.command("state", &arguments);
    command.stdin(std::fs::File::open(world.path("input")).unwrap());
    Ran::of(&mut command)
}
