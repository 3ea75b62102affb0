//! What one process does of a run that several shards do together.

use super::shard::Shard;
use crate::settings::Settings;

/// What one process does of a run.
#[derive(Clone, Debug)]
pub struct Share {
    /// Which part of the articles.
    pub shard: Shard,
    /// The run that it does together with the other shards; without one, it is a run of its own.
    pub run: Option<String>,
    /// The options of its command line that decide what is written.
    pub options: String,
}

impl Share {
    /// Digest of what all shards must have in common besides their number: what decides what is
    /// written, with the fingerprint of the renderer.
    #[must_use]
    pub fn digest(
        &self,
        command: &str,
        settings: &Settings,
        renderer: Option<&[u8; 32]>,
    ) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in [
            command,
            &settings.digest_of_objects(renderer),
            &settings.address.to_string(),
            &self.options,
        ] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}
