//! The few functions by which everything is handed to JavaScript: calls of the façade, and properties of the browser's objects. A function of its
//! own for each of these costs a shim in the glue and an import in the wasm (docs/decisions/004).
//!
//! What is said waits in a list on the JavaScript side until `call` or `put` take it from there. Bytes are copied: the memory they lie in moves
//! when it grows, and an app may keep them.

use alloc::{string::String, vec::Vec};
use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(inline_js = "let said = [];
const last = (count) => said.splice(said.length - count);
export const text = (it) => said.push(it), number = text, flag = text, object = text;
export const bytes = (it) => said.push(it.slice());
export const list = (count) => said.push(last(count));
export const numbers = (count) => said.push(Float64Array.from(last(count)));
export const call = (it) => {
  const [method, ...rest] = said.splice(0);
  return it[method](...rest);
};
export const result = call, attempt = call;
export const make = (kind) => new globalThis[kind](...said.splice(0));
export const put = (it) => { it[said.pop()] = said.pop(); };
export const tryPut = put;
export const get = (it) => it[said.pop()], textOf = get;
export const numberOf = (it) => +get(it);
export const listOf = (it) => get(it) ?? [];
export const bytesOf = (it) => {
  const found = get(it);
  return found instanceof ArrayBuffer ? new Uint8Array(found) : undefined;
};
export const page = () => globalThis;")]
extern "C" {
    pub(crate) fn text(it: &str);
    pub(crate) fn number(it: f64);
    pub(crate) fn flag(it: bool);
    pub(crate) fn object(it: &JsValue);
    pub(crate) fn bytes(it: &[u8]);

    // As they cross the border: counts are floating point and names are said, which needs no shim.
    #[wasm_bindgen(js_name = list)]
    fn said_list(count: f64);
    #[wasm_bindgen(js_name = numbers)]
    fn said_numbers(count: f64);
    #[wasm_bindgen(js_name = put)]
    fn put_said(it: &JsValue);
    #[wasm_bindgen(catch, js_name = tryPut)]
    fn try_put_said(it: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_name = get)]
    fn get_said(it: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = textOf)]
    fn text_said(it: &JsValue) -> Option<String>;
    #[wasm_bindgen(js_name = numberOf)]
    fn number_said(it: &JsValue) -> f64;
    #[wasm_bindgen(js_name = listOf)]
    fn list_said(it: &JsValue) -> Array;
    #[wasm_bindgen(js_name = bytesOf)]
    fn bytes_said(it: &JsValue) -> Option<Vec<u8>>;

    /// Calls a method with what was said: its name first, then its arguments.
    pub(crate) fn call(it: &JsValue);

    /// The same; what the method returns.
    pub(crate) fn result(it: &JsValue) -> JsValue;

    /// The same; what the method returns or throws.
    #[wasm_bindgen(catch)]
    pub(crate) fn attempt(it: &JsValue) -> Result<JsValue, JsValue>;

    /// A new object of the page's class of this name, made of what was said.
    #[wasm_bindgen(catch)]
    pub(crate) fn make(class: &str) -> Result<JsValue, JsValue>;

    /// `globalThis`.
    pub(crate) fn page() -> JsValue;
}

/// The last `count` things said become one: an array.
pub(crate) fn list(count: usize) {
    said_list(count as f64);
}

/// The same with numbers: a Float64Array.
pub(crate) fn numbers(count: usize) {
    said_numbers(count as f64);
}

/// Sets a property to what was said.
pub(crate) fn put(it: &JsValue, name: &str) {
    text(name);
    put_said(it);
}

/// The same where the browser may throw.
pub(crate) fn try_put(it: &JsValue, name: &str) -> Result<(), JsValue> {
    text(name);
    try_put_said(it)
}

/// A property.
pub(crate) fn get(it: &JsValue, name: &str) -> JsValue {
    text(name);
    get_said(it)
}

/// A property that is a string, or nothing.
pub(crate) fn text_of(it: &JsValue, name: &str) -> Option<String> {
    text(name);
    text_said(it)
}

/// A property that is a number or a flag (1 when set); not a number: it has none.
pub(crate) fn number_of(it: &JsValue, name: &str) -> f64 {
    text(name);
    number_said(it)
}

/// A property that is an array; empty: it has none.
pub(crate) fn list_of(it: &JsValue, name: &str) -> Array {
    text(name);
    list_said(it)
}

/// A property that is an ArrayBuffer: its bytes.
pub(crate) fn bytes_of(it: &JsValue, name: &str) -> Option<Vec<u8>> {
    text(name);
    bytes_said(it)
}

/// Whether a property is this string.
pub(crate) fn is(it: &JsValue, name: &str, value: &str) -> bool {
    text_of(it, name).is_some_and(|found| found == value)
}

/// Says a string, or `undefined`.
pub(crate) fn optional(it: Option<&str>) {
    match it {
        Some(it) => text(it),
        None => object(&JsValue::UNDEFINED),
    }
}

/// Sets a property to a string.
pub(crate) fn put_text(it: &JsValue, name: &str, value: &str) {
    text(value);
    put(it, name);
}

/// Sets a property to a number.
pub(crate) fn put_number(it: &JsValue, name: &str, value: f64) {
    number(value);
    put(it, name);
}

/// Sets a property to an object.
pub(crate) fn put_object(it: &JsValue, name: &str, value: &JsValue) {
    object(value);
    put(it, name);
}

/// Whether a flag is set.
pub(crate) fn flag_of(it: &JsValue, name: &str) -> bool {
    number_of(it, name) == 1.0
}

/// What a method returns that takes nothing.
pub(crate) fn ask(it: &JsValue, method: &str) -> JsValue {
    text(method);
    result(it)
}

/// Has a promise call back: an async task costs 2 kB (gzip) more than two closures.
pub(crate) fn settled(promise: &JsValue, done: &Function, failed: &Function) {
    text("then");
    object(done);
    object(failed);
    call(promise);
}
