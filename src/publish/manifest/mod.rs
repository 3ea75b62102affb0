//! The manifest: the durable record of a run, and the way back.
//!
//! JSON lines in zstd frames, one frame a batch:
//!
//! ```text
//! header frame │ header line
//! batch frame  │ intents of the batch … outcomes of the batches before
//! …
//! footer frame │ outcomes of the last batches, footer line
//! ```
//!
//! `zstdcat FILE | jq` reads it. Around each zstd frame stand two skippable frames that
//! zstd passes over: a guard before it (sequence number, length, BLAKE3) and an end mark
//! after it. The file is made at its final path with mode 0600, its folder is synced, and
//! it is never renamed and only ever grows.
//!
//! **Torn or damaged.** Each frame is synced before the next one is begun, and before the keys that
//! it announces are written. A crash can leave the file ending inside its last frame, with zeros from
//! some place in it on, or with whole pages of zeros inside it; such a file is cut at its last
//! whole frame, and a crash loses nothing by that. Zeros in a frame that ends before the end of the
//! file are damage, because that frame was synced. So is anything else (a flipped bit, a frame that
//! is missing): it is refused with its offset before anything is written. Where zeros cover the guard
//! too and all behind it, nothing tells a frame that was torn from several that were lost. The end
//! mark's last byte is not zero, so a whole frame never looks like one that was torn by zeros.
//!
//! **Shards.** Where several processes do one run, each start of each shard leaves a file of its
//! own; together they are one [`Manifest`]. What that means for a key that more than one start of a
//! shard wrote stands in `merge.rs`.

mod encoder;
mod frame;
mod lines;
mod published;
pub(crate) mod reader;
pub(crate) mod record;
mod whole;
mod writer;

pub use encoder::{Encoder, Frames};
pub use published::published_routes;
pub use reader::{Damage, Lost, Verify, header_of};
pub use record::{
    Action, ArticleCounts, Counts, FORMAT, Fate, Footer, Header, Intent, KeyOutcome, LATEST_MS,
    Line, Snapshot, Status,
};
pub use whole::Manifest;
pub use writer::Writer;
