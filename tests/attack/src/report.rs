//! What came of a case, and the table of all.

use serde::Serialize;

/// One case.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// As the list of faults calls it.
    pub id: &'static str,
    /// What was thrown, in words.
    pub what: &'static str,
    /// How many.
    pub thrown: u64,
    /// How many a second.
    pub per_second: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets of the call that were sent and didn't arrive.
    pub lost: u64,
    /// Packets of the call that arrived.
    pub arrived: u64,
    /// The longest time in which a stream of the call brought nothing, in milliseconds.
    pub longest_gap_ms: u64,
    /// Packets of the call that came behind a later one.
    pub disordered: u64,
    /// CPU time of the edge, as a share of one core.
    pub cpu: f64,
    /// CPU time that one thing thrown cost the edge, in microseconds, the call's own taken off.
    pub us_each: f64,
    /// What the edge's memory grew by, in kB; falls when something was given back.
    pub rss_kb: i64,
    /// What else was found.
    pub note: String,
    /// Nothing was wrong.
    pub ok: bool,
    /// What was.
    pub faults: Vec<String>,
}

/// All of them for people.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut out = format!(
        "{:<5} {:<46} {:>9} {:>8} {:>9} {:>5} {:>7} {:>6} {:>8} {:>8}  {}\n",
        "id", "what", "thrown", "/s", "kB", "lost", "gap ms", "CPU %", "µs each", "RSS kB", "ok"
    );
    for row in rows {
        out += &format!(
            "{:<5} {:<46} {:>9} {:>8} {:>9} {:>5} {:>7} {:>6.1} {:>8.2} {:>8}  {}\n",
            row.id,
            row.what,
            row.thrown,
            row.per_second,
            row.bytes / 1_000,
            row.lost,
            row.longest_gap_ms,
            row.cpu * 100.0,
            row.us_each,
            row.rss_kb,
            if row.ok { "ok".to_owned() } else { format!("NO: {}", row.faults.join("; ")) }
        );
        if !row.note.is_empty() {
            out += &format!("      {}\n", row.note);
        }
    }
    out
}
