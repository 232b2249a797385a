//! Curves as tables: straight lines between points are as good as the formulas they stand for, and cost no logarithm in the wasm.

/// The value of a curve at `at`. Points are in rising order; before the first and after the last the curve is flat.
pub(super) fn value(curve: &[(f32, f32)], at: f32) -> f32 {
    let (mut left, mut low) = (f32::NEG_INFINITY, 0.0);
    for &(right, high) in curve {
        if at <= right {
            return if left.is_finite() { low + (high - low) * (at - left) / (right - left) } else { high };
        }
        (left, low) = (right, high);
    }
    low
}
