//! The one timer of a session: one closure for its whole life, armed again and again.

use crate::bindings::{clear_timeout, now, set_timeout};
use client_core::MonoTime;
use core::cell::{Cell, RefCell};
use wasm_bindgen::prelude::*;

/// A timeout that can be moved.
pub(crate) struct Timer {
    callback: Closure<dyn FnMut()>,
    armed: RefCell<Option<JsValue>>,
    due: Cell<Option<MonoTime>>,
}

impl Timer {
    pub(crate) fn new(callback: impl FnMut() + 'static) -> Self {
        Self { callback: Closure::new(callback), armed: RefCell::new(None), due: Cell::new(None) }
    }

    /// Runs the callback at `due`, or not at all, instead of whenever it was to run before.
    pub(crate) fn arm(&self, due: Option<MonoTime>) {
        if self.due.replace(due) == due {
            return;
        }
        if let Some(armed) = self.armed.take() {
            clear_timeout(&armed);
        }
        if let Some(due) = due {
            let micros = due.since(clock()).as_micros() as u64;
            // Rounded up: a timer that runs too early finds nothing to do and must be armed again.
            let armed = set_timeout(self.callback.as_ref().unchecked_ref(), micros.div_ceil(1000) as f64);
            self.armed.replace(Some(armed));
        }
    }

    /// The callback has run: the same instant may be armed again.
    pub(crate) fn expired(&self) {
        self.due.set(None);
        self.armed.replace(None);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.arm(None);
    }
}

/// What time it is.
pub(crate) fn clock() -> MonoTime {
    MonoTime::from_micros((now() * 1000.0) as u64)
}
