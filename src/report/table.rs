//! Tables that print as aligned text, as Markdown and as HTML.

use super::markup::escape;

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

    /// Adds a row.
    pub fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Aligned with spaces.
    #[must_use]
    pub fn text(&self) -> String {
        let widths = self.widths();
        let line = |cells: &Vec<String>| format!("{}\n", self.padded(cells, &widths).join("  ").trim_end());
        std::iter::once(&self.header).chain(&self.rows).map(line).collect()
    }

    /// As a Markdown table.
    #[must_use]
    pub fn markdown(&self) -> String {
        let widths = self.widths();
        let line = |cells: &Vec<String>| format!("| {} |\n", self.padded(cells, &widths).join(" | "));
        let rule = |(column, width): (usize, &usize)| match self.left.contains(&column) {
            true => "-".repeat(width + 2),
            false => format!("{}:", "-".repeat(width + 1)),
        };
        let rules: Vec<String> = widths.iter().enumerate().map(rule).collect();
        let body: String = self.rows.iter().map(line).collect();
        format!("{}|{}|\n{body}", line(&self.header), rules.join("|"))
    }

    /// As an HTML table.
    #[must_use]
    pub fn html(&self) -> String {
        let line = |cells: &Vec<String>, tag: &str| {
            let cells: String = cells
                .iter()
                .enumerate()
                .map(|(column, cell)| {
                    let class = if self.left.contains(&column) { " class=\"l\"" } else { "" };
                    format!("<{tag}{class}>{}</{tag}>", escape(cell))
                })
                .collect();
            format!("<tr>{cells}</tr>\n")
        };
        let body: String = self.rows.iter().map(|row| line(row, "td")).collect();
        format!("<table>\n<thead>{}</thead>\n<tbody>{body}</tbody>\n</table>", line(&self.header, "th"))
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
}
