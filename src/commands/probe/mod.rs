//! `anp probe`: a front against what the store holds, and its response times.

#[cfg(feature = "probe")]
mod front;
#[cfg(feature = "probe")]
mod report;
#[cfg(feature = "probe")]
mod task;

#[cfg(feature = "probe")]
pub(super) use front::run;

/// A build without the probe knows the command, so that it can say what is missing.
#[cfg(not(feature = "probe"))]
pub(super) fn run(
    _: &crate::cli::Common,
    _: &crate::cli::Probe,
) -> Result<crate::exit::Exit, crate::failure::Failure> {
    Err(super::inputs::left_out("probe", "probe"))
}
