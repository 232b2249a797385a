//! The committed corpora: `fuzz/corpus/TARGET/`, a file an input, as libFuzzer reads them.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where they are.
#[must_use]
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

/// All inputs of a target, by name.
///
/// # Errors
/// The folder can't be read.
pub fn inputs(target: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder(target))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        inputs.push((name, fs::read(&path)?));
    }
    inputs.sort();
    Ok(inputs)
}

/// Writes the seeds of a target into its corpus; what is there already stays.
///
/// # Errors
/// They can't be written.
pub fn plant(target: &str) -> io::Result<usize> {
    let folder = folder(target);
    fs::create_dir_all(&folder)?;
    let seeds = crate::seeds::of(target);
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:02}")), seed)?;
    }
    Ok(seeds.len())
}
