//! Rows for people.

use super::Row;

/// Heading, and how a row fills the column. The first two are text and stand left, the others are numbers and stand right.
type Column = (&'static str, fn(&Row) -> String);

const COLUMNS: &[Column] = &[
    ("scenario", |row| row.scenario.to_owned()),
    ("server", |row| row.server.to_owned()),
    ("µs/packet", |row| format!("{:.2}", row.us_per_packet)),
    ("floor µs", |row| format!("{:.2}", row.floor_us)),
    ("× floor", |row| format!("{:.2}", row.ratio)),
    ("kpps/core", |row| format!("{:.0}", row.pps_per_core / 1e3)),
    ("kpps", |row| format!("{:.1}", row.packets_per_second / 1e3)),
    ("% core", |row| format!("{:.1}", row.cpu_percent)),
    ("per send", |row| format!("{:.2}", row.datagrams_per_run)),
    ("kB/subscriber", |row| format!("{:.0}", row.rss_kb_per_subscriber)),
    ("join ms", |row| format!("{:.1}", row.setup_ms_per_peer)),
    ("loss %", |row| format!("{:.3}", row.loss * 100.0)),
    ("p50 ms", |row| millis(row.p50_us)),
    ("p99 ms", |row| millis(row.p99_us)),
    ("p99.9 ms", |row| millis(row.p999_us)),
    ("floor p99", |row| millis(row.floor_p99_us)),
];

/// Columns of text.
const TEXT: usize = 2;

fn millis(micros: Option<u64>) -> String {
    micros.map_or_else(|| "-".to_owned(), |micros| format!("{:.2}", micros as f64 / 1e3))
}

/// The table, its legend, and the notes.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let cells = |row: &Row| COLUMNS.iter().map(|(_, cell)| cell(row)).collect::<Vec<_>>();
    let mut lines = vec![COLUMNS.iter().map(|(heading, _)| (*heading).to_owned()).collect()];
    lines.extend(rows.iter().map(cells));
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        text += &aligned(line, &widths);
        if number == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            text += &aligned(&rules, &widths);
        }
    }
    for row in rows {
        for verdict in &row.targets {
            text += &format!("{} {} {}: {verdict}\n", if verdict.met { "met    " } else { "NOT MET" }, row.scenario, row.server);
        }
    }
    text += "\nµs/packet: CPU of the whole server for each datagram it sent; floor: sealing and sending alone, same core, minute, sizes and\n\
             runs (per send); medians. Delays: publisher's send call to the kernel's receipt at the subscriber; floor p99: the same of sealing and\n\
             sending alone, which one core can't get below.\n";
    for row in rows.iter().filter(|row| !row.note.is_empty()) {
        text += &format!("note, {} {}: {}\n", row.scenario, row.server, row.note);
    }
    text
}

fn aligned(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
        let text = if column < TEXT { format!("{cell}{gap}") } else { format!("{gap}{cell}") };
        line += if column == 0 { "" } else { "  " };
        line += &text;
    }
    line.trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let row = |scenario, us_per_packet, note: &str| Row {
            scenario,
            server: "nearcast",
            us_per_packet,
            note: note.to_owned(),
            ..Row::default()
        };
        let text = table(&[row("1→50", 1.5, ""), row("1→200 720p", 12.25, "busy machine")]);
        let lines: Vec<&str> = text.lines().collect();
        let end_of = |line: &str, cell: &str| line.find(cell).map(|at| line[..at].chars().count() + cell.chars().count());
        assert_eq!(end_of(lines[2], "1.50"), end_of(lines[3], "12.25"));
        assert_eq!(end_of(lines[0], "µs/packet"), end_of(lines[3], "12.25"));
        assert_eq!(lines[0].find("server"), lines[1].find(" ─").map(|_| lines[0].find("server").unwrap()));
        assert!(text.ends_with("note, 1→200 720p nearcast: busy machine\n"));
    }
}
