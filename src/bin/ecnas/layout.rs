//! Tables for people, laid out for the width of the screen.
//!
//! Numbers and names are never cut. Where a table is too wide, titles and texts are wrapped first; where that is not
//! enough, each row takes several lines, and so does the header.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use crate::screen;

/// Below this width, gaps are narrow and hashes are shortened.
pub const NARROW: usize = 90;

/// A space at which nothing is wrapped.
pub const NO_BREAK: char = '\u{a0}';

/// A column of a table.
pub struct Column {
    title: String,
    is_right: bool,
    is_wrapped: bool,
    starts_line: bool,
}

impl Column {
    /// Numbers: aligned to the right, never cut. A title may have several lines.
    pub fn number(title: impl Into<String>) -> Self {
        Self {
            is_right: true,
            ..Self::name(title)
        }
    }

    /// Names and hashes, which are never cut.
    pub fn name(title: impl Into<String>) -> Self {
        Self {
            title: screen::visible(&title.into()).into_owned(),
            is_right: false,
            is_wrapped: false,
            starts_line: false,
        }
    }

    /// Texts, which are wrapped where they must.
    pub fn text(title: impl Into<String>) -> Self {
        Self {
            is_wrapped: true,
            ..Self::name(title)
        }
    }

    /// Begins a line of its own where a row does not fit into one.
    pub fn starts_line(mut self) -> Self {
        self.starts_line = true;
        self
    }

    /// Aligned to the right.
    pub fn right(mut self) -> Self {
        self.is_right = true;
        self
    }
}

/// A table with a line below its header, whose titles end on one line.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    width: usize,
}

/// The columns of one line of a row, with their widths.
struct Line {
    indent: usize,
    columns: Vec<(usize, usize)>,
}

impl Table {
    /// A table without rows, for the screen.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
            width: screen::width(),
        }
    }

    /// Adds a row. A cell may have several lines.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        let cells = cells.into_iter();
        let cells = cells.map(|cell| screen::visible(&cell.into()).into_owned());
        self.rows.push(cells.collect());
    }

    fn gap(&self) -> usize {
        if self.width < NARROW { 2 } else { 3 }
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        let cells = self.rows.iter().filter_map(move |row| row.get(column));
        cells.map(String::as_str)
    }

    /// How many columns the whole texts of a column take, and how many it takes at least.
    fn needs(&self, number: usize, column: &Column) -> (usize, usize) {
        let widest = |text: &str, at: &[char]| text.split(at).map(UnicodeWidthStr::width).max();
        let lines = |text: &str| widest(text, &['\n']).unwrap_or(0);
        let words = |text: &str| widest(text, &['\n', ' ']).unwrap_or(0);
        let cells = self.cells(number);
        let (whole, least) = cells.fold((0, 0), |(whole, least), cell| {
            let least_of_cell = match column.is_wrapped {
                true => words(cell),
                false => lines(cell),
            };
            (whole.max(lines(cell)), least.max(least_of_cell))
        });
        (
            whole.max(lines(&column.title)),
            least.max(words(&column.title)),
        )
    }

    /// Where each column stands.
    fn lines(&self) -> Vec<Line> {
        let columns = self.columns.iter().enumerate();
        let needs: Vec<_> = columns
            .map(|(number, own)| self.needs(number, own))
            .collect();
        let least = needs.iter().map(|(_, least)| least + self.gap());
        let is_stacked = least.sum::<usize>() > self.width + self.gap();
        // What comes below begins behind a mark, or a little to the right of a text.
        let below = match needs.first() {
            Some((whole, _)) if *whole <= 4 => whole + self.gap(),
            _ => 2,
        };
        let mut lines: Vec<Line> = Vec::new();
        let mut used = 0;
        for (number, (column, (_, least))) in self.columns.iter().zip(&needs).enumerate() {
            let fits = used + self.gap() + least <= self.width;
            match lines.last_mut() {
                Some(line) if !is_stacked || (fits && !column.starts_line) => {
                    used += self.gap() + least;
                    line.columns.push((number, *least));
                }
                last => {
                    let indent = if last.is_none() { 0 } else { below };
                    used = indent + least;
                    lines.push(Line {
                        indent,
                        columns: vec![(number, *least)],
                    });
                }
            }
        }
        for line in &mut lines {
            self.widen(line, &needs);
            self.tighten(line);
        }
        lines
    }

    /// Gives what is left of a line to the columns that lack most.
    fn widen(&self, line: &mut Line, needs: &[(usize, usize)]) {
        let gaps = self.gap() * line.columns.len().saturating_sub(1);
        let used: usize = line.columns.iter().map(|(_, width)| width).sum();
        let left = self.width.saturating_sub(line.indent + gaps + used);
        for _ in 0..left {
            let lacks = |&(number, width): &(usize, usize)| {
                let whole = needs.get(number).map_or(0, |(whole, _)| *whole);
                whole.saturating_sub(width)
            };
            let most = line.columns.iter_mut().max_by_key(|column| lacks(column));
            match most.filter(|column| lacks(column) > 0) {
                Some((_, width)) => *width += 1,
                None => return,
            }
        }
    }

    /// Takes back what wrapping leaves empty.
    fn tighten(&self, line: &mut Line) {
        for (number, width) in &mut line.columns {
            let title = self.columns.get(*number).map(|own| own.title.as_str());
            let texts = title.into_iter().chain(self.cells(*number));
            let parts = texts.flat_map(|text| text.split('\n'));
            let parts = parts.flat_map(|text| screen::fold(text, *width));
            *width = parts.map(UnicodeWidthStr::width).max().unwrap_or(0);
        }
    }

    /// Adds one line of a row; its cells' own lines side by side, from the top or from the bottom.
    fn add_line<'a>(
        &self,
        text: &mut Vec<String>,
        line: &Line,
        cell: impl Fn(usize) -> &'a str,
        from_bottom: bool,
    ) {
        let folded = line.columns.iter().map(|&(number, width)| {
            let lines = cell(number).split('\n');
            lines
                .flat_map(|line| screen::fold(line, width))
                .collect::<Vec<_>>()
        });
        let folded: Vec<Vec<&str>> = folded.collect();
        let height = folded.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..height {
            let mut written = " ".repeat(line.indent);
            for (place, (parts, &(number, width))) in folded.iter().zip(&line.columns).enumerate() {
                if place > 0 {
                    written += &" ".repeat(self.gap());
                }
                let above = if from_bottom { height - parts.len() } else { 0 };
                let part = at.checked_sub(above).and_then(|at| parts.get(at));
                let part = part.copied().unwrap_or_default();
                let space = " ".repeat(width.saturating_sub(part.width()));
                let is_right = self.columns.get(number).is_some_and(|own| own.is_right);
                let pair = if is_right {
                    [&space, part]
                } else {
                    [part, &space]
                };
                written += &pair.concat();
            }
            text.push(written.replace(NO_BREAK, " ").trim_end().to_owned());
        }
    }
}

/// Without an end of line behind its last one.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lines, mut text) = (self.lines(), Vec::new());
        for line in &lines {
            let title = |number: usize| {
                let column = self.columns.get(number);
                column.map_or("", |column| column.title.as_str())
            };
            self.add_line(&mut text, line, title, true);
        }
        let length = lines.iter().map(|line| {
            let gaps = self.gap() * line.columns.len().saturating_sub(1);
            let widths: usize = line.columns.iter().map(|(_, width)| width).sum();
            line.indent + gaps + widths
        });
        text.push("─".repeat(length.max().unwrap_or(0)));
        for row in &self.rows {
            for line in &lines {
                let cell = |number: usize| row.get(number).map_or("", String::as_str);
                self.add_line(&mut text, line, cell, false);
            }
        }
        f.write_str(&text.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: usize) -> String {
        let columns = [
            Column::name(""),
            Column::number("energy\nkWh"),
            Column::number("validation accuracy"),
            Column::text("cell, and edits").starts_line(),
        ];
        let mut table = Table::new(columns);
        table.width = width;
        table.row(["*", "12,345.6", "93.10", "e6b00d55\none two three four"]);
        table.row(["", "1.0", "9.10", "a\u{1b}b"]);
        table.to_string()
    }

    #[test]
    fn a_table_that_fits_has_a_line_for_each_row() {
        let expected = "
      energy
         kWh   validation accuracy   cell, and edits
───────────────────────────────────────────────────────
*   12,345.6                 93.10   e6b00d55
                                     one two three four
         1.0                  9.10   a\\u{1b}b";
        assert_eq!(table(100), expected.trim_start_matches('\n'));
    }

    #[test]
    fn titles_and_texts_are_wrapped_before_rows_are_stacked() {
        let expected = "
     energy  validation  cell, and
        kWh    accuracy  edits
───────────────────────────────────
*  12,345.6       93.10  e6b00d55
                         one two
                         three four
        1.0        9.10  a\\u{1b}b";
        assert_eq!(table(40), expected.trim_start_matches('\n'));
        let expected = "
     energy  validation
        kWh    accuracy
   cell, and edits
───────────────────────
*  12,345.6       93.10
   e6b00d55
   one two three four
        1.0        9.10
   a\\u{1b}b";
        assert_eq!(table(24), expected.trim_start_matches('\n'));
    }
}
