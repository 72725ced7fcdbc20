//! A drawing with its legend: inside the page, or as a file of its own.

use std::fmt::Write;

use super::{STYLE, WIDTH, escape};

/// A swatch of 12 by 12 with its meaning.
pub(super) type Sign = (&'static str, &'static str);

/// What a section draws.
pub(super) struct Drawing {
    /// Its anchor in the page.
    pub(super) id: &'static str,
    /// Its height; its width is [`WIDTH`].
    pub(super) height: f64,
    /// What it shows, in words.
    pub(super) says: String,
    /// The SVG inside.
    pub(super) content: String,
    pub(super) signs: Vec<Sign>,
}

impl Drawing {
    /// The picture alone.
    pub(super) fn figure(&self) -> String {
        format!(
            "<div class=\"figure\"><svg id=\"{}\" viewBox=\"0 0 {WIDTH} {:.0}\" role=\"group\" aria-label=\"{}\">\n\
             {}</svg></div>\n",
            self.id,
            self.height,
            escape(&self.says),
            self.content
        )
    }

    /// What its signs mean.
    pub(super) fn legend(&self) -> String {
        let item = |(drawing, meaning): &Sign| {
            format!("<li><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\">{drawing}</svg>{meaning}</li>")
        };
        let items: String = self.signs.iter().map(item).collect();
        if items.is_empty() { items } else { format!("<ul class=\"legend\">{items}</ul>\n") }
    }

    /// A whole SVG file with title and legend, on white.
    pub(super) fn standalone(&self, title: &str) -> String {
        const HEAD: f64 = 34.0;
        let (legend, below) = self.legend_rows(HEAD + self.height + 10.0);
        let height = HEAD + self.height + 10.0 + below;
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \
             {WIDTH} {height:.0}\" width=\"{WIDTH}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{}\">\n\
             <style>\n{}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n\
             <text class=\"title\" x=\"12\" y=\"22\">{}</text>\n<g transform=\"translate(0 {HEAD})\">\n{}</g>\n{legend}\
             </svg>\n",
            escape(&self.says),
            style(),
            escape(&super::short(title, 80)),
            self.content
        )
    }

    /// The legend as rows from `top`, and how high they are.
    fn legend_rows(&self, top: f64) -> (String, f64) {
        const ROW: f64 = 20.0;
        let (mut x, mut y) = (12.0, top);
        let mut svg = String::new();
        for (drawing, meaning) in &self.signs {
            // Seven pixels for a character of this size is more than enough.
            let width = 34.0 + 7.0 * meaning.chars().count() as f64;
            if x > 12.0 && x + width > WIDTH {
                (x, y) = (12.0, y + ROW);
            }
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<g transform=\"translate({x:.0} {y:.0})\">{drawing}<text x=\"18\" y=\"10.5\">{meaning}</text></g>"
            );
            x += width;
        }
        if svg.is_empty() { (svg, 0.0) } else { (svg, y - top + ROW) }
    }
}

/// The rules of the page that drawings need, in its light colours: many programs that show SVG know no variables.
fn style() -> String {
    let colours = STYLE.split_once('}').map_or("", |(root, _)| root);
    let screen = STYLE.split_once("@media (max-width").map_or(STYLE, |(screen, _)| screen);
    let wanted = |line: &&str| {
        let drawn = ["svg .", "svg text", ".compute", ".was", ".box", ".fused", ".changed"];
        drawn.iter().any(|start| line.starts_with(start))
    };
    let mut rules: String = screen.lines().filter(wanted).map(|line| format!("{line}\n")).collect();
    rules += "svg { font: 12px system-ui, sans-serif; } svg .title { font-size: 15px; font-weight: 600; }\n\
              .paper { fill: var(--paper); }\n";
    for pair in colours.split(['{', ';', '\n']).filter_map(|pair| pair.trim().split_once(": ")) {
        rules = rules.replace(&format!("var({})", pair.0), pair.1);
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_of_a_file_has_no_variables() {
        let style = style();
        assert!(
            style.contains("svg .curve { stroke: #0072b2;") && style.contains(".memory { fill: #e69f00; }")
        );
        assert!(!style.contains("var("), "{style}");
        assert!(!style.contains('@') && !style.contains('<'), "{style}");
    }

    #[test]
    fn a_long_legend_takes_another_row() {
        let sign: Sign = ("<circle r=\"6\"/>", "a meaning of thirty characters");
        let drawing =
            |signs| Drawing { id: "x", height: 9.0, says: String::new(), content: String::new(), signs };
        assert_eq!(drawing(vec![sign; 2]).legend_rows(0.0).1, 20.0);
        assert_eq!(drawing(vec![sign; 3]).legend_rows(0.0).1, 40.0);
        assert_eq!(drawing(Vec::new()).legend_rows(0.0).1, 0.0);
    }
}
