//! The results of all rounds, as a table and as JSON.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};

use crate::{figures::Figures, load::Load, target::Target};

/// All figures of a run.
#[derive(Debug)]
pub(crate) struct Report {
    measure: &'static str,
    description: String,
    compared: &'static [&'static str],
    targets: Vec<String>,
    pub(crate) rounds: Vec<Round>,
}

/// The figures of each target, in the order of the targets. None for a peer that failed.
#[derive(Debug)]
pub(crate) struct Round(pub(crate) Vec<Option<Figures>>);

impl Report {
    pub(crate) fn new(load: &Load, targets: &[Target]) -> Self {
        let targets = targets.iter().map(ToString::to_string).collect();
        let (measure, description) = (load.name(), load.describe());
        Self { measure, description, compared: load.compared(), targets, rounds: Vec::new() }
    }

    /// The names of the figures. All targets have the same ones.
    fn names(&self) -> Vec<&'static str> {
        let figures = self.rounds.iter().flat_map(|round| &round.0).flatten().next();
        figures.map(|figures| figures.names().collect()).unwrap_or_default()
    }

    pub(crate) fn targets(&self) -> &[String] {
        &self.targets
    }

    /// The median of a figure of one target. None if the target does not have the figure.
    pub(crate) fn median(&self, target: usize, name: &str) -> Option<f64> {
        median(self.values(target, name))
    }

    /// A figure of one target, in each round.
    fn values(&self, target: usize, name: &str) -> Vec<f64> {
        let figures = self.rounds.iter().filter_map(|round| round.0[target].as_ref());
        figures.filter_map(|figures| figures.get(name)).collect()
    }

    /// The median over all rounds of the ratio between two targets' figures.
    fn ratio(&self, name: &str, target: usize, other: usize) -> Option<f64> {
        let ratios = self.rounds.iter().filter_map(|round| {
            let figure = |target: usize| round.0[target].as_ref()?.get(name);
            Some(figure(target)? / figure(other)?)
        });
        median(ratios.collect())
    }

    pub(crate) fn to_json(&self) -> Value {
        let targets = self.targets.iter().enumerate().map(|(number, target)| {
            let rounds = self.rounds.iter().map(|round| &round.0[number]);
            let rounds: Vec<_> =
                rounds.map(|figures| figures.as_ref().map(Figures::to_json)).collect();
            let ratios = self.compared.iter().map(|name| (*name, self.ratios(name, number)));
            let ratios: BTreeMap<_, _> = ratios.collect();
            json!({ "target": target, "rounds": rounds, "ratios": ratios })
        });
        let targets: Vec<_> = targets.collect();
        json!({ "measure": self.measure, "settings": self.description, "targets": targets })
    }

    /// The ratio of one target's figure to the figure of each target.
    fn ratios(&self, name: &str, target: usize) -> BTreeMap<&str, Option<f64>> {
        let others = self.targets.iter().enumerate();
        others.map(|(other, text)| (text.as_str(), self.ratio(name, target, other))).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measure, description, .. } = self;
        writeln!(f, "{measure}: {description}; rounds: {}", self.rounds.len())?;
        let names = self.names();
        if names.is_empty() {
            return write!(f, "no figures");
        }
        if self.targets.len() > 1 || self.rounds.len() > 1 {
            for name in self.compared {
                self.write_compared(f, name)?;
            }
        }
        self.write_medians(f, &names)
    }
}

impl Report {
    /// One figure of each target, and its ratios to the figures of all targets.
    fn write_compared(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        let width = self.width();
        write!(f, "\n{name:<width$}{:>12}{:>12}{:>12}", "min", "median", "max")?;
        for other in &self.targets {
            write!(f, "{:>width$}", format!("of {other}"), width = width.max(other.len() + 5))?;
        }
        writeln!(f)?;
        for (number, target) in self.targets.iter().enumerate() {
            let mut values = self.values(number, name);
            values.sort_by(f64::total_cmp);
            write!(f, "{target:<width$}")?;
            for value in [values.first().copied(), median(values.clone()), values.last().copied()] {
                write!(f, "{:>12}", number_text(value))?;
            }
            for (other, name_of_other) in self.targets.iter().enumerate() {
                let ratio = self.ratio(name, number, other);
                let ratio = ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.3}"));
                write!(f, "{ratio:>width$}", width = width.max(name_of_other.len() + 5))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    /// The medians: a row for each figure, a column for each target.
    fn write_medians(&self, f: &mut fmt::Formatter<'_>, names: &[&str]) -> fmt::Result {
        let width = self.width();
        write!(f, "\n{:<24}", "median")?;
        for target in &self.targets {
            write!(f, "{target:>width$}")?;
        }
        for name in names {
            write!(f, "\n{name:<24}")?;
            for number in 0..self.targets.len() {
                write!(f, "{:>width$}", number_text(self.median(number, name)))?;
            }
        }
        writeln!(f)
    }

    fn width(&self) -> usize {
        let names = self.targets.iter().map(String::len).chain([14]);
        names.max().unwrap_or_default() + 4
    }
}

/// A number with at most four digits or one decimal. More would not be significant.
fn number_text(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.fract() == 0.0 || value >= 1000.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.1}"),
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (low, high) =
        (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}
