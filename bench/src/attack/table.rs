//! The outcomes of all attacks, as a table and as JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::figures::Figures;

/// How the clients that behave well fared.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) alone: Figures,
    /// The error says which client got no answer.
    pub(super) beside: Result<Figures, String>,
    /// Whether `/healthz` answered at the end of the attack.
    pub(super) health: bool,
    /// How often a peer of the attack has written what it had to write.
    pub(super) held: usize,
    /// The highest memory of one process.
    pub(super) megabytes: f64,
}

/// The outcomes, and the bounds that they must keep.
#[derive(Debug)]
pub(super) struct Table {
    slower_max: f64,
    megabytes_max: f64,
    /// Of the column with the targets.
    width: usize,
    rows: Vec<(&'static str, String, Outcome)>,
}

impl Table {
    /// `width` is the length of the longest target.
    pub(super) fn new(slower_max: f64, megabytes_max: f64, width: usize) -> Self {
        Self { slower_max, megabytes_max, width, rows: Vec::new() }
    }

    /// Adds an outcome, and returns it as a line, so that it is seen although a later attack fails.
    pub(super) fn add(&mut self, attack: &'static str, target: String, outcome: Outcome) -> String {
        let line = self.line(attack, &target, &outcome);
        self.rows.push((attack, target, outcome));
        line
    }

    fn line(&self, attack: &str, target: &str, outcome: &Outcome) -> String {
        let beside = outcome.beside.as_ref().map_or(f64::NAN, p99);
        format!(
            "{attack:<20} {target:<width$} {:>9} {:>12.0} {beside:>13.0} {:>7.2} {:>6.0}  {}",
            outcome.held,
            p99(&outcome.alone),
            outcome.slower(),
            outcome.megabytes,
            self.faults(outcome).join("; "),
            width = self.width,
        )
    }

    /// Whether all bounds were kept.
    pub(super) fn is_kept(&self) -> bool {
        self.rows.iter().all(|(_, _, outcome)| self.faults(outcome).is_empty())
    }

    pub(super) fn to_json(&self) -> Vec<Value> {
        let rows = self.rows.iter().map(|(attack, target, outcome)| {
            json!({
                "attack": attack,
                "target": target,
                "alone": outcome.alone.to_json(),
                "beside": outcome.beside.as_ref().ok().map(Figures::to_json),
                "healthy": outcome.health,
                "held": outcome.held,
                "megabytes": outcome.megabytes,
                "faults": self.faults(outcome),
            })
        });
        rows.collect()
    }

    /// The bounds that were not kept, in words.
    fn faults(&self, outcome: &Outcome) -> Vec<String> {
        let mut faults = Vec::new();
        match (&outcome.beside, outcome.slower()) {
            (Err(error), _) => faults.push(error.clone()),
            (Ok(_), slower) if slower >= self.slower_max => faults.push("slower".to_owned()),
            (Ok(_), _) => {}
        }
        if !outcome.health {
            faults.push("/healthz did not answer".to_owned());
        }
        if outcome.megabytes >= self.megabytes_max {
            faults.push("memory".to_owned());
        }
        faults
    }
}

impl Outcome {
    /// The 99th percentile beside the attack, divided by the one before it.
    fn slower(&self) -> f64 {
        match &self.beside {
            Ok(beside) => p99(beside) / p99(&self.alone),
            Err(_) => f64::INFINITY,
        }
    }
}

fn p99(figures: &Figures) -> f64 {
    figures.get("p99_us").unwrap_or(f64::NAN)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.width;
        writeln!(
            f,
            "{:<20} {:<width$} {:>9} {:>12} {:>13} {:>7} {:>6}  not kept",
            "attack", "target", "peers", "p99_us alone", "p99_us beside", "ratio", "MB"
        )?;
        for (attack, target, outcome) in &self.rows {
            writeln!(f, "{}", self.line(attack, target, outcome))?;
        }
        Ok(())
    }
}
