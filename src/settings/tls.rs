//! How the store is reached besides its address: TLS, and the flags that printed commands repeat.

use std::path::Path;

use super::keys::{Sources, flag};
use super::reader::Reader;
use crate::exit::Exit;
use crate::store::{Address, Place, TlsSettings};

/// Settings of TLS; all but the name are files.
const FILES: [&str; 3] = ["tls.ca", "tls.cert", "tls.key"];

/// Reads the settings of TLS. With a network address without TLS they are an error: the user expects
/// that nothing is sent in plain text. With a store on this machine they are ignored, so that one file
/// can hold the settings of another store.
pub(super) fn read(reader: &mut Reader, address: &Address, current_dir: &Path) -> TlsSettings {
    let [ca, cert, key] = FILES.map(|key| {
        let path = reader.path(key, current_dir);
        path.map(|path| std::path::absolute(&path).unwrap_or(path))
    });
    let tls = TlsSettings {
        ca,
        cert,
        key,
        server_name: reader.text("tls.server_name"),
    };
    if tls.cert.is_some() != tls.key.is_some() {
        let what = "expected tls.cert and tls.key (--tls-cert, --tls-key) together, found one \
                    of them";
        add_problem(reader, what.to_owned());
    }
    if !tls.is_empty() && !address.tls {
        let is_local = matches!(address.place, Place::Embedded(_) | Place::Unix(_));
        if !is_local || has_flag(reader) {
            add_problem(
                reader,
                format!(
                    "TLS is set (--tls-…, ANP_TLS_…, tls:), and the address is {address}; expected \
                 one with TLS, which begins with rediss, or no such setting"
                ),
            );
        }
    }
    tls
}

fn has_flag(reader: &Reader) -> bool {
    FILES.iter().any(|key| reader.is_flag(key)) || reader.is_flag("tls.server_name")
}

fn add_problem(reader: &mut Reader, what: String) {
    let exit = if has_flag(reader) {
        Exit::Usage
    } else {
        Exit::Config
    };
    reader.problems.push((exit, what));
}

/// The flags of TLS and of sentinels that were given, with absolute paths.
pub(super) fn flags_to_repeat(sources: &Sources<'_>) -> Vec<(String, String)> {
    let given = sources.flags.iter().filter_map(|(key, text)| {
        let flag = match *key {
            "sentinel_user" => "--sentinel-user".to_owned(),
            key => flag(key)?,
        };
        let path = std::path::absolute(text).ok();
        let path = path.filter(|_| FILES.contains(key));
        let text = path.map_or(text.clone(), |path| path.to_string_lossy().into_owned());
        Some((flag, text))
    });
    given.collect()
}
