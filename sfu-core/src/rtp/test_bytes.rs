//! Bytes for tests, written as in the documents they come from.

/// Parses hexadecimal digits; anything else (spaces, line ends) is skipped.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| u8::try_from(digit).unwrap()).collect();
    assert!(digits.len().is_multiple_of(2), "odd number of hexadecimal digits");
    digits.chunks(2).map(|pair| (pair[0] << 4) | pair[1]).collect()
}
