//! Tables that print as aligned text, as Markdown and as HTML.

use super::markup::escape;
use crate::io::plain_line;

/// Cells in rows; the first column is left-aligned, the others right-aligned.
#[derive(Clone, Debug)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns that are words rather than numbers.
    left: Vec<usize>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(header: &[&str]) -> Self {
        Self {
            header: header.iter().map(|name| (*name).to_owned()).collect(),
            rows: Vec::new(),
            left: vec![0],
        }
    }

    /// Aligns another column to the left.
    #[must_use]
    pub fn left(mut self, column: usize) -> Self {
        self.left.push(column);
        self
    }

    /// Adds a row; a cell is one line, whatever a name may hold.
    pub fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        let line =
            |cell: String| if plain_line(&cell) == cell { cell } else { plain_line(&cell).into_owned() };
        self.rows.push(cells.into_iter().map(line).collect());
    }

    /// Aligned with spaces.
    #[must_use]
    pub fn text(&self) -> String {
        let widths = self.widths();
        let line = |cells: &Vec<String>| format!("{}\n", self.padded(cells, &widths).join("  ").trim_end());
        std::iter::once(&self.header).chain(&self.rows).map(line).collect()
    }

    /// As a Markdown table; a bar in a cell ends no column.
    #[must_use]
    pub fn markdown(&self) -> String {
        let escaped = |cells: &Vec<String>| cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let (header, left) = (escaped(&self.header), self.left.clone());
        let table = Self { header, rows: self.rows.iter().map(escaped).collect(), left };
        let widths = table.widths();
        let line = |cells: &Vec<String>| format!("| {} |\n", table.padded(cells, &widths).join(" | "));
        let rule = |(column, width): (usize, &usize)| match table.left.contains(&column) {
            true => "-".repeat(width + 2),
            false => format!("{}:", "-".repeat(width + 1)),
        };
        let rules: Vec<String> = widths.iter().enumerate().map(rule).collect();
        let body: String = table.rows.iter().map(line).collect();
        format!("{}|{}|\n{body}", line(&table.header), rules.join("|"))
    }

    /// As an HTML table; its classes say which columns beside the first are words, which is shorter than saying it of
    /// each cell.
    #[must_use]
    pub fn html(&self) -> String {
        let line = |cells: &Vec<String>, tag: &str| {
            let cells: String = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect();
            format!("<tr>{cells}</tr>\n")
        };
        let words = self.left.iter().filter(|column| **column > 0);
        let classes: Vec<String> = words.map(|column| format!("l{}", column + 1)).collect();
        let class = match classes.is_empty() {
            true => String::new(),
            false => format!(" class=\"{}\"", classes.join(" ")),
        };
        let body: String = self.rows.iter().map(|row| line(row, "td")).collect();
        format!(
            "<table{class}>\n<thead>{}</thead>\n<tbody>{body}</tbody>\n</table>",
            line(&self.header, "th")
        )
    }

    fn widths(&self) -> Vec<usize> {
        let rows = || std::iter::once(&self.header).chain(&self.rows);
        (0..self.header.len())
            .map(|column| rows().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect()
    }

    fn padded(&self, cells: &[String], widths: &[usize]) -> Vec<String> {
        cells
            .iter()
            .zip(widths)
            .enumerate()
            .map(|(column, (cell, width))| self.pad(column, cell, *width))
            .collect()
    }

    fn pad(&self, column: usize, cell: &str, width: usize) -> String {
        if self.left.contains(&column) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_line_up_on_the_right() {
        let mut table = Table::new(&["name", "ms"]);
        table.push(["a".into(), "1.5".into()]);
        table.push(["long".into(), "12.5".into()]);
        assert_eq!(table.text(), "name    ms\na      1.5\nlong  12.5\n");
        assert_eq!(table.markdown(), "| name |   ms |\n|------|-----:|\n| a    |  1.5 |\n| long | 12.5 |\n");
    }

    #[test]
    fn a_name_breaks_no_table() {
        let mut table = Table::new(&["name", "ms"]);
        table.push(["a|b\nc\u{1b}[2J".into(), "1".into()]);
        assert_eq!(table.text(), "name       ms\na|b?c?[2J   1\n");
        assert!(table.markdown().ends_with("| a\\|b?c?[2J |  1 |\n"), "{}", table.markdown());
        assert_eq!(table.html().matches("<tr>").count(), 2);
    }
}
