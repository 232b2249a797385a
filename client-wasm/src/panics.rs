//! A panic ends this instance of the core: the façade is told where it happened, before the trap, and starts another instance.

use js_sys::Function;
use wasm_bindgen::prelude::*;

// The instance keeps the callback on its JavaScript side, where nothing has to be trusted when Rust has failed.
#[wasm_bindgen(
    inline_js = "let callback; export const keep = (it) => (callback = it); export const tell = (file, line) => callback?.(file, line);"
)]
extern "C" {
    fn keep(callback: &Function);

    #[cfg(target_arch = "wasm32")]
    #[wasm_bindgen(catch)]
    fn tell(file: &str, line: u32) -> Result<(), JsValue>;
}

/// Calls `callback` with file and line when the core panics. It must not call the core: nothing in it can be trusted any more.
#[wasm_bindgen(js_name = onPanic)]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
pub fn on_panic(callback: &Function) {
    keep(callback);
}

/// Never looks at the message: the code that formats numbers and puts texts together then isn't linked at all.
#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panicked(panic: &core::panic::PanicInfo<'_>) -> ! {
    if let Some(at) = panic.location() {
        // Whatever the callback throws, the trap follows.
        let _ = tell(at.file(), at.line());
    }
    core::arch::wasm32::unreachable()
}
