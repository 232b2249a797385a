//! A panic ends this instance of the core: the façade is told where it happened, before the trap, and starts another instance.

use js_sys::Function;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

thread_local! {
    static ON_PANIC: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Calls `callback` with file and line when the core panics. It must not call the core: nothing in it can be trusted any more.
#[wasm_bindgen(js_name = onPanic)]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
pub fn on_panic(callback: Function) {
    ON_PANIC.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut() {
            *slot = Some(callback);
        }
    });
    std::panic::set_hook(Box::new(|panic| {
        let (file, line) = panic.location().map_or(("", 0), |at| (at.file(), at.line()));
        ON_PANIC.with(|slot| {
            if let Ok(slot) = slot.try_borrow()
                && let Some(callback) = slot.as_ref()
            {
                // Whatever the callback throws, the trap follows.
                let _ = callback.call2(&JsValue::NULL, &file.into(), &line.into());
            }
        });
    }));
}
