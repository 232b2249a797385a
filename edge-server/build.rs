//! Compiles the demo page into the binary: writes a table of the files in demo/dist, or of one page that says how to build it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Largest sum of embedded files: half of the binary's budget (25 MB) would be a mistake, such as source maps of a video codec.
const MOST_BYTES: usize = 12 * 1024 * 1024;

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).ok_or_else(|| io::Error::other(format!("cargo sets {name}")));
    let demo = variable("CARGO_MANIFEST_DIR")?.join("../demo");
    let out = variable("OUT_DIR")?;
    let dist = demo.join("dist");
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        println!("cargo::rerun-if-changed={}", dist.display());
        collect(&dist, "", &mut files)?;
    } else {
        // Cargo looks through the whole folder, so a demo that gets built is noticed.
        println!("cargo::rerun-if-changed={}", demo.display());
        let page = out.join("placeholder.html");
        fs::write(&page, PLACEHOLDER)?;
        files.push(("index.html".to_owned(), page));
    }
    files.sort();
    fs::write(out.join("assets.rs"), table(&files)?)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else if !name.ends_with(".map") {
            files.push((name, entry.path().canonicalize()?));
        }
    }
    Ok(())
}

fn table(files: &[(String, PathBuf)]) -> io::Result<String> {
    let mut source = String::from("static ASSETS: &[Asset] = &[\n");
    let mut sum = 0;
    for (name, path) in files {
        let bytes = fs::read(path)?;
        sum += bytes.len();
        let etag = format!("\"{:016x}\"", hash(&bytes));
        let mime = mime(name);
        writeln!(
            source,
            "Asset {{ path: {name:?}, mime: {mime:?}, etag: {etag:?}, bytes: include_bytes!({:?}) }},",
            path.display().to_string()
        )
        .map_err(io::Error::other)?;
    }
    source.push_str("];\n");
    if sum > MOST_BYTES {
        return Err(io::Error::other(format!("demo/dist has {sum} bytes, more than {MOST_BYTES}: look for what doesn't belong there")));
    }
    Ok(source)
}

/// FNV-1a: tells versions of a file apart, which is all that an entity tag does.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn mime(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        _ => "application/octet-stream",
    }
}

const PLACEHOLDER: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>nearcast-edge</title>
<style>body { font: 1.1rem/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; color-scheme: light dark }</style>
<h1>The edge is running</h1>
<p>This binary was built without the demo page. To have it here, run <code>make build</code> (or <code>make demo</code>, which also
starts the edge) in the repository and start the edge again.</p>
<p>Signalling is at <code>/v1/signal</code>, health at <a href="/healthz">/healthz</a> and <a href="/readyz">/readyz</a>.</p>
</html>
"#;
