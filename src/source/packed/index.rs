//! What was found in a packed file, kept in the state folder: a night on which the file is the same
//! does not read it.
//!
//! It may be deleted at any time, and any byte of it may be wrong: what does not fit is no index at all.

use std::io;
use std::path::Path;

use super::input::Form;
use super::unpacking::Members;
use crate::durable;
use crate::hashing::add_part;
use crate::regular;
use crate::source::identity::Identity;

/// Rises when other things are found, or when they are written in another way.
const FORMAT: u32 = 2;

/// The name of the file in the state folder.
const NAME: &str = "packed.index";

const MAGIC: &[u8; 16] = b"anp packed index";

/// More than this is no index: ten million articles have less.
const MOST_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// The file, its state, and the settings by which it is read: together they decide what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context([u8; 32]);

impl Context {
    /// That of the source at `path` whose files are in these states; `decisive` is what of the settings decides.
    pub(super) fn new(path: &Path, identities: &[Identity], decisive: &[u8]) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        let path = path.canonicalize()?;
        let identities: Vec<u8> = identities.iter().flat_map(|one| one.0).collect();
        for part in [
            &FORMAT.to_le_bytes()[..],
            env!("CARGO_PKG_VERSION").as_bytes(),
            path.as_os_str().as_encoded_bytes(),
            &identities,
            decisive,
        ] {
            add_part(&mut hasher, part);
        }
        Ok(Self(*hasher.finalize().as_bytes()))
    }
}

/// What is known: whether the sources are in the file as they are, what it is, and its members.
type Known<M> = (bool, Form, M);

/// The index in the state folder `folder`, if it was written for just this.
pub(super) fn read(folder: &Path, context: Context) -> Option<Known<Members>> {
    let bytes = regular::read(&folder.join(NAME), MOST_BYTES).ok()?;
    let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(&context.0)?;
    let (sum, members) = rest.split_at_checked(32)?;
    let is_whole = blake3::hash(members).as_bytes() == sum;
    is_whole.then(|| postcard::from_bytes(members).ok())?
}

/// Writes it.
///
/// # Errors
/// When the file cannot be written, or a path is not UTF-8.
pub(super) fn write(folder: &Path, context: Context, known: Known<&Members>) -> io::Result<()> {
    let members = postcard::to_stdvec(&known).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(members.len() + 80);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&context.0);
    bytes.extend_from_slice(blake3::hash(&members).as_bytes());
    bytes.extend_from_slice(&members);
    durable::replace(&folder.join(NAME), &bytes, 0o600)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::unpacking::{Member, Unpacking};
    use super::{Context, Form, NAME, read, write};
    use crate::source::identity::Identity;

    #[test]
    fn an_index_is_read_only_for_the_file_that_it_is_of_and_only_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut unpacking = Unpacking::new(None, &|| Ok(()));
        for name in ["a.md", "b/c.md", "b/d.png", ".anpignore"] {
            unpacking
                .add(Member {
                    relative: Path::new(name),
                    line: 0,
                    bytes: Some(b"text"),
                    length: 4,
                    at: 7,
                })
                .unwrap();
        }
        let context = |state| Context::new(folder.path(), &[Identity([state; 16])], b"").unwrap();
        assert!(read(folder.path(), context(1)).is_none());
        write(
            folder.path(),
            context(1),
            (true, Form::Tar, &unpacking.found),
        )
        .unwrap();
        let (true, Form::Tar, found) = read(folder.path(), context(1)).unwrap() else {
            panic!("another index");
        };
        assert_eq!(format!("{found:?}"), format!("{:?}", unpacking.found));
        assert_eq!(found.sources.len(), 2);
        assert!(read(folder.path(), context(2)).is_none());
        let path = folder.path().join(NAME);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut spoilt = whole.clone();
            spoilt[at] ^= 1;
            std::fs::write(&path, &spoilt).unwrap();
            assert!(read(folder.path(), context(1)).is_none(), "{at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(read(folder.path(), context(1)).is_none(), "{at}");
        }
    }
}
