//! Variables of the environment in headers and URLs: put in just before a request is sent, and never
//! shown.

/// Where variables are read.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What stands for a secret in messages.
const HIDDEN: &str = "***";

/// The values that were put in.
#[derive(Default)]
pub struct Secrets {
    values: Vec<String>,
}

impl Secrets {
    /// The value of the variable `name`.
    ///
    /// # Errors
    /// One sentence: it is not set.
    pub fn get(&mut self, name: &str, environment: Environment<'_>) -> Result<String, String> {
        let value = environment(name).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| format!("the variable {name} is not set"))?;
        self.values.push(value.clone());
        Ok(value)
    }

    /// `text` with the value of each variable in place of its `${NAME}`.
    ///
    /// # Errors
    /// One sentence: a variable is not set.
    pub fn fill(&mut self, text: &str, environment: Environment<'_>) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, name, after)) = next_variable(rest) {
            filled.push_str(before);
            filled.push_str(&self.get(name, environment)?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// `text` without any of the values.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for value in &self.values {
            text = text.replace(value.as_str(), HIDDEN);
        }
        text
    }
}

/// Whether `text` has a `${NAME}`.
#[must_use]
pub fn has_variable(text: &str) -> bool {
    next_variable(text).is_some()
}

/// Whether `name` can name a variable.
#[must_use]
pub fn is_variable_name(name: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    !name.is_empty() && name.bytes().all(is_word) && !name.as_bytes()[0].is_ascii_digit()
}

/// The text before the first `${NAME}`, the name, and the text after it.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(start) = text[from..].find("${").map(|at| from + at) {
        if let Some((name, after)) = text[start + 2..].split_once('}')
            && is_variable_name(name)
        {
            return Some((&text[..start], name, after));
        }
        from = start + 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Secrets, has_variable};

    #[test]
    fn variables_are_put_in_and_hidden_again() {
        let environment = |name: &str| (name == "TOKEN").then(|| "s3cret".to_owned());
        let mut secrets = Secrets::default();
        let mut fill = |text: &str| secrets.fill(text, &environment);
        assert_eq!(fill("Bearer ${TOKEN}.").unwrap(), "Bearer s3cret.");
        assert_eq!(fill("${TOKEN}${TOKEN}").unwrap(), "s3crets3cret");
        for text in ["${}", "$TOKEN", "${TO KEN} }", "${", "{url} ${1}", "ä${"] {
            assert_eq!(fill(text).unwrap(), text);
            assert!(!has_variable(text), "{text}");
        }
        assert_eq!(
            fill("${OTHER}").unwrap_err(),
            "the variable OTHER is not set"
        );
        assert_eq!(secrets.hide("no s3cret here: s3cret"), "no *** here: ***");
    }
}
