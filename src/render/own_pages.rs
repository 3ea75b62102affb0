//! Pages that are no articles: the list of the preview, the report of a run.

use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value};

use super::escape;

/// Templates without a loader: an include finds those that were added and nothing else. Every value is
/// escaped, which also takes out what could make a text read otherwise, unless it is HTML of ours.
pub(super) fn escaping() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(|out, _, value| {
        let mut escaped = String::new();
        match value.as_str() {
            Some(html) if value.is_safe() => return out.write_str(html).map_err(Into::into),
            Some(text) => escape::anywhere(&mut escaped, text),
            None => escape::anywhere(&mut escaped, &value.to_string()),
        }
        out.write_str(&escaped).map_err(Into::into)
    });
    environment
}

/// The built-in templates of such pages, by name and text. `style` is the style of all of them.
///
/// # Errors
/// A template cannot be compiled.
pub fn environment(
    templates: &[(&'static str, &'static str)],
    style: &str,
) -> Result<Environment<'static>, Error> {
    let mut environment = escaping();
    for (name, text) in templates {
        environment.add_template(name, text)?;
    }
    environment.add_global("style", Value::from_safe_string(style.to_owned()));
    Ok(environment)
}
