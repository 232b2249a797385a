//! The score of all plans: a table for people, JSON for machines, and the comparison with the last committed score.

use super::metrics::{Metric, Target};
use serde_json::{Value, json};
use std::fmt::Write;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Name of the plan.
    pub plan: String,
    /// Name of the number.
    pub metric: String,
    /// What it came to, rounded to three digits after the point.
    pub value: f64,
    /// `≤ 5` or `≥ 80`; none: for information.
    pub target: Option<Target>,
}

impl Row {
    /// A line of a plan.
    #[must_use]
    pub fn new(plan: &str, metric: &Metric) -> Self {
        let value = (metric.value * 1e3).round() / 1e3;
        Self { plan: plan.to_owned(), metric: metric.name.to_owned(), value, target: metric.target }
    }

    /// It keeps its target, or has none.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.target.is_none_or(|target| target.holds(self.value))
    }

    fn json(&self) -> Value {
        json!({ "plan": self.plan, "metric": self.metric, "value": self.value, "target": self.target.map(words), "ok": self.ok() })
    }

    fn parse(value: &Value) -> Option<Self> {
        let target = match value.get("target") {
            Some(Value::String(words)) => Some(parse_target(words)?),
            _ => None,
        };
        let text = |key: &str| Some(value.get(key)?.as_str()?.to_owned());
        Some(Self { plan: text("plan")?, metric: text("metric")?, value: value.get("value")?.as_f64()?, target })
    }
}

fn words(target: Target) -> String {
    match target {
        Target::AtMost(bound) => format!("<= {bound}"),
        Target::AtLeast(bound) => format!(">= {bound}"),
    }
}

fn parse_target(words: &str) -> Option<Target> {
    let (sign, bound) = words.split_once(' ')?;
    let bound = bound.parse().ok()?;
    match sign {
        "<=" => Some(Target::AtMost(bound)),
        ">=" => Some(Target::AtLeast(bound)),
        _ => None,
    }
}

/// All lines as JSON, one a line.
#[must_use]
pub fn to_json(rows: &[Row]) -> String {
    let lines: Vec<_> = rows.iter().map(|row| row.json().to_string()).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// Reads [`to_json`]'s text; none when it isn't that.
#[must_use]
pub fn from_json(text: &str) -> Option<Vec<Row>> {
    serde_json::from_str::<Vec<Value>>(text).ok()?.iter().map(Row::parse).collect()
}

/// The table for people.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let wide = |of: fn(&Row) -> &str| rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
    let (plan, metric) = (wide(|row| &row.plan), wide(|row| &row.metric));
    let mut out = String::new();
    for row in rows {
        let verdict = match (row.target, row.ok()) {
            (None, _) => "",
            (Some(_), true) => "met",
            (Some(_), false) => "NOT MET",
        };
        let target = row.target.map(words).unwrap_or_default();
        let _ = writeln!(out, "{:plan$}  {:metric$}  {:>10.2}  {target:>10}  {verdict}", row.plan, row.metric, row.value);
    }
    out
}

/// What differs from the committed score. The runs are in virtual time and the same everywhere, so that any difference was made by somebody:
/// numbers, targets, lines that came or went; those that kept their target and no longer do come first.
#[must_use]
pub fn differences(committed: &[Row], now: &[Row]) -> Vec<String> {
    let (mut broken, mut changed) = (Vec::new(), Vec::new());
    let same = |row: &&Row, other: &Row| row.plan == other.plan && row.metric == other.metric;
    for old in committed {
        match now.iter().find(|row| same(row, old)) {
            None => broken.push(format!("{}: {} is no longer measured", old.plan, old.metric)),
            Some(new) if new == old => {}
            Some(new) => {
                let target = new.target.map_or(String::new(), |target| format!(", should be {}", words(target)));
                let line = format!("{}: {} was {}, is {}{target}", old.plan, old.metric, old.value, new.value);
                if old.ok() && !new.ok() { broken.push(format!("{line}: NO LONGER MET")) } else { changed.push(line) }
            }
        }
    }
    let is_new = |new: &&Row| !committed.iter().any(|row| same(&row, new));
    changed.extend(now.iter().filter(is_new).map(|row| format!("{}: {} is new", row.plan, row.metric)));
    broken.extend(changed);
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64, target: Target) -> Row {
        Row::new("plan", &Metric { name: "number", value, target: Some(target) })
    }

    #[test]
    fn what_is_written_is_read() {
        let rows = [row(1.23456, Target::AtMost(5.0)), row(99.0, Target::AtLeast(80.5)), Row::new("other", &Metric::told("told", 3.0))];
        assert_eq!(from_json(&to_json(&rows)).as_deref(), Some(&rows[..]));
    }

    #[test]
    fn a_target_that_is_no_longer_kept_comes_first() {
        let kept = [row(6.0, Target::AtMost(5.0)), Row { plan: "other".to_owned(), ..row(4.9, Target::AtMost(5.0)) }];
        let now = [row(5.5, Target::AtMost(5.0)), Row { plan: "other".to_owned(), ..row(5.1, Target::AtMost(5.0)) }];
        let found = differences(&kept, &now);
        assert!(found.len() == 2 && found[0].starts_with("other") && found[0].ends_with("NO LONGER MET"), "{found:?}");
        assert!(differences(&kept, &kept).is_empty());
    }

    #[test]
    fn lines_that_come_or_go_and_targets_that_move_are_differences() {
        let old = [row(4.9, Target::AtMost(5.0))];
        assert_eq!(differences(&old, &[]).len(), 1);
        assert_eq!(differences(&[], &old).len(), 1);
        assert_eq!(differences(&old, &[row(4.9, Target::AtMost(50.0))]).len(), 1);
    }
}
