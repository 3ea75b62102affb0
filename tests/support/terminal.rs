//! A terminal of a given width.

use std::fs::File;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, OutputModes, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

/// Opens a terminal: what a person sees, and the side that a program writes to. Lines end as they are
/// written, without a carriage return.
pub fn open(columns: u16) -> (File, File) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&screen, size).unwrap();
    let name = ptsname(&screen, Vec::new()).unwrap();
    let name = name.into_string().unwrap();
    let side = File::options().read(true).write(true).open(name).unwrap();
    let mut modes = tcgetattr(&side).unwrap();
    modes.output_modes.remove(OutputModes::OPOST);
    tcsetattr(&side, OptionalActions::Now, &modes).unwrap();
    (screen.into(), side)
}
