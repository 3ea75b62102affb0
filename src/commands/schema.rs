//! `anp schema`: the JSON Schema of the front matter, or of the settings file.

use crate::article::schema::json_schema;
use crate::cli::{Common, Schema};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Output;
use crate::settings;

pub(super) fn run(common: &Common, arguments: &Schema) -> Result<Exit, Failure> {
    let schema = if arguments.settings {
        settings::json_schema()
    } else {
        let settings = super::inputs::settings_alone(common, Vec::new())?;
        json_schema(&settings.rules.schema)
    };
    let mut output = Output::stdout(common.format);
    if output.is_json() {
        output.json(&schema);
    } else {
        output.text(format!("{schema:#}"));
    }
    Ok(Exit::Done)
}
