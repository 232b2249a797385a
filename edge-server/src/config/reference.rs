//! docs/configuration.md and `nearcast-edge config`, both made from [`SETTINGS`].

use super::{Config, SETTINGS, SettingDoc};
use core::fmt::Write;

/// What stands above the generated reference in docs/configuration.md.
const INTRODUCTION: &str = include_str!("introduction.md");

/// docs/configuration.md, complete. A test compares; `nearcast-edge config --markdown` prints it.
#[must_use]
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for setting in SETTINGS {
        let default = if setting.default.is_empty() { "none".to_owned() } else { format!("`{}`", setting.default) };
        // Writing to a String cannot fail.
        let _ = write!(
            page,
            "\n### `{}`\n\nFlag `{}`, variable `{}`. Default: {default}. Allowed: {}.\n\n{}\n",
            setting.key,
            setting.flag(),
            setting.variable(),
            setting.range,
            paragraphs(setting.doc)
        );
    }
    page
}

/// The configuration in force, as a TOML file with the documentation as comments. Secrets are left out.
#[must_use]
pub fn effective(config: &Config) -> String {
    let mut file = String::from("# The configuration in force. Secrets are not shown.\n");
    for (setting, value) in config.effective() {
        file.push('\n');
        for line in setting.doc {
            let _ = writeln!(file, "#{line}");
        }
        let _ = writeln!(file, "# Allowed: {}.\n{} = {value}", setting.range, setting.key);
    }
    file
}

/// What `--help` says below a setting's description.
#[must_use]
pub fn help_suffix(setting: &SettingDoc) -> String {
    let default = if setting.default.is_empty() { String::new() } else { format!("[default: {}] ", setting.default) };
    format!("{default}[allowed: {}] [env: {}]", setting.range, setting.variable())
}

fn paragraphs(doc: &[&str]) -> String {
    let lines: Vec<_> = doc.iter().map(|line| line.trim()).collect();
    lines.join("\n")
}
