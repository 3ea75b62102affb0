//! `anp init --nginx`: the front of deploy/nginx, with a site for these settings.

use std::path::Path;

use super::new_files::write_all;
use crate::cli::Common;
use crate::commands::inputs::settings_needing;
use crate::edge::NginxSite;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Output;
use crate::settings::Needs;

const FRONT: &str = include_str!("../../../deploy/nginx/anp.conf");
const LUA: &str = include_str!("../../../deploy/nginx/anp.lua");

/// Writes its files to `folder`.
pub(super) fn write(folder: &Path, common: &Common, output: &mut Output) -> Result<(), Failure> {
    let settings = settings_needing(Needs::Store, common, Vec::new())?;
    let site = NginxSite {
        address: &settings.address,
        prefix: &settings.prefix,
        login_cookies: &settings.serve.login_cookies,
        cache: settings.cache,
        site_url: &settings.render.site_url,
    };
    let site = site.text().map_err(|what| {
        Failure::new(Exit::Config, what)
            .note(
                "expected",
                "one server without TLS, by its IPv4 address or its unix socket: \
                 redis://10.0.0.5:6379/0, redis+unix:///run/redis.sock",
            )
            .note("retry", "safe with other settings; nothing was written")
    })?;
    let files = [
        ("site.conf", site.as_str()),
        ("anp.conf", FRONT),
        ("anp.lua", LUA),
    ];
    write_all(folder, &files, output)?;
    output.text(format!(
        "\nname your origin in {0}/site.conf, then:\n\
         apt-get install nginx libnginx-mod-http-lua lua-nginx-redis\n\
         install -D -m 0644 {0}/anp.conf /etc/nginx/anp/anp.conf\n\
         install -D -m 0644 {0}/anp.lua /usr/local/share/lua/5.1/anp.lua\n\
         install -D -m 0644 {0}/site.conf /etc/nginx/sites-enabled/anp\n\
         nginx -t && systemctl reload nginx",
        folder.display()
    ));
    Ok(())
}
