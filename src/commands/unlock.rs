//! `anp unlock`: breaks the lock that a run left behind.

use crate::cli::{Common, Unlock};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::run::connection::Connected;
use crate::publish::run::unlock::unlock;
use crate::report;
use crate::report::Output;
use crate::signals::watch;

pub(super) fn run(common: &Common, arguments: &Unlock) -> Result<Exit, Failure> {
    let settings = super::inputs::settings(common, Vec::new())?;
    let mut store = Connected::open(&settings.address, &settings, &watch()?)?;
    let unlocked = unlock(&mut store, &settings, &arguments.run)?;
    let mut output = Output::stdout(common.format);
    report::unlock::show(&unlocked, &settings, &arguments.run, &mut output);
    Ok(Exit::Done)
}
