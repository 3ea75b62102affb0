//! The groups `site:` and `meta_box:`, and what else decides how pages look.

use std::path::Path;

use super::files;
use super::reader::Reader;
use crate::article::Rules;
use crate::edge::Site;
use crate::render::{BoxFields, Compression, RenderSettings};
use crate::yaml::{Fault, Node, YamlError};

/// Reads what pages look like.
pub(super) fn read(reader: &mut Reader, current_dir: &Path, rules: &Rules) -> RenderSettings {
    RenderSettings {
        site_url: reader.get("site.url", String::new(), base_url),
        assets: reader.get("site.assets", String::new(), base_url),
        site_name: reader.text("site.name").unwrap_or_default(),
        lang: reader.get("site.lang", "en".to_owned(), |node| {
            let text = node.text()?;
            let is_tag = |part: &str| {
                (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
            };
            if text.len() > 35 || !text.split('-').all(is_tag) {
                return Err(node.mismatch("a language tag (for example en or pt-BR)"));
            }
            Ok(text.to_owned())
        }),
        meta_box: BoxFields {
            show: reader.get("meta_box.show", Vec::new(), files::names),
            hide: reader.get("meta_box.hide", Vec::new(), files::names),
        },
        rules: rules.identity_of_values(),
        templates: reader.path("templates", current_dir),
        compression: reader.get("compress", Compression::None, |node| {
            let choices = [Compression::None, Compression::Gzip];
            Ok(choices[node.choice(&["none", "gzip"])?])
        }),
        ..RenderSettings::default()
    }
}

/// A URL that paths are appended to, without a slash at its end.
fn base_url(node: &Node) -> Result<String, YamlError> {
    let text = node.text()?.trim_end_matches('/');
    let is_http = text.starts_with("https://") || text.starts_with("http://");
    if !is_http || text.contains(['"', '<', '>', ' ', '?', '#', '\\']) {
        return Err(node.mismatch("an http(s) URL without query or fragment"));
    }
    let site = Site::new(text);
    let host = site.host();
    if host.is_empty() || host.contains('@') {
        // It stands on every page, so the message must not repeat it either.
        let message = "expected an http(s) URL with a host, and without user and password";
        return Err(YamlError::new(Fault::Value, node.span, message));
    }
    Ok(text.to_owned())
}
