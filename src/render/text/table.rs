//! Tables: a row is a line, and the first one is the head.

use super::writer::{Gap, Markdown};

use super::pieces::{Piece, Pieces, StartTag};

/// A table that is being written.
#[derive(Default)]
pub(super) struct Table {
    /// How many columns its widest row has.
    width: usize,
    /// How many tables are open in its cell: their cells are text of that cell.
    inner: usize,
    rows: usize,
    /// Cells of the row at hand.
    cells: usize,
    /// Columns that the cell at hand takes besides its own.
    empty: usize,
    /// What the line below the head says of each column.
    columns: Vec<&'static str>,
}

/// A column that its head does not align.
const PLAIN: &str = " --- |";

/// How many columns a cell takes.
pub(super) fn span(cell: StartTag<'_>) -> usize {
    let span = cell.attribute("colspan").and_then(|span| span.parse().ok());
    span.unwrap_or(1).max(1)
}

impl Table {
    /// The table whose start tag came before `pieces`.
    pub(super) fn before(pieces: Pieces<'_>) -> Self {
        let (mut width, mut row, mut inner) = (0, 0, 0_usize);
        for piece in pieces {
            match piece {
                Piece::Start(tag) if tag.name == "table" => inner += 1,
                Piece::End("table") if inner == 0 => break,
                Piece::End("table") => inner -= 1,
                Piece::Start(tag) if inner == 0 && tag.name == "tr" => row = 0,
                Piece::Start(tag) if inner == 0 && matches!(tag.name, "td" | "th") => {
                    row += span(tag);
                    width = width.max(row);
                }
                _ => {}
            }
        }
        Self {
            width,
            ..Self::default()
        }
    }

    /// A table begins in a cell.
    pub(super) fn begin_inner(&mut self) {
        self.inner += 1;
    }

    /// A table ends. Whether it is this one.
    pub(super) fn end(&mut self) -> bool {
        match self.inner.checked_sub(1) {
            Some(inner) => self.inner = inner,
            None => return true,
        }
        false
    }

    /// A cell of so many columns begins.
    pub(super) fn begin_cell(&mut self, out: &mut Markdown, alignment: &str, span: usize) {
        if self.inner > 0 {
            return out.begin_block(Gap::Blank);
        }
        if self.cells == 0 {
            out.begin_row(self.rows == 0);
        }
        if self.rows == 0 {
            self.columns.push(match alignment {
                "mid" => " :-: |",
                "end" => " --: |",
                _ => PLAIN,
            });
            self.columns.extend(std::iter::repeat_n(PLAIN, span - 1));
        }
        self.cells += span;
        self.empty = span - 1;
        out.begin_cell();
    }

    /// A cell ends.
    pub(super) fn end_cell(&mut self, out: &mut Markdown) {
        if self.inner > 0 {
            return out.end_block(Gap::Blank);
        }
        out.end_cell();
        for _ in 0..std::mem::take(&mut self.empty) {
            out.begin_cell();
            out.end_cell();
        }
    }

    /// A row ends.
    pub(super) fn end_row(&mut self, out: &mut Markdown) {
        if self.inner > 0 || self.cells == 0 {
            return;
        }
        for _ in self.cells..self.width {
            out.begin_cell();
            out.end_cell();
        }
        out.end_row();
        if self.rows == 0 {
            self.columns.resize(self.width, PLAIN);
            out.line(&format!("|{}", self.columns.concat()));
        }
        self.rows += 1;
        self.cells = 0;
    }
}
