//! `anp serve`: a preview of the store in a browser.

use crate::cli::{Common, Serve};
use crate::exit::Exit;
use crate::failure::Failure;

/// A build without the server knows the command, so that it can say what is missing.
#[cfg(not(feature = "serve"))]
pub(super) fn run(_: &Common, _: &Serve) -> Result<Exit, Failure> {
    Err(super::inputs::left_out("server", "serve"))
}

#[cfg(feature = "serve")]
pub(super) use with_server::run;

#[cfg(feature = "serve")]
mod with_server {
    use std::net::{TcpListener, ToSocketAddrs as _};

    use serde_json::json;

    use super::{Common, Exit, Failure, Serve};
    use crate::commands::inputs::settings;
    use crate::publish::run::connection::Connected;
    use crate::report::{Output, log};
    use crate::serve::{Preview, listen};
    use crate::signals::watch;

    pub(in crate::commands) fn run(common: &Common, arguments: &Serve) -> Result<Exit, Failure> {
        let settings = settings(common, arguments.settings())?;
        let stop = watch()?;
        let listener = bind(&settings.serve.addr)?;
        let address = listener
            .local_addr()
            .map_err(|error| cannot_listen(&settings.serve.addr, &error))?;
        // Held for as long as it serves: the embedded store runs until then.
        let connected = Connected::open_to_read(&settings.address, &settings, &stop)?;
        let url = format!("http://{address}/");
        if !address.ip().is_loopback() {
            log::warning(format!(
                "{address} can be reached from other machines: this is a preview, without \
                 encryption or passwords, and no front for readers"
            ));
        }
        log::say(format!(
            "serving {url} (store {}, prefix {}); Ctrl-C ends it",
            settings.address, settings.prefix
        ));
        let mut output = Output::stdout(common.format);
        output.json(&json!({
            "type": "serve", "url": url, "addr": address.to_string(),
            "store": settings.address.to_string(), "prefix": settings.prefix,
        }));
        output.flush();
        let preview = Preview {
            addr: settings.serve.addr.clone(),
            connector: connected.connector.clone(),
            prefix: settings.prefix.clone(),
            state_dir: settings.state_dir.clone(),
            login_cookies: settings.serve.login_cookies.clone(),
            cache: settings.cache,
        };
        listen(listener, preview, &stop)
            .map_err(|error| cannot_listen(&settings.serve.addr, &error))?;
        Ok(Exit::Done)
    }

    fn bind(addr: &str) -> Result<TcpListener, Failure> {
        let found = addr.to_socket_addrs();
        let bound = found.and_then(|found| TcpListener::bind(&found.collect::<Vec<_>>()[..]));
        bound.map_err(|error| cannot_listen(addr, &error))
    }

    fn cannot_listen(addr: &str, error: &std::io::Error) -> Failure {
        Failure::new(Exit::Config, format!("cannot listen on {addr}: {error}"))
            .note("expected", "an address of this machine with a free port, as in --addr 127.0.0.1:8081; port 0 takes any")
            .note("retry", "safe, with another --addr or once the port is free; nothing was written")
    }
}
