//! Tables for people: as wide as the terminal, 80 columns in pipes. What is too long for its column goes
//! on below.

use comfy_table::{ColumnConstraint, ContentArrangement, Table as Grid, presets};

/// The width where stdout is no terminal.
const COLUMNS: u16 = 80;

/// No narrower terminal is served.
const FEWEST_COLUMNS: u16 = 60;

/// Whether the cells of a column may be broken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cells {
    /// Each stands on one line: it can be copied.
    Whole,
    /// They are broken where they are too long.
    Broken,
}

/// A table.
pub(super) struct Table {
    grid: Grid,
    cells: Vec<Cells>,
}

impl Table {
    /// A table with these columns.
    pub(super) fn new(columns: &[(&str, Cells)]) -> Self {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width())
            .set_header(columns.iter().map(|(name, _)| *name));
        Self {
            grid,
            cells: columns.iter().map(|(_, cells)| *cells).collect(),
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.grid.add_row(cells);
    }

    /// All of it, without blanks at the ends of lines.
    pub(super) fn text(mut self) -> String {
        let last = self.cells.len().saturating_sub(1);
        for (index, cells) in self.cells.iter().enumerate() {
            if let Some(column) = self.grid.column_mut(index) {
                column.set_padding((0, if index == last { 0 } else { 2 }));
                if *cells == Cells::Whole {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
            }
        }
        self.grid.trim_fmt()
    }
}

/// How many columns stdout has.
pub(super) fn width() -> u16 {
    let of_terminal = terminal_size::terminal_size_of(std::io::stdout());
    of_terminal.map_or(COLUMNS, |(width, _)| width.0.max(FEWEST_COLUMNS))
}
