//! Format parameters: `name=value` pairs with semicolons between them.

/// The pairs of `fmtp`, trimmed, empty ones skipped. A word without `=` has an empty value.
pub(super) fn pairs(fmtp: &str) -> impl Iterator<Item = (&str, &str)> {
    fmtp.split(';').map(str::trim).filter(|pair| !pair.is_empty()).map(|pair| match pair.split_once('=') {
        Some((name, value)) => (name.trim(), value.trim()),
        None => (pair, ""),
    })
}

/// The value of `name`, whose case doesn't matter (RFC 8866 leaves it to each format; none of ours tells two names apart by case).
pub(super) fn value<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    pairs(fmtp).find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
