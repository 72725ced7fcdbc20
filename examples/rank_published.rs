//! How well trainability ranks networks with published accuracy on ImageNet.
//!
//! `cargo run --release --example rank_published`
//!
//! The networks and where their accuracies stand: tests/trainability/published.

use nas::trainability::trainability;
use published::{Published, SOURCES};
use ranks::{kendall, partial, spearman};

#[path = "../tests/trainability/published/mod.rs"]
mod published;
#[path = "../tests/trainability/ranks.rs"]
mod ranks;

/// A network and what may rank it.
struct Row {
    family: &'static str,
    name: String,
    top1: f64,
    score: f64,
    macs: f64,
    params: f64,
}

impl Row {
    fn new(of: &Published) -> Self {
        Self {
            family: of.family,
            name: of.network.name().to_owned(),
            top1: of.top1,
            score: trainability(&of.network).score,
            macs: of.network.macs().0 as f64,
            params: of.network.params().0 as f64,
        }
    }

    fn small(&self) -> bool {
        self.macs < 1.2e9
    }

    fn log_odds(&self) -> f64 {
        log_odds(self.top1)
    }
}

/// The logarithm of right to wrong answers: a point near 100 % is worth more than one at 50 %.
fn log_odds(top1: f64) -> f64 {
    (top1 / (100.0 - top1)).ln()
}

fn main() {
    let rows = |networks: Vec<Published>| networks.iter().map(Row::new).collect::<Vec<_>>();
    let (seen, unseen) = (rows(published::seen()), rows(published::unseen()));
    let all: Vec<&Row> = seen.iter().chain(&unseen).collect();
    println!("                            |    score    |  log MACs   | log params  | rho at equal MACs");
    println!("networks                  n |  rho    tau |  rho    tau |  rho    tau | score  params");
    let lines: [(&str, Vec<&Row>); 5] = [
        ("seen while tuning", seen.iter().collect()),
        ("  under 1.2 G MACs", seen.iter().filter(|row| row.small()).collect()),
        ("not seen", unseen.iter().collect()),
        ("all", all.clone()),
        ("  under 1.2 G MACs", all.iter().copied().filter(|row| row.small()).collect()),
    ];
    for (name, rows) in lines {
        correlations(name, &rows);
    }
    families(&all);
    pairs(&all);
    residuals(&all);
}

fn column(rows: &[&Row], value: impl Fn(&Row) -> f64) -> Vec<f64> {
    rows.iter().map(|row| value(row)).collect()
}

fn correlations(name: &str, rows: &[&Row]) {
    let top1 = column(rows, |row| row.top1);
    let [score, macs, params] =
        [column(rows, |row| row.score), column(rows, |row| row.macs), column(rows, |row| row.params)];
    print!("{name:22} {:4} |", rows.len());
    for x in [&score, &macs, &params] {
        print!(" {:.3}  {:.3} |", spearman(x, &top1), kendall(x, &top1));
    }
    println!(" {:.3}  {:.3}", partial(&score, &top1, &macs), partial(&params, &top1, &macs));
}

/// Rank correlations within each family, and how far it lies from the line through all other families.
fn families(all: &[&Row]) {
    println!("\n                     rho within the family");
    println!("family              n  score   MACs  params  predicted from the others  source");
    for (family, source) in SOURCES {
        let (own, others): (Vec<&Row>, Vec<&Row>) = all.iter().partition(|row| row.family == family);
        let (top1, line) = (column(&own, |row| row.top1), Line::through(&others));
        let error = own.iter().map(|row| line.top1(row.score) - row.top1).sum::<f64>() / own.len() as f64;
        let rho = |value: fn(&Row) -> f64| spearman(&column(&own, value), &top1);
        let [score, macs, params] = [rho(|row| row.score), rho(|row| row.macs), rho(|row| row.params)];
        println!(
            "{family:17} {:3}  {score:5.2}  {macs:5.2}   {params:5.2}              {error:+5.1} points  {source}",
            own.len()
        );
    }
}

/// How often the better score belongs to the better network, by how much better it is.
fn pairs(all: &[&Row]) {
    println!("\npairs that are ordered rightly, by how far their scores are apart");
    println!("score apart     same family     other families");
    for (least, most) in [(0.0, 0.1), (0.1, 0.25), (0.25, 0.5), (0.5, 1.0), (1.0, f64::INFINITY)] {
        print!("{least:4} to {most:4}");
        for same in [true, false] {
            let (mut right, mut count) = (0, 0);
            for (index, a) in all.iter().enumerate() {
                for b in all[..index].iter().filter(|b| (a.family == b.family) == same && a.top1 != b.top1) {
                    if (least..most).contains(&(a.score - b.score).abs()) {
                        count += 1;
                        right += u32::from((a.score > b.score) == (a.top1 > b.top1));
                    }
                }
            }
            print!("   {:3.0} % of {count:5}", 100.0 * f64::from(right) / f64::from(count.max(1)));
        }
        println!();
    }
}

/// The networks that the score is most wrong about.
fn residuals(all: &[&Row]) {
    let line = Line::through(all);
    let mut rows: Vec<(f64, &Row)> = all.iter().map(|row| (line.top1(row.score) - row.top1, *row)).collect();
    rows.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let mean = rows.iter().map(|(error, _)| error.abs()).sum::<f64>() / rows.len() as f64;
    let slope = (line.top1(line.score(72.0) + 0.1) - 72.0).abs();
    println!("\nat 72 % of top-1, 0.1 of score is {slope:.2} points; the mean error is {mean:.1} points");
    println!("worst residuals, points of top-1 (+ is too much)");
    for (error, row) in &rows[..12] {
        println!("{error:+5.1}  {:28} {:5.1} %  {:6.0} M MACs", row.name, row.top1, row.macs / 1e6);
    }
}

/// The least-squares line from score to log-odds.
struct Line {
    slope: f64,
    offset: f64,
}

impl Line {
    fn through(rows: &[&Row]) -> Self {
        let mean =
            |value: &dyn Fn(&Row) -> f64| rows.iter().map(|row| value(row)).sum::<f64>() / rows.len() as f64;
        let (x, y) = (mean(&|row| row.score), mean(&Row::log_odds));
        let slope =
            mean(&|row| (row.score - x) * (row.log_odds() - y)) / mean(&|row| (row.score - x).powi(2));
        Self { slope, offset: y - slope * x }
    }

    fn score(&self, top1: f64) -> f64 {
        (log_odds(top1) - self.offset) / self.slope
    }

    fn top1(&self, score: f64) -> f64 {
        100.0 / (1.0 + (-self.slope * score - self.offset).exp())
    }
}
