//! The settings that are in force, each with its origin (`--verbose`).

use serde_json::json;

use super::log;
use crate::settings::Settings;

/// Says which settings were given, and where.
pub(crate) fn detail(settings: &Settings) {
    if !log::is_verbose() {
        return;
    }
    for setting in &settings.in_force {
        let (key, origin) = (setting.key, &setting.origin);
        // Without the password that an address may hold.
        let address = || settings.address.to_string();
        let text = setting.text.clone().unwrap_or_else(address);
        log::detail(
            &format!("setting {key} is {text} ({origin})"),
            json!({ "setting": key, "value": text, "origin": origin }),
        );
    }
    let state_dir = settings.state_dir.display();
    if settings.state_dir_is_set {
        log::detail(
            &format!("the state folder is {state_dir}"),
            json!({ "state_dir": settings.state_dir }),
        );
    }
    log::detail(
        "every other setting has its default (docs/configuration.md)",
        json!({}),
    );
}
