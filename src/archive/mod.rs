//! What an archive has beside its articles. Nothing here knows the store.

mod file_path;
mod redirect;

pub use file_path::FilePath;
pub use redirect::{MAX_REDIRECT_BYTES, Redirect};
