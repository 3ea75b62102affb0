//! `anp schema`: the JSON Schema of the front matter.

use crate::article::schema::json_schema;
use crate::cli::Common;
use crate::exit::Exit;
use crate::report::Output;

pub(super) fn run(common: &Common) -> Exit {
    let mut output = Output::stdout(common.format, false);
    let schema = json_schema();
    if output.is_json() {
        output.json(&schema);
    } else {
        output.text(format!("{schema:#}"));
    }
    Exit::Done
}
