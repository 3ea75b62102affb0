//! The schema file that the setting `schema` names.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::file;
use crate::article::schema::{Schema, read_schema};
use crate::regular;

/// More than this is not a schema file.
const MOST_BYTES: u64 = 64 * 1024;

/// The fields of the file at `path`, or everything that is wrong with it.
pub(super) fn read(path: PathBuf) -> Result<Schema, Vec<String>> {
    let path = Arc::new(path);
    let text = regular::read(&path, MOST_BYTES)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("not UTF-8")));
    let text = text.map_err(|error| {
        let shown = path.display();
        vec![format!("cannot read the schema file {shown}: {error}")]
    })?;
    read_schema(&text).map_err(|errors| {
        let problems = errors.into_iter().map(|error| {
            let diagnostic = error.diagnostic("field", &path, &text);
            file::problem("schema", &diagnostic)
        });
        problems.collect()
    })
}
