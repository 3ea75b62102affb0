//! What refuses a plan before its first write: the content, the settings' expectations, the memory
//! of the server, the disk, the rights of the user.

pub mod disk;
pub(crate) mod expectations;
pub(crate) mod invalid;
pub mod largest_value;
pub mod memory;
pub(crate) mod rights;
pub(crate) mod space;
