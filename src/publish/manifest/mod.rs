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
//! **Torn or damaged.** A crash can leave the file ending inside its last frame, or with
//! zeros from some place in it on; such a file is cut at its last whole frame, and loses
//! nothing: what a frame announces is only done once the frame is durable. Anything else
//! (a flipped bit, a frame that is missing) is damage, and is refused with its offset before
//! anything is written. The end mark's last byte is not zero, so a whole frame never looks
//! like one that was torn by zeros.

mod encoder;
mod frame;
mod published;
mod reader;
mod record;
mod writer;

pub use encoder::{Encoder, Frames};
pub use reader::{Damage, Manifest, Verify};
pub use record::{
    Action, Counts, FORMAT, Fate, Footer, Header, Intent, Line, Outcome, Snapshot, Status,
};
pub use writer::Writer;
